"""The evil mirror as a state machine: honest persons publish, somebody with the real online keys serves what
they like, the laptop dies and forgets, clocks run wild. `judge` holds after every step; and honesty always
wins in one refresh.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agent.core.clock import Reading
from agent.core.errors import BookbagError
from agent.trust import contentroles, device, dsse, mailbox, orders, roles, wanted
from agent.trust.commandlog import CommandLog
from agent.trust.sealing import seal
from tests.conftest import Rounds
from tests.trust.evil.bench import Bench
from tests.trust.evil.conftest import make_folder
from tests.trust.evil.desk import DAY, START, Desk, Files, Register, identity, seal_key
from tests.trust.evil.forge import Forge, Json, instant, signed_with
from tests.trust.evil.judge import Judge
from tests.trust.evil.laptop import Laptop, Outcome, dying
from tests.trust.offers import catalogue, offer

PICK = st.integers(0, 1 << 16)
#: What follows on a step: the laptop looks at a mirror written by a worker that was taken over, or fetched
#: by its own; or later.
LOOK = st.sampled_from(["taken over", "taken over", "own", "later"])
COMMAND = st.sampled_from(["lock", "unlock", "wipe", "message", "cancel"])
HOUR = 3600
_PAGE = b"<html><body>Please sign in</body></html>"
_FAR = {"1970": 0, "2099": 4_070_908_800, "a year ahead": START + 400 * DAY}


class Host:
    """A `Source` that serves a set of files."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def open(self, path: str, max_bytes: int) -> Iterator[bytes]:
        if path not in self.files:
            raise BookbagError("not-found", f"cannot find {path}")
        return iter([self.files[path]])


@cache
def first_schools() -> tuple[Path, Register, Desk, Desk]:
    """North and South with some history, made once; every machine gets its own copy."""
    folder = make_folder()
    atexit.register(shutil.rmtree, folder)
    register = Register()
    north, south = (Desk(folder / site, register, site=site) for site in ("north", "south"))
    for desk in (north, south):
        for number in range(3):
            desk.policy(START, home=f"home: {desk.site} {number}\n")
            desk.policy(START, role="year", by=("eve",), lessons=f"lessons: {number}\n")
            desk.policy(START, power=True, service=f"service: {desk.site} {number}\n")
            desk.content(START, offer(f"{desk.site}-{number}"))
            if number:
                desk.renew(START, "targets")
            desk.publish(START)
    for number in range(30):  # nothing of South is refused only for being older
        south.policy(START, home=f"home: south again {number}\n")
        south.publish(START)
    del south.history[:-1]
    return folder, register, north, south


def beginning(folder: Path) -> tuple[Register, Desk, Desk]:
    """A copy of the first schools in a folder."""
    source, register, north, south = first_schools()
    mine = register.copy()
    for site in ("north", "south"):
        shutil.copytree(source / site, folder / site)
    return mine, north.copy_to(folder / "north", mine), south.copy_to(folder / "south", mine)


class EvilMirror(RuleBasedStateMachine):
    """``offer`` is what the mirror serves; ``time`` is the true time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = make_folder()
        self.time = START
        self.register, self.north, self.south = beginning(self.folder)
        self.laptop = Laptop(
            self.folder / "laptop", identity("a"), self.north.history[0]["metadata/1.root.json"]
        )
        self.judge = Judge(self.laptop, self.register)
        self.offer: Files = dict(self.north.history[0])
        self.count = 0
        self.boots = 0
        self.booted = START
        self.wall: int | None = None  #: what a wrong clock says; None: the true time
        self.synchronised = False
        self.envelopes: list[bytes] = []
        self.boxes: list[bytes] = [
            seal(mailbox.make_mailbox(()), seal_key("laptop b").public),
            seal(mailbox.make_mailbox(()), seal_key("laptop a").public, purpose="return"),
        ]
        self.abused = False  #: the present online keys have signed what the desk did not
        self.dead = False
        self._order(identity("b"))
        self._order(identity("a"), desk=self.south)
        self.honest_offer()
        self.look("own")

    def teardown(self) -> None:
        try:
            if not self.dead:
                self.heal(0)
        finally:
            shutil.rmtree(self.folder)

    # -- honest persons

    def _text(self) -> str:
        self.count += 1
        return f"n: {self.count}\n"

    def _publish(self) -> None:
        self.north.publish(self.time)

    @rule(what=st.sampled_from(["policy", "power", "year", "content", "withdraw"]), look=LOOK)
    def decide(self, what: str, look: str) -> None:
        if what == "policy":
            self.north.policy(self.time, home=self._text(), more=self._text())
        elif what == "power":
            self.north.policy(self.time, power=True, service=self._text())
        elif what == "year":
            by = ("ben",) if self.north.fired else ("eve",)
            self.north.policy(self.time, role="year", by=by, lessons=self._text())
        elif what == "content":
            self.count += 1
            self.north.content(self.time, offer(f"item-{self.count}"))
        else:
            self.north.policy(self.time)
        self._publish()
        self.honest_offer()
        self.look(look)

    def _order(self, device: Any, *, desk: Desk | None = None, **changes: Any) -> bytes:
        desk = desk or self.north
        envelope = desk.order(device, self.time, **changes)
        self.envelopes.append(envelope)
        self.boxes.append(seal(mailbox.make_mailbox((envelope,)), device.seal_key.public))
        return envelope

    @rule(hours=st.sampled_from([0, 0, 0, 12, 24 * 6]), filed=st.booleans(), look=LOOK)
    def assign(self, hours: int, filed: bool, look: str) -> None:
        """An order for this laptop, perhaps for a time to come, perhaps never filed."""
        envelope = self._order(self.laptop.identity, not_before=self.time + hours * HOUR)
        if filed:
            self.north.file(self.laptop.identity, envelope)
            self._publish()
            self.honest_offer()
            self.look(look)

    @rule(
        kind=st.sampled_from(["lock", "unlock", "wipe", "message", "cancel"]), filed=st.booleans(), look=LOOK
    )
    def command(self, kind: str, filed: bool, look: str) -> None:
        """A command for this laptop, in the public log and perhaps never filed."""
        changes: dict[str, Any] = {"args": {"id": "0" * 32}} if kind == "cancel" else {}
        envelope = self._order(self.laptop.identity, kind=kind, **changes)
        if filed:
            self.north.file(self.laptop.identity, envelope)
            self._publish()
            self.honest_offer()
            self.look(look)

    @precondition(lambda self: not self.north.fired)
    @rule(look=LOOK)
    def fire(self, look: str) -> None:
        self.north.fire("eve", self.time)
        self._publish()
        self.look(look)

    @rule(previous=st.booleans(), look=LOOK)
    def rotate(self, previous: bool, look: str) -> None:
        """New online keys, which are stolen at once."""
        self.north.rotate_online(self.time, previous=previous)
        self._publish()
        self.abused = False
        self.look(look)

    @rule(look=LOOK)
    def renew_root(self, look: str) -> None:
        self.north.renew(self.time, "root")
        self._publish()
        self.look(look)

    @rule(hours=st.sampled_from([1, 24, 24 * 4, 24 * 20]), look=LOOK)
    def wait(self, hours: int, look: str) -> None:
        self.time += hours * HOUR
        self.north.refresh(self.time)
        self.south.refresh(self.time)
        self.look(look)

    # -- what the mirror serves

    @rule()
    def honest_offer(self) -> None:
        self.offer = dict(self.north.history[-1])

    @rule(which=PICK, south=st.booleans(), look=LOOK)
    def replay(self, which: int, south: bool, look: str) -> None:
        history = (self.south if south else self.north).history
        self.offer = {**self.offer, **history[which % len(history)]}
        self.look(look)

    @rule(which=PICK, seed=PICK, south=st.booleans(), look=LOOK)
    def mix(self, which: int, seed: int, south: bool, look: str) -> None:
        """Some files are of another time or site."""
        history = (self.south if south else self.north).history
        other = history[which % len(history)]
        for number, name in enumerate(sorted(other)):
            if (seed >> (number % 16)) & 1:
                self.offer[name] = other[name]
        self.look(look)

    @rule(
        which=PICK,
        how=st.sampled_from(["delete", "zero", "cut", "grow", "page", "swap", "flip"]),
        other=PICK,
        look=LOOK,
    )
    def spoil(self, which: int, how: str, other: int, look: str) -> None:
        names = sorted(self.offer)
        name = names[which % len(names)]
        data = self.offer[name]
        made: dict[str, Callable[[], bytes]] = {
            "zero": lambda: bytes(len(data)),
            "cut": lambda: data[: other % (len(data) + 1)],
            "grow": lambda: data + b" " * (other * 20),
            "page": lambda: _PAGE,
            "swap": lambda: self.offer[names[other % len(names)]],
            "flip": lambda: _flipped(data, other),
        }
        if how == "delete":
            del self.offer[name]
        else:
            self.offer[name] = made[how]()
        self.look(look)

    def _forge(self) -> Forge:
        self.abused = True
        return Forge({**self.north.history[-1]}, self.north.online, self.register)

    def _finish(self, forge: Forge, version: int = 0, **more: Any) -> None:
        """Sign anew, with version numbers at least as high as anybody's so far."""
        marks = self.laptop.marks()
        forge.stamp["version"] = max(forge.stamp["version"], marks.get("timestamp", 0)) + version
        forge.snapshot["version"] = max(forge.snapshot["version"], marks.get("snapshot", 0))
        self.offer = forge.finish(**{"at": self.time, **more})

    @rule(
        versions=st.lists(PICK, min_size=3, max_size=8), ahead=st.sampled_from([0, 1, 5, 1 << 20]), look=LOOK
    )
    def stamp_any_versions(self, versions: list[int], ahead: int, look: str) -> None:
        """Any version that there ever was of each role, in a new snapshot."""
        forge = self._forge()
        for number, role in enumerate(sorted(forge.meta)):
            newest = forge.meta[role]["version"]
            forge.meta[role] = {"version": 1 + versions[number % len(versions)] % newest}
        self._finish(forge, ahead)
        self.look(look)

    @rule(seed=PICK, look=LOOK)
    def stamp_without_some(self, seed: int, look: str) -> None:
        forge = self._forge()
        for number, role in enumerate(sorted(forge.meta)):
            if (seed >> number) & 1:
                forge.drop(role.removesuffix(".json"))
        self._finish(forge)
        self.look(look)

    @rule(signed=st.integers(-400, 400), lasting=st.integers(-10, 1000), fresh=st.booleans(), look=LOOK)
    def stamp_any_time(self, signed: int, lasting: int, fresh: bool, look: str) -> None:
        """Signed whenever, expiring whenever."""
        forge = self._forge()
        told, ends = self.time + signed * DAY, self.time + signed * DAY + lasting * DAY

        def stamp(it: Json) -> None:
            it.update(signed_at=told, expires=instant(ends))

        self._finish(forge, stamp=stamp, snapshot=stamp if fresh else None)
        self.look(look)

    @rule(
        role=st.sampled_from(["timestamp", "snapshot", "mail", "mail-0", "mail-1"]),
        edit=st.sampled_from(
            [
                {"site": "south"},
                {"site": None},
                {"signed_at": "now"},
                {"version": True},
                {"version": -1},
                {"version": 1 << 70},
                {"spec_version": "9.0"},
                {"_type": "root"},
                {"expires": "never"},
                {"expires": "9999-12-31T23:59:59Z"},
                {"meta": {}},
                {"meta": {"snapshot.json": {"version": 0}}},
                {"meta": {"targets.json": {"version": 1, "length": 1, "hashes": {"md5": "00"}}}},
                {"targets": {"mail/../x": {"length": 1, "hashes": {"sha256": "00"}}}},
                {"targets": []},
                {"delegations": {"keys": {}, "roles": []}},
                {"delegations": 7},
                {"signed_at": 1 << 60},
            ]
        ),
    )
    def stamp_nonsense(self, role: str, edit: Json) -> None:
        """Well signed, ill formed."""
        forge = self._forge()
        if role.startswith("mail"):
            signed = forge.role(role)
            signed["version"] += 1
            signed.update(edit)
            number = forge.meta[f"{role}.json"]["version"] + 1
            mail = self.north.online.mail
            forge.files[f"metadata/{number}.{role}.json"] = signed_with(signed, {mail.public.keyid: mail})
            forge.meta[f"{role}.json"] = {"version": number}
            self._finish(forge)
        else:
            self._finish(
                forge,
                stamp=lambda it: it.update(edit) if role == "timestamp" else None,
                snapshot=lambda it: it.update(edit) if role == "snapshot" else None,
            )
        self.look("taken over")

    @rule(box=PICK, ahead=st.sampled_from([0, 0, 7, 1 << 20]), look=LOOK)
    def file_any_box(self, box: int, ahead: int, look: str) -> None:
        """Anybody's sealed mailbox in the laptop's place."""
        forge = self._forge()
        forge.file_mail(self.laptop.mailbox, self.boxes[box % len(self.boxes)])
        role = forge.bin_of(self.laptop.mailbox)
        signed = forge.role(role)
        signed["version"] = max(signed["version"], self.laptop.marks().get(role, 0) + 1) + ahead
        forge.put_online(role, signed)
        self._finish(forge)
        self.look(look)

    @rule(which=st.lists(PICK, min_size=1, max_size=5), stolen=st.booleans(), look=LOOK)
    def file_any_orders(self, which: list[int], stolen: bool, look: str) -> None:
        """Orders of any time, device and site, sealed to this laptop; some by the thief's own two keys."""
        forge = self._forge()
        chosen = [self.envelopes[one % len(self.envelopes)] for one in which]
        if stolen:
            chosen.append(
                self.north.order(self.laptop.identity, self.time, kind="readmit", by=("mal", "mal-2"))
            )
            chosen.append(self.north.order(self.laptop.identity, self.time, by=("mal",)))
            two = ("mal", "mal-2")
            chosen.append(
                self.north.order(self.laptop.identity, self.time, kind="wipe", by=two, logged=False)
            )
        box = seal(mailbox.make_mailbox(chosen), self.laptop.identity.seal_key.public)
        if stolen:  # a log of the thief's own, which names all of it
            log = CommandLog()
            for one in chosen:
                log = log.extended(hashlib.sha256(dsse.parse(one).payload).hexdigest(), "erase", self.time)
            forge.file_log(log)
        forge.file_mail(self.laptop.mailbox, box)
        for role in {forge.bin_of(self.laptop.mailbox), *(forge.bin_of(f"log-{n}.json") for n in range(2))}:
            signed = forge.role(role)
            signed["version"] = max(signed["version"], self.laptop.marks().get(role, 0) + 1)
            forge.put_online(role, signed)
        self._finish(forge)
        self.look(look)

    @rule(
        role=st.sampled_from(["power-ict", "policy-year", "content-media", "targets", "root"]),
        ahead=st.integers(1, 3),
    )
    def sign_with_stolen_keys(self, role: str, ahead: int) -> None:
        """Mal's two keys, and Eve's once she was fired, sign what takes more or others."""
        forge = self._forge()
        if role == "root":
            root = forge.root(self.north.versions()["root"])
            root["version"] += 1
            root["roles"]["root"]["threshold"] = 1
            forge.put_root(root, ("mal",))
        elif role == "targets":
            forge.edit("targets", ("mal", "mal-2"), lambda it: it.update(version=it["version"] + ahead))
        else:
            kind, _, name = role.partition("-")
            if role in ("policy-year", "content-media") and not self.north.fired:
                return
            signed = forge.role(role)
            signed["version"] += ahead
            signed["signed_at"] = self.time
            signed["expires"] = instant(self.time + 100 * DAY)
            if kind == "content":
                signed["targets"] = {}
                data = catalogue("north", name, offer("evil"))
                forge.target(signed, f"content/{name}/catalogue.json", data)
            else:
                forge.documents(signed, kind, name, {"evil.yaml": self._text().encode()})
            forge.put(role, signed, ("mal", "mal-2") if kind == "power" else ("eve",))
        self._finish(forge)
        self.look("taken over")

    @rule(look=LOOK)
    def put_catalogue_back(self, look: str = "taken over") -> None:
        """An older catalogue in a new snapshot, once the laptop has seen a newer one."""
        forge = self._forge()
        forge.use("content-media", 1)
        self._finish(forge)
        self.look(look)

    # -- what befalls the laptop

    def _reading(self) -> Reading:
        wall = self.time if self.wall is None else self.wall
        return Reading(wall, max(0, self.time - self.booted), f"boot {self.boots}", self.synchronised)

    def look(self, how: str, dies: int | None = None) -> None:
        """The laptop looks at the mirror. ``dies``: at that change to its disk."""
        if how == "later":
            return
        if how == "own":
            self._fetch()
        else:
            self.laptop.serve(self.offer)
        self.judge.refreshed(self.laptop.refresh(self._reading(), dies=dies))

    @rule(dies=st.one_of(st.none(), st.integers(0, 150)), look=LOOK)
    def refresh(self, dies: int | None, look: str) -> None:
        self.look(look, dies)

    def _fetch(self) -> None:
        with suppress(BookbagError):  # whatever it says: root judges for itself
            wanted.refresh(
                Host(self.offer),
                self.laptop.mirror,
                bootstrap_root=self.laptop.root,
                site="north",
                mailbox=self.laptop.mailbox,
                at=self.laptop.clock.read(self._reading()).floor,
            )

    @rule(clock=st.sampled_from([None, *_FAR]), synchronised=st.booleans())
    def set_clock(self, clock: str | None, synchronised: bool) -> None:
        self.wall = _FAR[clock] if clock else None
        # Before the first refresh nothing bounds a lying NTP (reported); after it, the expiry of
        # root and targets does.
        self.synchronised = synchronised and self.laptop.enrolled

    @rule()
    def reboot(self) -> None:
        self.boots += 1
        self.booted = self.time

    @precondition(lambda self: self.laptop.enrolled)
    @rule(
        how=st.sampled_from(["delete", "zero", "truncate", "nulls"]),
        copies=st.integers(1, 2),
        more=st.booleans(),
    )
    def forget(self, how: str, copies: int, more: bool) -> None:
        """The ledger is spoilt: one copy (nothing lost), or both; the generations may be gone as well, also
        those that were left when the ledger went, before the laptop could learn from them.
        """
        self.laptop.lose_ledger(how, copies=copies)
        if more:
            self.laptop.lose_generations()
        if not self.laptop.has_ledger():
            self.judge.forget(self.laptop.clock.read(self._reading()).at, generations=more)
        elif more:
            self.judge.lost_generations()

    # -- honesty wins

    @rule(late=st.sampled_from([0, 1, 10]))
    def heal(self, late: int) -> None:
        """Clock set, keys replaced if they were abused, the laptop readmitted if it must be: one refresh, all
        is new.
        """
        self.wall, self.synchronised = None, False
        self.time += 60 + late * DAY
        self._let_time_catch_up()
        north, laptop = self.north, self.laptop
        was_recovering = self.judge.lost_at
        if was_recovering:  # the laptop notices at its next look
            laptop.refresh(self._reading())
            self.time += 60
        if self.abused:
            north.rotate_online(self.time)
            self.abused = False
        self._renew_what_is_near_its_end(bool(was_recovering))
        north.publish(self.time)
        envelopes = [self._order(laptop.identity)]
        if was_recovering:
            versions = north.versions()
            marks = {"root": versions["root"], "targets": versions["targets"], "epoch": north.epoch}
            marks["seq.assign"] = north.seqs[laptop.identity.id, "assign"] - 1
            envelopes.append(self._order(laptop.identity, kind="readmit", args={"marks": marks}))
        north.file(laptop.identity, *envelopes)
        north.publish(self.time)
        self.honest_offer()
        self._fetch()
        outcome = laptop.refresh(self._reading())
        self.judge.refreshed(outcome)
        view = outcome.view
        assert view is not None, f"honest, and refused: {outcome.error}"
        assert not view.refusals, view.refusals
        assert not view.recovering_since
        there: dict[tuple[str, str], dict[str, bytes]] = {}
        for one in view.documents:
            there.setdefault(("power" if one.power else "policy", one.role), {})[one.name] = one.data
        for offered in view.catalogues:
            there["content", offered.role] = {"catalogue.json": offered.catalogue.to_bytes()}
        assert there == {name: documents for name, documents in north.newest.items() if documents}
        assert view.assignment is not None
        assert view.assignment.class_ == f"class-{north.seqs[laptop.identity.id, 'assign']}"

    def _let_time_catch_up(self) -> None:
        """What stolen online keys told falls with them. Where a clock or NTP was wrong within what is
        tolerated, and where the ledger was lost while that lie was believed, the laptop lies switched off
        until the true time is later.
        """
        self.reboot()
        now = self.laptop.clock.read(self._reading())
        ahead = now.floor if self.abused and not self.judge.lost_at else max(now.at, self.judge.lost_at)
        if ahead > self.time:
            self.time = ahead + 60
            self.reboot()

    def _renew_what_is_near_its_end(self, recovering: bool) -> None:
        north = self.north
        ends = north.repository.expiries()
        for role in ("root", "targets", *(f"{kind}-{role}" for kind, role in north.newest)):
            staged = {one.role for one in north.repository.pending()}
            if role not in staged and (
                ends[role] < self.time + 30 * DAY or (recovering and role == "targets")
            ):
                north.renew(self.time, role)

    @invariant()
    def what_holds_is_what_was_accepted(self) -> None:
        assert self.laptop.view() == self.judge.last


def _flipped(data: bytes, at: int) -> bytes:
    made = bytearray(data or b"x")
    made[at % len(made)] ^= 1 << (at % 8)
    return bytes(made)


@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_no_evil_mirror_leads_a_laptop_astray(
    soak_rounds: Rounds, record_property: Callable[[str, object], None]
) -> None:
    lives = soak_rounds(sample=25, full=2_000)
    run_state_machine_as_test(
        EvilMirror,
        settings=settings(
            max_examples=lives,
            stateful_step_count=25,
            deadline=None,
            # Shrinking what takes 25 steps of files and signatures takes many minutes; the
            # steps are readable as they are.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
    record_property("soak", f"an evil mirror: {lives} lives of up to 25 steps")


def test_a_ledger_lost_after_its_generations_taught_nothing_that_is_left() -> None:
    """A life that was judged wrongly: what the laptop once took, nothing on it knows any more."""
    state = EvilMirror()
    try:
        state.file_any_orders([36, 329], True, "own")
        state.assign(0, True, "later")
        state.forget("nulls", 1, True)
        state.forget("delete", 2, False)
        assert state.judge.versions == {}
        state.assign(12, False, "taken over")
        state.stamp_any_versions([7681, 26712, 1080, 3524, 5431, 54644, 6970], 1, "own")
        state.what_holds_is_what_was_accepted()
    finally:
        shutil.rmtree(state.folder)


def test_a_message_that_has_expired_does_not_come_back_once_it_was_forgotten() -> None:
    """A life in which it did: whoever holds the online keys filed it again, ten days later."""
    state = EvilMirror()
    try:
        state.command("message", True, "own")
        message = len(state.envelopes) - 1
        assert state.judge.obeyed["message"], "the control: in its time it is taken"
        state.heal(10)
        state.file_any_orders([message], False, "own")
        assert state.judge.last is not None
        assert not [one for one in state.judge.last.orders if one.kind == "message"]
    finally:
        shutil.rmtree(state.folder)


@pytest.mark.parametrize(
    ("module", "step", "play"),
    [
        (roles, "check_persons", lambda it: it.sign_with_stolen_keys("power-ict", 1)),
        (contentroles, "check_version", lambda it: it.put_catalogue_back()),
        (orders, "check_signatures", lambda it: it.file_any_orders([0], True, "taken over")),
        (orders, "check_window", lambda it: it.assign(12, True, "own")),
        (
            device,
            "compare_high_water",
            lambda it: (it.decide("policy", "own"), it.replay(2, False, "taken over")),
        ),
        (device, "check_time", lambda it: it.stamp_any_time(10, 1, False, "taken over")),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",
)
def test_the_judge_notices(
    module: Any, step: str, play: Callable[[EvilMirror], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine can fail: with a step left out, the matching wrong-doing is seen; with it, it comes to
    nothing."""
    for left_out in (False, True):
        machine = EvilMirror()
        try:
            if left_out:
                steps = tuple(one for one in module.STEPS if one.__name__ != step)
                assert len(steps) == len(module.STEPS) - 1
                monkeypatch.setattr(module, "STEPS", steps)
                with pytest.raises(AssertionError):
                    play(machine)
            else:
                play(machine)
        finally:
            shutil.rmtree(machine.folder)


def test_time_told_by_stolen_keys_falls_with_them(folder: Path) -> None:
    """A thief's timestamp from months ahead keeps honest ones out; new keys by two persons end that."""
    bench = Bench(folder)
    bench.settle()
    ahead = bench.at + 100 * DAY
    forge = bench.forge()

    def lie(it: Json) -> None:
        it.update(signed_at=ahead, expires=instant(ahead + DAY))

    assert bench.refresh(forge.finish(stamp=lie, snapshot=lie)).view is not None
    bench.at += 60
    assert bench.refresh(bench.north.refresh(bench.at)).code in ("expired", "rollback")
    bench.north.rotate_online(bench.at)
    assert bench.settle(bench.north.publish(bench.at)).signed_at == bench.at


@pytest.mark.slow
def test_killed_at_every_write(folder: Path) -> None:
    """A real process, really killed at each of its changes to the disk: no older word is believed than what
    the laptop had committed to, and an honest mirror makes all well.
    """
    bench = Bench(folder)
    laptop = bench.laptop
    judge = Judge(laptop, bench.register)
    judge.refreshed(bench.refresh(bench.files))
    codes: list[str] = []
    for number in range(1000):
        bench.at += 60
        bench.north.policy(bench.at, home=f"home: {number}\n")
        bench.north.file(laptop.identity, bench.order())
        files = bench.north.publish(bench.at)
        laptop.serve(files)
        killed = _killed_at(number, bench.refresh)
        if (view := laptop.view()) != judge.last:  # it had come as far as making the new view hold
            judge.refreshed(Outcome(view, None, laptop.clock.read(bench.reading())))
        old = bench.refresh(bench.north.history[-2])
        judge.refreshed(old)
        codes.append(old.code)
        judge.refreshed(bench.refresh(files))
        assert bench.holds("policy/ict/home.yaml", f"home: {number}\n")
        assert bench.view is not None
        assert bench.view.assignment is not None
        assert bench.view.assignment.seq == bench.north.seqs[laptop.identity.id, "assign"]
        if not killed:
            break
    assert len(codes) > 30
    assert codes == sorted(codes), "forgot what it had committed to"
    assert set(codes) == {"", "rollback"}


def _killed_at(number: int, run: Callable[[], object]) -> bool:
    """Whether a child process that runs ``run`` came to its ``number``-th change, and died there."""
    child = os.fork()
    if child == 0:
        try:
            with dying(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                run()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
