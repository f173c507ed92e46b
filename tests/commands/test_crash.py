"""Cut off anywhere, a laptop goes on where it was: locked or open whole, erased once it was decided, told
once."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from shutil import copytree

import pytest

from agent.commands.case import REVOCABLE, Step
from agent.commands.handlers.wipe import RETRY
from agent.commands.machine import Machine
from agent.core.clock import Now
from agent.host.base import Host
from agent.host.sandbox import trying
from agent.host.sandbox.laptop import PASSPHRASES, open_sandbox
from agent.trust import floors, receipts
from agent.trust.generation import load_generation
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealKey
from agent.trust.receipts import Receipt
from tests.commands.laptop import TWO, CommandLaptop, parts_in, tree
from tests.conftest import Rounds
from tests.powercut import EVERY, Outcome, every_prefix, fail_at_every, kill_at_every, say
from tests.trust.school import School

Record = Callable[[str, object], None]
Program = Callable[[Path], None]
Check = Callable[[Path, str], None]
SAMPLE = 8  #: points of each program where time is short, evenly spread; `make soak` takes every one


@cache
def prepared() -> Path:
    """A laptop that heard of a lock, an unlock, a wipe and its cancel, one generation of each: made once."""
    import atexit
    import shutil
    import tempfile

    top = Path(tempfile.mkdtemp(prefix="bookbag-commands-"))
    atexit.register(shutil.rmtree, top)
    school = School(top / "desk")
    school.publish()
    laptop = CommandLaptop(top / "laptop", school)
    heard: dict[str, tuple[str, int]] = {}

    def hear(name: str, *envelopes: bytes) -> None:
        laptop.school.at = laptop.at
        school.mail(laptop.trust, *envelopes)
        school.publish()
        generation = laptop.trust.verify(school.mirror, laptop.at).generation
        heard[name] = (Path(generation).name, laptop.at)

    lock = laptop.order("lock", args={"contact": "office"})
    hear("lock", lock)
    wipe = laptop.order("wipe", *TWO)
    hear("wipe", lock, wipe)
    laptop.later(floors.GRACE + 60)
    hear("due", lock, wipe)
    cancel = laptop.order("cancel", args={"id": order_id(wipe)})
    hear("cancel", lock, wipe, cancel)
    hear("unlock", laptop.order("unlock"), wipe)
    known = {
        "heard": heard,
        "identity": laptop.trust.identity.to_bytes().decode(),
        "returns": school.returns.to_raw().hex(),
    }
    (top / "laptop" / "known.json").write_text(json.dumps(known))
    return top / "laptop"


def order_id(envelope: bytes) -> str:
    from agent.trust.orders import parse_order

    return parse_order(envelope).order.id


class Found:
    """The laptop as it is found in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.known = json.loads((directory / "known.json").read_text())
        self.identity = DeviceIdentity.from_bytes(self.known["identity"].encode())

    @property
    def host(self) -> Host:
        return open_sandbox(str(self.directory / "machine"))

    def run(self, name: str, later: int = 0) -> bool:
        """One run on what it heard then, or so many seconds later; whether all of it went well."""
        generation, at = self.known["heard"][name]
        at += later
        word = load_generation(str(self.directory / "trust" / generation))
        parts = parts_in(self.directory / "state", self.host)
        try:
            machine = Machine(parts, word, self.identity, Now(at, "good", at), erasing=True)
            return machine.run().open == 0 and not machine.trouble
        finally:
            parts.ledger.close()  # type: ignore[attr-defined]

    def answer(self) -> bool:
        """Somebody types the right code, and the laptop goes on as it does then; whether all went well."""
        parts = parts_in(self.directory / "state", self.host)
        try:
            hold = parts.holding.read()
            opened = all(parts.holding.answered(hold).values()) if hold.locked else True
        finally:
            parts.ledger.close()  # type: ignore[attr-defined]
        return self.run("lock") and opened

    def receipts(self) -> list[Receipt]:
        outbox = parts_in(self.directory / "state", self.host).outbox
        key = SealKey.from_raw(bytes.fromhex(self.known["returns"]))
        sent = [(outbox.read(name), name) for name in outbox.names()]  # type: ignore[attr-defined]
        mine = self.identity.sign_key.public
        found = [receipts.verify(receipts.open_return(*one, mine, key), mine) for one in sent]
        found.sort(key=lambda one: one.n)
        assert receipts.check_chain(found) == ""
        finals = [one.order for one in found if one.final]
        assert len(finals) == len(set(finals))
        return found

    def step(self, kind: str) -> str:
        """How far the order of that kind is; "" before it was taken down."""
        parts = parts_in(self.directory / "state", self.host)
        book = parts.book.read(0, (0, ""), self.identity.id)
        known = {one.kind: str(one.step) for one in book.ended}
        known |= {one.kind: str(one.step) for one in book.cases}
        return known.get(kind, "")

    def logged_in(self) -> bool:
        return trying.log_in(str(self.directory / "machine")) == ""

    def erased(self) -> bool:
        return all(trying.open_volume(str(self.directory / "machine"), one) is None for one in PASSPHRASES)


def begin(*before: str) -> Callable[[Path], None]:
    """A directory in which these were obeyed already."""

    def start(directory: Path) -> None:
        for part in ("machine", "trust"):
            copytree(prepared() / part, directory / part)
        (directory / "state").mkdir()
        (directory / "known.json").write_bytes((prepared() / "known.json").read_bytes())
        for name in before:
            Found(directory).run(name)

    return start


# Programs run in processes of their own, which must find what was prepared here.


def lock(directory: Path) -> None:
    if Found(directory).run("lock"):
        say("locked")


def unlock(directory: Path) -> None:
    if Found(directory).run("unlock"):
        say("open")


def unlock_by_code(directory: Path) -> None:
    if Found(directory).answer():
        say("open")


def wipe(directory: Path) -> None:
    if Found(directory).run("due"):
        say("erased")


# What must be true afterwards.


def check_locked(directory: Path, said: str) -> None:
    found = Found(directory)
    if "locked" in said:
        assert not found.logged_in(), "it was acknowledged, and lets people in"
    found.run("lock")
    assert not found.logged_in()
    assert all(layer.closed() for layer in found.host.lock_layers)
    told = [(one.kind, one.state) for one in found.receipts() if one.state != "unconfirmed"]
    assert told == [("lock", "done")]
    found.run("unlock")
    trying.log_out(str(directory / "machine"))
    assert same_as_before(directory)


def same_as_before(directory: Path) -> bool:
    mine, theirs = tree(directory / "machine"), tree(prepared() / "machine")
    # Sessions were ended, and of attributes the sandbox keeps a log.
    own = {".sandbox/attributes.jsonl", ".sandbox/sessions.json"}
    assert {name for name in theirs if mine.get(name) != theirs[name]} <= own
    return True


def check_open(directory: Path, said: str) -> None:
    found = Found(directory)
    if "open" in said:
        assert found.logged_in(), "it was acknowledged, and keeps people out"
    found.run("unlock")
    assert found.logged_in()
    trying.log_out(str(directory / "machine"))
    assert same_as_before(directory)
    states = {(one.kind, one.state) for one in found.receipts()}
    assert {("lock", "done"), ("unlock", "done")} <= states


def check_opened_by_code(directory: Path, said: str) -> None:
    """Open once the code was taken, and told exactly once whenever the cut came."""
    found = Found(directory)
    if "open" in said:
        assert found.logged_in(), "it was acknowledged, and keeps people out"
    found.answer()
    assert found.logged_in()
    trying.log_out(str(directory / "machine"))
    assert same_as_before(directory)
    told = [(one.kind, one.state) for one in found.receipts() if one.final]
    assert told == [("lock", "done"), ("unlock-by-code", "done")]


def check_erased(directory: Path, said: str) -> None:
    """Whatever happened, going on ends in erased; a certificate is never there before the proof."""
    found = Found(directory)
    if "erased" in said:
        assert found.erased()
    certified = [one for one in found.receipts() if one.kind == "wipe" and one.state == "done"]
    assert not certified or found.erased(), "a certificate without an erasure"
    found.run("due")
    once_more(found, "due")
    assert found.erased()
    assert found.step("wipe") == "done"
    states = [one.state for one in found.receipts() if one.kind == "wipe"]
    assert [one for one in states if one != "unconfirmed"] == ["armed", "started", "done"]
    assert states.count("unconfirmed") <= 1


def once_more(found: Found, name: str) -> None:
    """An erasure that could not write to the volume is tried again later, and says so meanwhile."""
    if found.step("wipe") == Step.UNPROVEN:
        assert "unconfirmed" in [one.state for one in found.receipts() if one.kind == "wipe"]
        found.run(name, later=RETRY)


def check_cancelled(directory: Path, said: str) -> None:
    """Called off after the cut: intact if it was not decided yet, erased if it was."""
    found = Found(directory)
    decided = found.step("wipe") not in ("", *map(str, REVOCABLE))
    found.run("cancel")
    found.run("cancel")
    once_more(found, "cancel")
    assert found.erased() == decided
    states = {one.kind: one.state for one in found.receipts() if one.final}
    assert (states["wipe"], states["cancel"]) == (("done", "too-late") if decided else ("cancelled", "done"))


EXPERIMENTS = [
    pytest.param(lock, (), check_locked, id="lock"),
    pytest.param(unlock, ("lock",), check_open, id="unlock"),
    pytest.param(unlock_by_code, ("lock",), check_opened_by_code, id="code", marks=pytest.mark.soak),
    pytest.param(wipe, ("wipe",), check_erased, id="wipe"),
    pytest.param(wipe, ("wipe",), check_cancelled, id="cancel", marks=pytest.mark.soak),
]


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
@pytest.mark.parametrize(("program", "before", "check"), EXPERIMENTS)
def test_a_kill_at_any_write(
    program: Program, before: tuple[str, ...], check: Check, soak_rounds: Rounds, record_property: Record
) -> None:
    most = soak_rounds(sample=SAMPLE, full=EVERY)
    tally = kill_at_every(program, begin(*before), check, most=most)
    record_property("soak", f"SIGKILL in {program.__name__}: {tally}")
    assert tally.points > SAMPLE // 2


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
@pytest.mark.parametrize(("program", "before", "check"), EXPERIMENTS)
def test_a_power_cut_at_any_moment(
    program: Program, before: tuple[str, ...], check: Check, soak_rounds: Rounds, record_property: Record
) -> None:
    most = soak_rounds(sample=SAMPLE, full=EVERY)
    tally = every_prefix(program, begin(*before), check, most=most)
    record_property("soak", f"a power cut in {program.__name__}: {tally}")
    assert tally.states > SAMPLE // 2


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
@pytest.mark.parametrize(("program", "before", "check"), EXPERIMENTS)
def test_a_full_disk_at_any_write(
    program: Program, before: tuple[str, ...], check: Check, soak_rounds: Rounds, record_property: Record
) -> None:
    def told(directory: Path, outcome: Outcome) -> None:
        check(directory, outcome.said)

    calls = ("write", "pwrite64", "rename", "fsync")
    most = soak_rounds(sample=SAMPLE, full=EVERY)
    tally = fail_at_every(program, begin(*before), told, calls=calls, most=most)
    record_property("soak", f"a full disk in {program.__name__}: {tally}")
    assert tally.points > SAMPLE // 2


def test_the_experiments_can_fail(tmp_path: Path) -> None:
    """A machine that decides before it writes the decision down is found out."""
    start = begin("wipe")
    directory = tmp_path / "disk"
    directory.mkdir()
    start(directory)
    found = Found(directory)
    from agent.host.sandbox.volumes import SandboxVolumes

    volumes = found.host.volumes
    assert isinstance(volumes, SandboxVolumes)
    for name in volumes.names():
        volumes.erase_keys(name)
    with pytest.raises(AssertionError):
        check_cancelled(directory, "")
