"""Runs the tests in ``tests/`` on what the policies of the folder come to: before anybody signs, and the same
again whenever somebody changes something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.fleet import policies
from agent.fleet.finding import Finding
from agent.fleet.folder import Folder
from agent.fleet.meant import laptop
from agent.fleet.records import DeviceRecord, SiteRecord
from agent.policy.desk.expectations import PolicyTest, read_tests
from agent.policy.desk.judging import Failure, judge
from agent.policy.desk.preview import compile_each
from agent.policy.scheduling import Local
from agent.policy.syntax.problems import Problems
from agent.policy.targeting import DeviceFacts

TOP = "tests"


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of them. ``ran`` is False where the policies themselves, or a test, are wrong."""

    files: int = 0
    tests: int = 0
    expectations: int = 0
    failures: tuple[Failure, ...] = ()
    findings: tuple[Finding, ...] = ()
    ran: bool = False


def run(folder: Folder, site: SiteRecord, devices: Sequence[DeviceRecord], *, sound: bool) -> Tested:
    """Read every test; judge them if they, and the policies (``sound``), are without errors: what a broken
    policy comes to would only hide what is broken."""
    try:
        found = [*_strays(folder)]
        files = [f"{TOP}/{name}" for name in folder.names(folder.root / TOP, ".yaml")]
    except BookbagError as error:
        return Tested(findings=(Finding.of(error, place=TOP),))
    tests: list[tuple[PolicyTest, DeviceFacts]] = []
    for file in files:
        problems = Problems()
        try:
            read = read_tests(folder.read(folder.root / file), file, problems)
        except BookbagError as error:
            found.append(Finding.of(error, place=file))
            continue
        found += map(Finding.of, problems.errors)
        for test in read:
            try:
                tests.append((test, laptop(test.given, site, devices, place=str(test.place))))
            except BookbagError as error:
                found.append(Finding.of(error))
    failures: list[Failure] = []
    ran = sound and not any(one.blocks for one in found)
    if ran and tests:
        moments = [Local(test.at) if test.at else None for test, _ in tests]
        compiled = compile_each(policies.sources(folder, site), [facts for _, facts in tests], moments)
        for (test, _), one in zip(tests, compiled, strict=True):
            failures += judge(test, one)
    found += map(_finding, failures)
    expectations = sum(len(test.expect) for test, _ in tests)
    return Tested(len(files), len(tests), expectations, tuple(failures), tuple(found), ran)


def _finding(failure: Failure) -> Finding:
    remedy = "mend the policy; or the test, if that is what the school wants now"
    return Finding(failure.place, "unexpected", str(failure), remedy)


def _strays(folder: Folder) -> Iterator[Finding]:
    """What looks like a test and would never run."""
    for name in folder.names(folder.root / TOP, ""):
        if name.endswith(".yml") or (folder.root / TOP / name).is_dir():
            why, remedy = "cannot run this: tests are files that end in .yaml", f"move it to {TOP}/NAME.yaml"
            yield Finding(f"{TOP}/{name}", "bad-path", why, remedy, blocks=False)
