"""The undo journal: first priors win, states come back as they were, damage costs only what it hit."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.core.errors import BookbagError
from agent.core.model import State
from agent.store.batchlog import BatchLog, Record
from agent.store.undo import UndoJournal

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.text(max_size=5)
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(["base64", "mapping", "a", "mode"]), inner, max_size=3)
    ),
    max_leaves=8,
)
STATES = st.none() | st.dictionaries(
    st.sampled_from(["base64", "mapping", "content", "mode"]), VALUES, max_size=4
)
NAMES = st.sampled_from(["file:/a", "file:/b\t\n", "é ", "dconf:/x", '"\\'])


class JournalMachine(RuleBasedStateMachine):
    """Against a plain dictionary, across reopenings and compactions."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.directory = tempfile.TemporaryDirectory(prefix="bookbag-undo-")
        self.undo = UndoJournal(self.directory.name)
        self.model: dict[str, tuple[State | None, State | None]] = {}

    @rule(priors=st.dictionaries(NAMES, STATES, max_size=4))
    def remember(self, priors: dict[str, State | None]) -> None:
        self.undo.remember(priors)
        for name, state in priors.items():
            self.model.setdefault(name, (state, state))

    @rule(states=st.dictionaries(NAMES, STATES, max_size=4))
    def wrote(self, states: dict[str, State | None]) -> None:
        known = {name: state for name, state in states.items() if name in self.model}
        self.undo.wrote(known)
        for name, state in known.items():
            self.model[name] = (self.model[name][0], state)
        if len(known) < len(states):
            with pytest.raises(KeyError):
                self.undo.wrote(states)

    @rule(names=st.lists(NAMES, max_size=3))
    def forget(self, names: list[str]) -> None:
        self.undo.forget(*names)
        for name in names:
            self.model.pop(name, None)

    @rule()
    def reopen(self) -> None:
        self.undo = UndoJournal(self.directory.name)

    @rule(size=st.integers(100_000, 200_000))
    def much_writing(self, size: int) -> None:
        self.undo.remember({"big": None})
        self.undo.wrote({"big": {"content": bytes(size)}})
        self.model["big"] = (self.model.get("big", (None, None))[0], {"content": bytes(size)})

    @invariant()
    def agrees(self) -> None:
        assert self.undo.resources() == tuple(self.model)
        for name, states in self.model.items():
            assert self.undo.prior(name) == states

    def teardown(self) -> None:
        self.directory.cleanup()


TestJournal = JournalMachine.TestCase


@given(STATES)
def test_any_state_comes_back_as_it_was(state: State | None) -> None:
    from agent.store.undo import _record, _state

    assert _state(_record("P", "x", state)) == state


def filled(directory: Path, count: int = 5) -> UndoJournal:
    undo = UndoJournal(str(directory))
    undo.remember({f"file:/{n}": {"content": b"%d" % n, "mode": 0o644} for n in range(count)})
    undo.wrote({f"file:/{n}": {"content": b"ours"} for n in range(count)})
    return undo


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    undo = UndoJournal(f"{tmp_path}/undo")
    assert undo.resources() == ()
    with pytest.raises(KeyError):
        undo.prior("x")
    assert not (tmp_path / "undo").exists()


def test_two_processes_see_each_other(tmp_path: Path) -> None:
    one, two = filled(tmp_path), UndoJournal(str(tmp_path))
    assert two.resources() == one.resources()
    two.remember({"file:/new": None})
    one.forget("file:/0")
    assert one.resources() == two.resources() == ("file:/1", "file:/2", "file:/3", "file:/4", "file:/new")


@pytest.mark.parametrize("size", [0, 1, 30, 60, 200, -1])
def test_truncation_is_told_once_and_what_is_whole_is_saved(tmp_path: Path, size: int) -> None:
    filled(tmp_path)
    log = tmp_path / "undo.log"
    data = log.read_bytes()[:size]
    log.write_bytes(data)
    with pytest.raises(BookbagError) as caught:
        UndoJournal(str(tmp_path)).resources()
    assert caught.value.code == "state-corrupt"
    assert (tmp_path / "undo.log.corrupt").read_bytes() == data
    undo = UndoJournal(str(tmp_path))
    saved = undo.resources()
    for name in saved:
        assert undo.prior(name)[0] == {"content": name.removeprefix("file:/").encode(), "mode": 0o644}
    assert len(saved) == (5 if size == -1 else 0 if size < 200 else len(saved))


def test_no_flipped_bit_gives_a_wrong_state(tmp_path: Path) -> None:
    """It is noticed when loading, or when the record is used; and then the other records are still there."""
    right = filled(tmp_path, 3)
    expected = {name: right.prior(name) for name in right.resources()}
    data = (tmp_path / "undo.log").read_bytes()
    noticed = 0
    for at in range(len(data)):
        (tmp_path / "undo.log").write_bytes(data[:at] + bytes([data[at] ^ 2]) + data[at + 1 :])
        undo = UndoJournal(str(tmp_path))
        try:
            names = undo.resources()
        except BookbagError as problem:
            assert problem.code == "state-corrupt"
            noticed += 1
            names = undo.resources()
            assert len(names) >= 2
        for name in names:
            try:
                prior, wrote = undo.prior(name)
                assert prior == expected[name][0]
                assert wrote in expected[name]
            except BookbagError as problem:
                assert problem.code == "state-corrupt"
                noticed += 1
        (tmp_path / "undo.log.corrupt").unlink(missing_ok=True)
    assert noticed > len(data) // 2


def test_a_directory_in_its_place_is_damage(tmp_path: Path) -> None:
    (tmp_path / "undo.log").mkdir()
    undo = UndoJournal(str(tmp_path))
    with pytest.raises(BookbagError) as caught:
        undo.remember({"x": None})
    assert caught.value.code == "state-corrupt"
    undo.remember({"x": None})
    assert undo.resources() == ("x",)


NEWER = b"bookbag log 2 undo\t%08x\nwhatever" % zlib.crc32(b"bookbag log 2 undo")


def test_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "undo.log").write_bytes(NEWER)
    with pytest.raises(BookbagError) as caught:
        UndoJournal(str(tmp_path)).remember({"x": None})
    assert caught.value.code == "format-too-new"
    assert (tmp_path / "undo.log").read_bytes() == NEWER


def test_a_torn_batch_is_dropped_without_a_word(tmp_path: Path) -> None:
    filled(tmp_path)
    log = BatchLog(f"{tmp_path}/undo.log", "undo")
    log.load()
    whole = (tmp_path / "undo.log").read_bytes()
    log.append([Record("F", f"file:/{n}", b"null") for n in range(5)])
    added = (tmp_path / "undo.log").read_bytes()[len(whole) :]
    for length in range(len(added)):
        (tmp_path / "undo.log").write_bytes(whole + added[:length])
        assert len(UndoJournal(str(tmp_path)).resources()) == 5
    UndoJournal(str(tmp_path)).remember({"file:/after": None})  # over what was torn
    assert len(UndoJournal(str(tmp_path)).resources()) == 6


def test_one_heal_among_thousands_writes_little(tmp_path: Path) -> None:
    undo = filled(tmp_path, 2_000)
    before = os.path.getsize(tmp_path / "undo.log")
    undo.wrote({"file:/7": {"content": b"other"}})
    assert os.path.getsize(tmp_path / "undo.log") - before < 300
    undo.wrote({"file:/7": {"content": b"other"}})  # nothing new, nothing written
    assert os.path.getsize(tmp_path / "undo.log") - before < 300


def test_a_thousand_heals_of_one_file_do_not_grow_it_for_ever(tmp_path: Path) -> None:
    undo = UndoJournal(str(tmp_path))
    undo.remember({"file:/x": None})
    for n in range(100):
        undo.wrote({"file:/x": {"content": bytes([n]) * 20_000}})
    assert os.path.getsize(tmp_path / "undo.log") < 1 << 20
    assert undo.prior("file:/x") == (None, {"content": bytes([99]) * 20_000})


def test_audits_do_not_pay_for_sqlite() -> None:
    program = "import sys, agent.store.undo, agent.store.clockfile; print('sqlite3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_what_has_no_form_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    undo = filled(tmp_path)
    before = (tmp_path / "undo.log").read_bytes()
    with pytest.raises(BookbagError):
        undo.remember({"file:/ok": None, "file:/bad": {"x": 1.5}})
    assert (tmp_path / "undo.log").read_bytes() == before
