"""State in two copies: the newest whole one counts, and two damaged ones are never taken for none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.store.twinfile import TwinFile


@dataclass(frozen=True, slots=True)
class Kept:
    count: int
    text: str


def twin(folder: Path) -> TwinFile[Kept]:
    return TwinFile(str(folder / "kept.json"), Kept, "kept", remedy="ask somebody")


def test_what_was_written_is_read_and_counted(tmp_path: Path) -> None:
    file = twin(tmp_path)
    assert file.read() is None
    assert file.write(Kept(0, "a")).count == 1
    assert file.write(Kept(0, "b")).count == 2
    assert twin(tmp_path).read() == Kept(2, "b")


@pytest.mark.parametrize("damaged", ["kept.json", "kept.json.2"])
def test_one_damaged_copy_costs_nothing(tmp_path: Path, damaged: str) -> None:
    twin(tmp_path).write(Kept(0, "a"))
    (tmp_path / damaged).write_bytes(b"")
    assert twin(tmp_path).read() == Kept(1, "a")
    assert twin(tmp_path).write(Kept(0, "b")) == Kept(2, "b")


def test_of_two_whole_copies_the_newer_counts(tmp_path: Path) -> None:
    """The power went between the first and the second."""
    twin(tmp_path).write(Kept(0, "a"))
    old = (tmp_path / "kept.json.2").read_bytes()
    twin(tmp_path).write(Kept(0, "b"))
    (tmp_path / "kept.json.2").write_bytes(old)
    assert twin(tmp_path).read() == Kept(2, "b")


def test_two_damaged_copies_are_said_to_be_and_stay(tmp_path: Path) -> None:
    twin(tmp_path).write(Kept(0, "a"))
    for name in ("kept.json", "kept.json.2"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(BookbagError) as error:
        twin(tmp_path).read()
    assert (error.value.code, error.value.remedy) == ("state-corrupt", "ask somebody")
    assert (tmp_path / "kept.json").read_bytes() == b"{}"
    assert twin(tmp_path).write(Kept(0, "b")).count == 1, "whoever may decide, decides anew"
