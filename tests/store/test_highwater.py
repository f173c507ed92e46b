"""High-water marks: one copy may go, two damaged ones are never taken for "nothing was ever accepted"."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.store.highwater import HighWaterFile

MARKS, NOTES = {"root": 3, "role.policy-ict": 7}, {"online": "ab12"}


def test_absent_then_committed(tmp_path: Path) -> None:
    file = HighWaterFile(f"{tmp_path}/hw.json")
    assert file.read() is None
    file.commit(MARKS, NOTES)
    assert HighWaterFile(f"{tmp_path}/hw.json").read() == (MARKS, NOTES)
    file.commit({"root": 4}, {})
    assert file.read() == ({"root": 4}, {})


@pytest.mark.parametrize("victim", ["hw.json", "hw.json.2"])
@pytest.mark.parametrize("damage", [b"", b"{", None])
def test_one_copy_is_enough_and_the_next_commit_restores_the_other(
    tmp_path: Path, victim: str, damage: bytes | None
) -> None:
    file = HighWaterFile(f"{tmp_path}/hw.json")
    file.commit(MARKS, NOTES)
    if damage is None:
        (tmp_path / victim).unlink()
    else:
        (tmp_path / victim).write_bytes(damage)
    assert file.read() == (MARKS, NOTES)
    file.commit({"root": 4}, {})
    other = "hw.json" if victim == "hw.json.2" else "hw.json.2"
    (tmp_path / other).unlink()
    assert file.read() == ({"root": 4}, {})


def test_the_newer_copy_counts(tmp_path: Path) -> None:
    file = HighWaterFile(f"{tmp_path}/hw.json")
    file.commit({"root": 1}, {})
    old = (tmp_path / "hw.json.2").read_bytes()
    file.commit({"root": 2}, {})
    (tmp_path / "hw.json.2").write_bytes(old)  # as after a power cut between the two
    assert file.read() == ({"root": 2}, {})
    (tmp_path / "hw.json.2").write_bytes((tmp_path / "hw.json").read_bytes())
    (tmp_path / "hw.json").write_bytes(old)
    assert file.read() == ({"root": 2}, {})


@pytest.mark.parametrize("second", [b"", b"junk", None])
def test_without_a_whole_copy_it_stays_corrupt_until_committed_anew(
    tmp_path: Path, second: bytes | None
) -> None:
    file = HighWaterFile(f"{tmp_path}/hw.json")
    file.commit(MARKS, NOTES)
    (tmp_path / "hw.json").write_bytes(b"")
    if second is None:
        (tmp_path / "hw.json.2").unlink()
    else:
        (tmp_path / "hw.json.2").write_bytes(second)
    for _ in range(3):
        with pytest.raises(BookbagError) as caught:
            HighWaterFile(f"{tmp_path}/hw.json").read()
        assert caught.value.code == "state-corrupt"
    file.commit({"root": 9}, {})
    assert file.read() == ({"root": 9}, {})
