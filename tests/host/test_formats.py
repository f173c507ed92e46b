"""What the lock and the volumes write, byte for byte, and what they read: docs/formats.md."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.core.jsontext import pretty
from agent.core.layout import Layout
from agent.host.choose import open_host
from agent.host.linux import volume_record
from agent.host.linux.grade import FIRMWARE, Grade
from agent.host.linux.volume_record import Recorded
from agent.host.locking.login_gate import CLOSED, OPEN, lets_in
from agent.host.recorded import is_as
from agent.host.sandbox import volumes
from tests.leaks import REPOSITORY

GOLDEN = REPOSITORY / "tests/cases/formats/host"
VOLUMES = (
    Recorded("12121212-3434-4565-8787-909090909090", path="/srv/exams.luks"),
    Recorded("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", 1 << 20, "/home", student_slot=1),
    Recorded("11111111-2222-4333-8444-555555555555", 16 << 20, "/ swap", student_slot=0),
)


def test_the_login_gate() -> None:
    assert (GOLDEN / "login-gate-open").read_bytes() == OPEN
    assert (GOLDEN / "login-gate-closed").read_bytes() == CLOSED
    assert lets_in(OPEN) and not lets_in(CLOSED)


def test_the_volumes_of_a_machine(tmp_path: Path) -> None:
    path = tmp_path / "volumes.json"
    volume_record.write(VOLUMES, str(path))
    assert path.read_bytes() == (GOLDEN / "volumes.json").read_bytes()
    shutil.copy(GOLDEN / "volumes.json", path)
    path.chmod(0o644)
    assert volume_record.read(str(path)) == VOLUMES
    newer = json.loads(path.read_text())
    newer["more"] = newer["volumes"][0]["more"] = "of a newer minor version"
    path.write_text(json.dumps(newer))
    assert volume_record.read(str(path)) == VOLUMES


def test_the_word_on_closed_firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for below in ("_survives", "_boot_is_closed", "_disk_is_closed"):
        monkeypatch.setattr(Grade, below, lambda _: True)
    place = tmp_path / FIRMWARE.lstrip("/")
    place.parent.mkdir(parents=True)
    shutil.copy(GOLDEN / "firmware-closed.json", place)
    place.chmod(0o644)
    assert Grade(str(tmp_path), "PF1ABCDE").now() == 4
    assert Grade(str(tmp_path), "ANOTHER").now() == 3


def plain(value: object) -> object:
    """A layer's state as JSON: bytes as in the undo journal."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (tuple, list)) else value


def back(value: object) -> object:
    """The inverse."""
    if isinstance(value, dict):
        if value.keys() == {"base64"}:
            return base64.b64decode(value["base64"])
        return {key: back(one) for key, one in value.items()}
    return [back(one) for one in value] if isinstance(value, list) else value


def test_what_a_layer_was(tmp_path: Path) -> None:
    golden = (GOLDEN / "lock-record.json").read_text()
    host = open_host(Layout(str(tmp_path)))
    found = {}
    for layer in host.lock_layers:  # as they are locked: one is closed before the next is looked at
        found[layer.name] = layer.observe()
        layer.close()
    assert pretty(plain(found)) == golden
    recorded = back(json.loads(golden))
    assert isinstance(recorded, dict)
    for layer in reversed(host.lock_layers):
        layer.restore(recorded[layer.name])
        assert is_as(layer.observe(), recorded[layer.name]), layer.name


def test_a_simulated_volume() -> None:
    path = str(GOLDEN / "volume.luks")
    opened = volumes.unlock(path, "student")
    assert opened is not None and opened.rstrip(b"\0") == b"diary"
    assert volumes.unlock(path, "thief") is None
