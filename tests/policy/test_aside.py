"""A folder or a huge file that somebody makes in a managed file's place is moved beside it, and nothing of it
is lost, wherever the run that does so is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.core.model import Outcome
from agent.policy.compiled import Compiled
from agent.policy.enforcement import aside
from tests.policy.machine import Machine, compiled, outcomes, source
from tests.powercut import Outcome as Ended
from tests.powercut import every_prefix, fail_at_every, kill_at_every

Record = Callable[[str, object], None]
PATH = "/usr/share/bookbag/notice"
FOLDER = PATH.rpartition("/")[0]
POLICY = compiled(source(f'resources:\n  - file: {{path: {PATH}, content: "ours"}}\n'))
OTHER = compiled(source(f'resources:\n  - file: {{path: {PATH}, content: "ours, and newer"}}\n'))
ABSENT = compiled(source(f"resources:\n  - file: {{path: {PATH}, absent: true}}\n"))
HUGE = (16 << 20) + 1


def obstruct(machine: Machine, kind: str) -> None:
    """What whoever may write there can put in the file's place."""
    place = machine.laptop / PATH.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    if kind == "folder":
        (place / "inside").mkdir(parents=True)
        (place / "inside" / "diary").write_text("precious")
    else:
        with open(place, "wb") as file:
            file.truncate(HUGE - 8)
            file.seek(0, 2)
            file.write(b"precious")


def precious(machine: Machine, path: str) -> bool:
    """Whether what was put there lies at ``path``, whole."""
    place = machine.laptop / path.lstrip("/")
    if place.is_dir():
        return (place / "inside" / "diary").read_text() == "precious"
    return place.is_file() and place.stat().st_size == HUGE and place.read_bytes().endswith(b"precious")


def beside(machine: Machine) -> list[str]:
    return [path for _, path, _ in aside.records(machine.undo)]


each = pytest.mark.parametrize("kind", ["folder", "huge file"])


@each
@pytest.mark.parametrize("wanted", [POLICY, OTHER, ABSENT], ids=["same", "changed", "absent"])
def test_it_is_moved_aside_and_comes_back(machine: Machine, kind: str, wanted: Compiled) -> None:
    before = machine.state()
    machine.apply(ABSENT if wanted is ABSENT else POLICY)
    obstruct(machine, kind)
    run = machine.apply(wanted)
    assert not run.failed
    assert machine.read(PATH) == {id(POLICY): "ours", id(OTHER): "ours, and newer"}.get(id(wanted))
    (place,) = beside(machine)
    assert place.startswith(f"{FOLDER}/.notice.bookbag-aside-")
    assert precious(machine, place)
    (report,) = run.done
    assert f"and now is {place}" in report.message
    assert report.message in [entry.message for entry in machine.ledger.entries()]
    assert machine.plan(wanted).empty

    assert outcomes(machine.apply(None))[f"{aside.ASIDE}{place}"] is Outcome.RESTORED
    assert precious(machine, PATH)
    assert beside(machine) == []
    (machine.laptop / PATH.lstrip("/")).rename(machine.folder / "theirs")
    if wanted is not ABSENT:
        machine.apply(None)
    assert machine.plan(None).empty
    assert before.keys() <= machine.state().keys()


@each
def test_where_something_was_before_that_comes_back_and_both_are_kept(machine: Machine, kind: str) -> None:
    machine.write(PATH, "theirs")
    machine.apply(POLICY)
    obstruct(machine, kind)
    machine.apply(POLICY)
    (place,) = beside(machine)
    run = machine.apply(None)
    assert outcomes(run)[f"{aside.ASIDE}{place}"] is Outcome.KEPT
    assert machine.read(PATH) == "theirs"
    assert precious(machine, place)
    assert machine.undo.resources() == ()


@each
def test_what_was_there_when_policy_came_is_never_moved(machine: Machine, kind: str) -> None:
    """A policy that means a folder, or what it cannot bring back, is mistaken."""
    obstruct(machine, kind)
    for wanted in (POLICY, OTHER, ABSENT, POLICY):
        run = machine.apply(wanted)
        (report,) = run.failed
        assert report.code == "bad-path"
        assert "was there before any policy; remove it by hand, or choose another path" in report.message
        assert precious(machine, PATH)
    assert beside(machine) == []
    assert not machine.apply(None).failed
    assert precious(machine, PATH)
    assert machine.undo.resources() == ()


def test_an_empty_folder_goes(machine: Machine) -> None:
    machine.apply(POLICY)
    machine.remove(PATH)
    (machine.laptop / PATH.lstrip("/")).mkdir()
    assert outcomes(machine.apply(POLICY)) == {f"file:{PATH}": Outcome.HEALED}
    assert machine.read(PATH) == "ours"
    assert beside(machine) == []


def test_after_eight_a_person_has_to_look(machine: Machine) -> None:
    machine.apply(POLICY)
    for _ in range(aside.MOST):
        obstruct(machine, "folder")
        assert not machine.apply(POLICY).failed
    obstruct(machine, "folder")
    (report,) = machine.apply(POLICY).failed
    assert f"and {aside.MOST} such things lie beside it; remove or rename" in report.message
    assert precious(machine, PATH)
    for place in beside(machine)[:3]:  # whoever put them there takes some away
        (machine.laptop / place.lstrip("/")).rename(machine.folder / place.rpartition("/")[2])
    assert not machine.apply(POLICY).failed
    assert len(beside(machine)) == aside.MOST - 3 + 1


def test_what_its_owner_took_away_is_forgotten(machine: Machine) -> None:
    machine.apply(POLICY)
    obstruct(machine, "folder")
    machine.apply(POLICY)
    (place,) = beside(machine)
    (machine.laptop / place.lstrip("/")).rename(machine.folder / "mine again")
    machine.apply(POLICY)
    assert beside(machine) == []


def test_long_and_odd_names(machine: Machine) -> None:
    for name in ("n" * 255, "é" * 127, "bookbag-", ".hidden"):
        path = f"/usr/share/bookbag/{name}"
        policy = compiled(source(f'resources:\n  - file: {{path: {path}, content: "ours"}}\n'))
        machine.apply(policy)
        machine.remove(path)
        (machine.laptop / path.lstrip("/") / "inside").mkdir(parents=True)
        assert not machine.apply(policy).failed
        (place,) = beside(machine)
        machine.write(f"{FOLDER}/neighbour", "a write clears leftovers of crashed ones away")
        assert (machine.laptop / place.lstrip("/") / "inside").is_dir()
        machine.apply(None)
        (machine.laptop / path.lstrip("/")).rename(machine.folder / "x")
        (machine.folder / "x" / "inside").rmdir()
        (machine.folder / "x").rmdir()


# -- cut anywhere


def start(directory: Path) -> None:
    with Machine(directory) as machine:
        machine.apply(POLICY)
        obstruct(machine, "folder")


def start_withdrawal(directory: Path) -> None:
    start(directory)
    with Machine(directory) as machine:
        machine.apply(POLICY)


def heal(directory: Path) -> None:
    with Machine(directory) as machine:
        machine.apply(OTHER)


def withdraw(directory: Path) -> None:
    with Machine(directory) as machine:
        machine.apply(None)


def healed(directory: Path, said: str) -> None:
    with Machine(directory) as machine:
        assert not machine.apply(OTHER).failed
        assert machine.read(PATH) == "ours, and newer"
        (place,) = beside(machine)
        assert precious(machine, place)
        withdrawn(directory, said)


def withdrawn(directory: Path, said: str) -> None:
    with Machine(directory) as machine:
        assert not machine.apply(None).failed
        assert precious(machine, PATH)
        assert machine.undo.resources() == ()


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "begin", "check"),
    [
        (heal, start, healed),
        pytest.param(withdraw, start_withdrawal, withdrawn, marks=pytest.mark.soak),
    ],
)
def test_cut_anywhere_nothing_of_it_is_lost(
    program: Callable[[Path], None],
    begin: Callable[[Path], None],
    check: Callable[[Path, str], None],
    record_property: Record,
) -> None:
    cut = every_prefix(program, begin, check, most=25)
    killed = kill_at_every(program, begin, check, most=15)

    def told(directory: Path, ended: Ended) -> None:
        check(directory, "")

    full = fail_at_every(program, begin, told, calls=("write", "pwrite64", "rename", "renameat"), most=12)
    record_property("cut", f"{cut}; {killed}; {full}")
    assert cut.states > 50 and killed.points > 8 and full.points > 5


def test_something_with_the_name_beside_keeps_it(machine: Machine) -> None:
    machine.write(PATH, "one")
    machine.write(f"{FOLDER}/two", "two")
    with pytest.raises(BookbagError) as refused:
        machine.host.files.rename_beside(PATH, "two")
    assert refused.value.code == "bad-path"
    assert (machine.read(PATH), machine.read(f"{FOLDER}/two")) == ("one", "two")
