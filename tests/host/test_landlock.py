"""A confined process: what it cannot do outside, it can inside, and its children neither."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.host import landlock

ATTEMPTS = """
import json, os, socket, subprocess, sys
from agent.host.landlock import confine
inside, outside, network = sys.argv[1], sys.argv[2], sys.argv[3] == "network"
with open(f"{outside}/open", "w") as early:
    walls = confine([inside], network=network)
    early.write("what was open before stays so")

def went(what):
    try:
        what()
    except PermissionError:
        return False
    except OSError as error:
        return error.errno != 13
    return True

def write(folder):
    with open(f"{folder}/file", "w") as file:
        file.write("x")

def connect():
    with socket.socket() as one:
        one.connect(("127.0.0.1", 1))

results = {
    "walls": walls,
    "null": went(lambda: open("/dev/null", "w").close()),
    "network": went(connect),
    "read": went(lambda: open("/etc/passwd").close()),
    "list": went(lambda: os.listdir(outside)),
}
for name, folder in (("inside", inside), ("outside", outside)):
    results[name] = {
        "write": went(lambda: write(folder)),
        "truncate": went(lambda: os.truncate(f"{folder}/there", 0)),
        "mkdir": went(lambda: os.mkdir(f"{folder}/made")),
        "symlink": went(lambda: os.symlink("x", f"{folder}/link")),
        "fifo": went(lambda: os.mkfifo(f"{folder}/fifo")),
        "rename": went(lambda: os.rename(f"{folder}/there", f"{folder}/moved")),
        "unlink": went(lambda: os.unlink(f"{folder}/gone")),
        "rmdir": went(lambda: os.rmdir(f"{folder}/empty")),
        "child": subprocess.call(["/bin/sh", "-c", f"echo x > {folder}/child"], stderr=-3) == 0,
    }
results["carry out"] = went(lambda: os.rename(f"{inside}/file", f"{outside}/carried"))
print(json.dumps(results))
"""


@pytest.mark.skipif(landlock.version() < 4, reason="this kernel's Landlock is older than 6.7's, or off")
@pytest.mark.parametrize("network", [False, True])
def test_a_confined_process_writes_inside_only(tmp_path: Path, network: bool) -> None:
    for name in ("inside", "outside"):
        (tmp_path / name / "empty").mkdir(parents=True)
        for file in ("there", "gone"):
            (tmp_path / name / file).write_text("kept")
    argv = [str(tmp_path / "inside"), str(tmp_path / "outside"), "network" if network else "none"]
    ended = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, *argv], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    results = json.loads(ended.stdout)
    assert all(results.pop("inside").values()), "the control"
    outside = results.pop("outside")
    assert not any(outside.values()), outside
    assert results == {
        **{"walls": True, "null": True, "network": network, "read": True, "list": True},
        "carry out": False,
    }
    assert sorted(path.name for path in (tmp_path / "outside").iterdir()) == [
        "empty",
        "gone",
        "open",
        "there",
    ]
    assert (tmp_path / "outside/there").read_text() == "kept"


def test_a_directory_that_is_not_there_is_an_error() -> None:
    if not landlock.version():
        assert landlock.confine(["/nowhere"], network=False) is False
        return
    script = "from agent.host.landlock import confine\nconfine(['/nowhere'], network=False)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "FileNotFoundError" in ended.stderr


WORKER = """
import sys
from agent.host.walls import raise_walls
print(raise_walls(sys.argv[1], sys.argv[2]))
import os, tempfile
import agent.host.processes
tempfile.TemporaryFile().close()
try:
    open(sys.argv[3], "w").close()
    print("wrote")
except PermissionError:
    print("refused")
try:
    open(agent.host.processes.__file__, "a").close()
    print("wrote")
except PermissionError:
    print("refused")
"""


@pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
@pytest.mark.parametrize(
    ("worker", "said"),
    [("enforce", ["True", "refused", "refused"]), ("sync", ["False", "wrote", "wrote"])],
)
def test_a_sandbox_worker_is_walled_in(tmp_path: Path, worker: str, said: list[str]) -> None:
    argv = [worker, str(tmp_path / "laptop"), str(tmp_path / "outside")]
    ended = subprocess.run([sys.executable, "-c", WORKER, *argv], capture_output=True, text=True, check=False)
    assert (ended.stdout.split(), ended.stderr) == (said, "")
