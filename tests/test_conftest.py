"""The conftest does what it says: each test here runs it over a small repository of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]
HERE = Path(__file__).parent


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(source, *arguments, ci=False)``: pytest's output for one test file beside our conftest."""

    def go(source: str, *arguments: str, ci: bool = False) -> str:
        tests = tmp_path / "tests"
        tests.mkdir()
        for name in ("__init__.py", "beside.py", "conftest.py", "leaks.py"):
            (tests / name).write_bytes((HERE / name).read_bytes())
        (tests / "test_sample.py").write_text(source, encoding="utf-8")
        markers = '["lab", "soak(sample)", "bench", "needs"]'
        settings = f'[tool.pytest.ini_options]\naddopts = ["-ra", "--strict-markers"]\nmarkers = {markers}\n'
        (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_sample.py", *arguments],
            cwd=tmp_path,
            env={**os.environ, "CI": "true" if ci else "", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,  # no measure: a busy machine takes minutes over three interpreters
        )
        return done.stdout + done.stderr

    return go


LITTERING = """
import pathlib, subprocess, threading
kept = []
def test_thread():
    threading.Thread(target=threading.Event().wait, args=(30,), name="straggler", daemon=True).start()
def test_child(): kept.append(subprocess.Popen(["sleep", "30"]))
def test_file(): pathlib.Path("litter").touch()
def test_descriptors(): kept.extend(open("/dev/null") for _ in range(200))
def test_tidy():
    kept[0].kill()
    kept[0].wait()
    for file in kept[1:]: file.close()
"""


@pytest.mark.slow
def test_the_test_that_leaves_something_fails_and_is_named(run: Run) -> None:
    said = run(LITTERING, ci=True)
    assert "ERROR tests/test_sample.py::test_thread - Failed: left behind: thread straggler" in said
    assert "ERROR tests/test_sample.py::test_child - Failed: left behind: child process" in said
    assert "ERROR tests/test_sample.py::test_file - Failed: left behind: file litter" in said
    assert "ERROR tests/test_sample.py::test_descriptors - Failed: left behind: 200 open descriptors" in said
    assert "5 passed, 4 errors" in said


def test_a_file_in_the_repository_is_told_not_judged_where_people_write_too(run: Run) -> None:
    said = run("def test_file(): open('litter', 'w').close()")
    assert "1 passed" in said
    assert "new in the repository since the run began" in said
    assert "\nlitter\n" in said


NEEDY = "import pytest\n@pytest.mark.needs('no-such-program')\ndef test_it(): raise AssertionError\n"


def test_a_missing_program_skips_and_is_told(run: Run) -> None:
    said = run(NEEDY)
    assert "1 test: no-such-program is not installed" in said
    assert "1 skipped" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="CI's own machine is root's")
def test_a_missing_program_fails_in_ci_as_root(run: Run) -> None:
    said = run(NEEDY, ci=True)
    assert "no-such-program is not installed, and CI as root leaves nothing out" in said
    assert "passed" not in said
    assert "skipped" not in said


LONG = """
import pytest
@pytest.mark.soak
def test_hours(): pass
@pytest.mark.soak(sample=True)
def test_rounds(soak_rounds): print("rounds", soak_rounds(sample=2, full=3000))
def test_short(): pass
@pytest.mark.lab
def test_laptop(): pass
"""


@pytest.mark.parametrize(
    ("arguments", "passed", "told"),
    [
        (["-m", "not lab"], 2, ["1 test: marked soak", "1 test: marked lab", "rounds 2\n"]),
        (["-m", "not lab", "--soak=none"], 1, ["2 tests: marked soak"]),
        (["-m", "soak", "--soak=full"], 2, ["rounds 3000\n"]),
    ],
)
def test_long_tests_run_when_asked_for_and_are_told_when_not(
    run: Run, arguments: list[str], passed: int, told: list[str]
) -> None:
    said = run(LONG, "-s", *arguments)
    assert f"= {passed} passed" in said
    for line in told:
        assert line in said


PARALLEL = """
import pytest
@pytest.mark.needs('no-such-program')
def test_needy(): raise AssertionError
@pytest.mark.bench
def test_measure(): raise AssertionError
def test_litter(): open('litter', 'w').close()
"""


@pytest.mark.slow
def test_what_several_processes_left_out_is_told_once(run: Run) -> None:
    said = run(PARALLEL, "-n", "2", "--no-loadscope-reorder", "-m", "not bench")
    assert "1 test: no-such-program is not installed" in said
    assert "1 test: marked bench, which this run did not ask for" in said
    assert "\nlitter\n" in said


def test_a_run_that_is_cut_off_has_told_why_a_test_failed(run: Run) -> None:
    source = "import os\ndef test_fails(): assert 1 == 2, 'because of this'\ndef test_cut(): os._exit(9)"
    assert "AssertionError: because of this" in run(source, ci=True)


TOGETHER = """
import os, pathlib, pytest
@pytest.mark.parametrize('number', range(8))
def test_one(number): pathlib.Path(f'ran-{number}-by-{os.getpid()}').touch()
"""


@pytest.mark.slow
def test_the_tests_of_one_file_run_in_one_process(run: Run, tmp_path: Path) -> None:
    assert "8 passed" in run(TOGETHER, "-n", "2", "--no-loadscope-reorder")
    assert len({path.name.rpartition("-")[2] for path in tmp_path.glob("ran-*")}) == 1
