"""Runs the tests in ``tests/`` on what the policies of the folder come to: before anybody signs, and the same
again whenever somebody changes something."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.fleet import groups, policies
from agent.fleet.finding import Finding
from agent.fleet.folder import Folder
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
                tests.append((test, _laptop(test, site, devices)))
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


def _laptop(test: PolicyTest, site: SiteRecord, devices: Sequence[DeviceRecord]) -> DeviceFacts:
    """The laptop that a test means, as its assignment would describe it."""
    given = test.given
    if "device" not in given:
        school = given.get("school", site.site)
        return DeviceFacts(site.site, "", school, given.get("year", ""), given.get("class", ""))
    known = {one.name: one for one in devices}
    record = known.get(given["device"])
    if record is None:
        raise BookbagError(
            "not-found",
            f"cannot find a laptop {given['device'][:60]!r}",
            place=str(test.place),
            remedy=_near(given["device"], known),
        )
    if record.state != "assigned":
        raise BookbagError(
            "not-found",
            f"cannot tell what {record.name} shall get: it is {record.state}, not assigned",
            place=str(test.place),
            remedy=f"bookbag-fleet assign {record.name} …, or give groups instead",
        )
    return groups.facts(site.site, record)


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "name one that is in devices/, or give groups instead"


def _strays(folder: Folder) -> Iterator[Finding]:
    """What looks like a test and would never run."""
    for name in folder.names(folder.root / TOP, ""):
        if name.endswith(".yml") or (folder.root / TOP / name).is_dir():
            why, remedy = "cannot run this: tests are files that end in .yaml", f"move it to {TOP}/NAME.yaml"
            yield Finding(f"{TOP}/{name}", "bad-path", why, remedy, blocks=False)
