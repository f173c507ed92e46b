"""What holds for every test: nothing is left behind, nothing is left out in silence, chance is repeatable."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import hypothesis
import hypothesis.configuration
import pytest

from tests import leaks

#: A few more are caches of libraries; hundreds are a leak, and break `select` for whoever comes after.
MOST_DESCRIPTORS = 100
LONGEST_CAUSE = 3000  # characters
IN_CI = os.environ.get("CI") == "true"
LEFT_OUT = pytest.StashKey[Counter[str]]()  # skipped, by reason
UNASKED = pytest.StashKey[Counter[str]]()  # deselected, by reason
FILES = pytest.StashKey[frozenset[str]]()

#: What we start shall buffer as it does for people: unbuffered, a forgotten flush is never missed.
os.environ.pop("PYTHONUNBUFFERED", None)

hypothesis.configuration.set_hypothesis_home_dir(leaks.REPOSITORY / ".cache" / "hypothesis")
# Machines of two busy cores run the tests: time decides nothing here, budgets are the benchmarks' business.
hypothesis.settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=100,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "soak",
    deadline=None,
    max_examples=20_000,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak",
        choices=("none", "sample", "full"),
        default="sample",
        help="soak tests: none; short forms of those that have one (the default); all at full length",
    )


def is_one_of_several(config: pytest.Config) -> bool:
    """Whether this process runs some of the tests, for another that tells of them."""
    return getattr(config, "workerinput", None) is not None


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = Counter()
    config.stash[UNASKED] = Counter()
    config.stash[FILES] = leaks.files()
    hypothesis.settings.load_profile("soak" if config.getoption("--soak") == "full" else "ci")
    if IN_CI and not is_one_of_several(config):
        config.pluginmanager.register(Aloud(config))


class Aloud:
    """Prints why a test failed as soon as it did (a run that is cut off has no summary), and for the first
    few once more as the last words (of a log, often only the end is shown).
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._causes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            cause = f"\n{report.nodeid} ({report.when}):\n{report.longreprtext[-LONGEST_CAUSE:]}"
            self._causes.append(cause)
            self._write(cause)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        for cause in self._causes[:3]:
            self._write(cause)

    def _write(self, cause: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(cause)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if is_one_of_several(config):  # the lab's tests take longest: they begin
        from tests import beside

        for item in items:
            if item.get_closest_marker("lab") and not beside.lab_of(item.nodeid.partition("::")[0]):
                raise pytest.UsageError(f"{item.nodeid} boots laptops; name its file …_lab.py")
        items.sort(key=lambda item: not beside.lab_of(item.nodeid.partition("::")[0]))
    how = config.getoption("--soak")

    def runs(item: pytest.Item) -> bool:
        mark = item.get_closest_marker("soak")
        return mark is None or how == "full" or (how == "sample" and bool(mark.kwargs.get("sample")))

    left_out = [item for item in items if not runs(item)]
    if left_out:
        items[:] = [item for item in items if runs(item)]
        config.hook.pytest_deselected(items=left_out)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        for mark in ("lab", "soak", "bench"):
            if item.get_closest_marker(mark):
                item.config.stash[UNASKED][f"marked {mark}, which this run did not ask for"] += 1
                break


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for program in (program for mark in item.iter_markers("needs") for program in mark.args):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            _leave_out(item, f"{program} is not installed")
    if item.get_closest_marker("lab") and os.geteuid() != 0:
        _leave_out(item, "the lab needs root")


def _leave_out(item: pytest.Item, reason: str) -> None:
    """Skip, and say so at the end; where everything was to be installed, a missing program is a failure."""
    if IN_CI and os.geteuid() == 0:
        pytest.fail(f"{reason}, and CI as root leaves nothing out", pytrace=False)
    item.config.stash[LEFT_OUT][reason] += 1
    pytest.skip(reason)


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    before = config.stash[FILES]
    if IN_CI and not is_one_of_several(config) and leaks.files() - before:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED  # the summary names them
    skipped, unasked = config.stash[LEFT_OUT], config.stash[UNASKED]
    output: dict[str, object] | None = getattr(config, "workeroutput", None)
    if output is not None:  # one of several processes: the first has the last word
        output["left out"] = dict(skipped)
        output["unasked"] = dict(unasked)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    from tests import beside

    return beside.ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {})
    skipped, unasked = node.config.stash[LEFT_OUT], node.config.stash[UNASKED]
    skipped.update(told.get("left out", {}))
    unasked.update(Counter(told.get("unasked", {})) - unasked)  # each of them collects everything


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    soaked = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == "soak"
    ]
    if soaked:
        terminalreporter.section("soaked")
        for line in soaked:
            terminalreporter.line(line)
    if left_out := config.stash[LEFT_OUT] + config.stash[UNASKED]:
        terminalreporter.section("left out")
        for reason, count in sorted(left_out.items()):
            terminalreporter.line(f"{count} {'test' if count == 1 else 'tests'}: {reason}")
    before = config.stash[FILES]
    if new := leaks.files() - before:
        terminalreporter.section("new in the repository since the run began: a test's, or yours?")
        for name in sorted(new):
            terminalreporter.line(name)


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test that leaves a thread, a child process, many descriptors or a file in the repository.

    Files are judged in CI only: elsewhere people write them too, and the summary lists what is new; where
    tests run beside each other, at the end only. What a
    whole module or session shares is made by fixtures of that scope, which begin before this one.
    """
    before, opened = leaks.snapshot(), leaks.descriptors()
    yield
    late = leaks.settle(before)
    if leaks.descriptors() > opened + MOST_DESCRIPTORS:
        gc.collect()
        if (more := leaks.descriptors() - opened) > MOST_DESCRIPTORS:
            late.append(f"{more} open descriptors")
    if IN_CI and not is_one_of_several(request.config):  # else it may be another's that runs just now
        known, there = request.config.stash[FILES], leaks.files()
        late += [f"file {name}" for name in sorted(there - known)]
        request.config.stash[FILES] = there
    if late:
        pytest.fail(f"left behind: {'; '.join(late)}", pytrace=False)


class Rounds(Protocol):
    """How often a soak test goes round, in this run."""

    def __call__(self, *, sample: int, full: int) -> int: ...


@pytest.fixture
def soak_rounds(request: pytest.FixtureRequest) -> Rounds:
    """``soak_rounds(sample=20, full=100_000)``: the number for this run of a ``soak(sample=True)`` test."""
    whole = request.config.getoption("--soak") == "full"

    def rounds(*, sample: int, full: int) -> int:
        return full if whole else sample

    return rounds
