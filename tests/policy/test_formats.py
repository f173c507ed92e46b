"""Golden files of this room's formats (docs/formats.md, Policy): read, and written back to the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.policy import compiled as form
from agent.policy.enforcement import audit
from agent.policy.enforcement.confirm import APPLIED, CONTESTED, Trial, Trials
from agent.policy.enforcement.memory import EngineState, Flap, Heals, Standing
from agent.store.statefile import StateFile
from tests.leaks import REPOSITORY
from tests.policy.machine import Machine, compiled, source

GOLDEN = REPOSITORY / "tests" / "cases" / "formats" / "policy"
POLICY = compiled(
    source(
        "settings:\n  screen-lock.after: {value: 10m, final: true}\n"
        'resources:\n  - file: {path: /etc/motd, content: "Welcome\\n"}\n'
        "  - file: {path: /etc/issue.net, absent: true}\n"
        "  - file: {path: /etc/cron.d/x, absent: true}\n"
    ),
    source("settings:\n  screen-lock.after: 20m\n", name="below", rank="class"),
)
TRIALS = Trials(
    {
        "firewall:bookbag": Trial(
            "0" * 32, APPLIED, 1_800_000_000, 1_800_000_300, True, 2, 1, heard_at=1_800_000_120
        ),
        "resolver:servers": Trial(
            "1" * 32, CONTESTED, 1_800_000_000, 1_800_010_800, True, 3, 3, heard_at=1_800_000_300
        ),
    },
    own=("service.north.example",),
)
STATE = EngineState(
    flaps={
        "file:/etc/motd": Flap(spent=29, at=1_800_000_060, pause_s=60, until=1_800_000_060, why="flapping")
    },
    standing={"file:/etc/motd": Standing("in-force", 1_799_000_000, "0" * 32)},
    policy="f" * 64,
    heals={"file:/etc/motd": Heals(31, 1_800_000_060)},
)


def test_the_compiled_policy(tmp_path: Path) -> None:
    golden = form.load(str(GOLDEN / "compiled"))
    assert golden is not None
    form.save(str(tmp_path / "compiled"), golden)
    assert (tmp_path / "compiled").read_bytes() == (GOLDEN / "compiled").read_bytes()
    same = {key: value for key, value in POLICY.data.items() if key not in ("fingerprint", "inputs")}
    assert {key: value for key, value in golden.data.items() if key not in ("fingerprint", "inputs")} == same
    assert [item.resource().id for item in golden.items()] == [item.id for item in golden.items()]


def test_the_checklist(machine: Machine) -> None:
    golden = form.load(str(GOLDEN / "compiled"))
    assert golden is not None
    machine.apply(golden)
    path = str(machine.folder / "checklist")
    audit.save_checklist(path, golden, machine.host)
    assert Path(path).read_bytes() == (GOLDEN / "checklist").read_bytes()
    found = audit.suspects(str(GOLDEN / "checklist"), golden.fingerprint, str(machine.laptop))
    assert found == ["dconf-profile:user", "dconf:screen-lock"]


def test_the_engine_memory(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "engine.json", tmp_path)
    assert StateFile(str(tmp_path / "engine.json"), EngineState, "engine").read() == STATE
    StateFile(str(tmp_path / "again.json"), EngineState, "engine").write(STATE)
    assert (tmp_path / "again.json").read_bytes() == (GOLDEN / "engine.json").read_bytes()


def test_what_is_on_trial(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "trials.json", tmp_path)
    found = StateFile(str(tmp_path / "trials.json"), Trials, "trials").read()
    assert found == TRIALS
    StateFile(str(tmp_path / "again.json"), Trials, "trials").write(TRIALS)
    assert (tmp_path / "again.json").read_bytes() == (GOLDEN / "trials.json").read_bytes()


@pytest.mark.parametrize("name", ["compiled", "checklist"])
def test_another_version_counts_as_absent(name: str, tmp_path: Path) -> None:
    data = (GOLDEN / name).read_bytes()
    path = tmp_path / name
    word, version, fingerprint = data.split()[:3]
    path.write_bytes(data.replace(word + b" " + version, word + b" %d" % (int(version) + 1), 1))
    assert form.load(str(path)) is None
    assert audit.suspects(str(path), fingerprint.decode()) is None
