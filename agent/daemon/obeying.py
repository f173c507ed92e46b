"""What the workers `command` and `erase` do: one run of the command machine, and what everybody on the laptop
may know of it. One at a time; every run may be cut off anywhere.
"""

from __future__ import annotations

from agent.commands import attempts
from agent.commands.holding import Hold
from agent.commands.machine import Machine, Outlook, Parts
from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon import generations, snapshots, wiring
from agent.daemon.lock import Lock
from agent.daemon.worker import Context
from agent.host.base import Host
from agent.trust import unlockcode
from agent.trust.generation import load_generation
from agent.trust.identity import DeviceIdentity

MOST_CODE = 64  #: characters of what somebody types


def run(context: Context, *, erasing: bool) -> int:
    """Do the request's ``op``; returns the exit code."""
    op = context.text("op")
    if op not in ("obey", "unlock"):
        raise BookbagError("bad-request", f"cannot obey: no operation {op[:40]!r}")
    layout = context.layout
    host = wiring.open_host(layout)
    wiring.prepare(layout)
    lock = Lock.take(f"{layout.state}/command.lock", wait=True)
    try:
        return Obeying(context, host, erasing=erasing).run(op)
    finally:
        lock.release()


class Obeying:
    """One run on one laptop."""

    def __init__(self, context: Context, host: Host, *, erasing: bool) -> None:
        self._context = context
        self._layout: Layout = context.layout
        self._host = host
        self._erasing = erasing
        self._parts: Parts = wiring.open_commands(self._layout, host)

    def run(self, op: str) -> int:
        """``obey``: take down and carry out; ``unlock``: open with a code."""
        identity = wiring.identity_of(self._layout)
        machine = self._machine(identity)
        code = exit_codes.IN_SYNC
        outlook = Outlook(0, 0, False, None)
        if op == "unlock":
            code = self._unlock(identity)
        if machine is not None:
            outlook = machine.run()
            for trouble in machine.trouble:
                self._context.error(trouble)
        self._say(machine, outlook)
        return code

    def _machine(self, identity: DeviceIdentity | None) -> Machine | None:
        """None on a laptop that has no verified word yet: nobody ordered it anything."""
        newest = generations.newest(self._layout)
        if identity is None or not newest:
            return None
        now = wiring.open_clock(self._layout, self._host).now()
        word = load_generation(f"{self._layout.generations}/{newest}")
        return Machine(self._parts, word, identity, now, erasing=self._erasing)

    def _unlock(self, identity: DeviceIdentity | None) -> int:
        """Open if the code answers the challenge. The attempt is counted before it is looked at."""
        text = self._context.text("code")[:MOST_CODE]
        hold = self._parts.holding.read()
        clock = self._host.clock
        try:
            if identity is None or not hold.locked:
                raise BookbagError("not-found", "cannot unlock: this laptop is not locked")
            attempts.check_allowed(hold, clock)
            hold = self._parts.holding.write(attempts.counted(hold, clock))
            if not unlockcode.opens(identity.unlock_key, identity.id, hold.challenge, text):
                raise BookbagError("wrong-code", "cannot unlock: this is not the code", remedy=_advice(hold))
        except BookbagError as problem:
            self._context.error(problem)
            return exit_codes.FAILED
        layers = self._parts.holding.answered(hold)  # the machine tells of it, in its run
        return exit_codes.IN_SYNC if all(layers.values()) else exit_codes.FAILED

    # -- what others may know

    def _say(self, machine: Machine | None, outlook: Outlook) -> None:
        at = machine.now.at if machine else 0
        hold = self._hold()
        snapshots.keep(self._context, "lock.json", self._lock_notice(hold, outlook))
        snapshots.keep(self._context, "messages.json", self._message_notice(at))
        snapshots.publish_ledger(self._context, self._parts.ledger)
        self._context.result(
            {
                "locked": hold is None or hold.locked,
                "phase": hold.phase if hold else "unknown",
                "since": hold.since if hold else 0,
                "lost": bool(hold and hold.lost and hold.locked),
                "grade": self._host.facts.lock_grade(),
                "open": outlook.open,
                "next_in_s": max(0, outlook.next_at - at) if outlook.next_at else 0,
                "erase": outlook.erase,
                "erase_at": _erase_at(outlook),
                "outbox": len(self._parts.outbox.names()),
                "arranged": self._arranged(),
                "session": self._session(at),
                "simulated": self._host.simulated,
            }
        )

    def _arranged(self) -> str:
        """Tells what is arranged from what was, and nothing of what."""
        try:
            return self._parts.arranged.read().order
        except BookbagError:
            return ""  # said by whoever enforces it

    def _session(self, at: int) -> str:
        """The order by which a teacher has something on; "": nothing is."""
        session, clock = self._parts.sessions.read(), self._host.clock
        return session.order if session.left(at, clock.boottime(), clock.boot_id()) else ""

    def _hold(self) -> Hold | None:
        try:
            return self._parts.holding.read()
        except BookbagError:
            return None  # was said already, by whoever tried to go on

    def _lock_notice(self, hold: Hold | None, outlook: Outlook) -> dict[str, object]:
        locked = hold is not None and hold.locked
        notice: dict[str, object] = {"v": 1, "locked": hold is None or locked, "erase_at": _erase_at(outlook)}
        if hold is not None and locked:
            notice |= {
                "message": dict(hold.message),
                "contact": hold.contact,
                "challenge": unlockcode.shown(hold.challenge) if hold.challenge else "",
                "grade": self._host.facts.lock_grade(),
                "since": hold.since,
                "order": hold.order,
                "wait_s": attempts.left(hold, self._host.clock),
            }
        return notice

    def _message_notice(self, at: int) -> dict[str, object]:
        return {
            "v": 1,
            "messages": [
                {
                    "id": one.id,
                    "text": dict(one.text),
                    "from": list(one.persons),
                    "at": one.at,
                    "until": one.until,
                }
                for one in self._parts.messages.read(at)
            ],
        }


def _erase_at(outlook: Outlook) -> int:
    """When the laptop will be erased, unix seconds; 0: it will not."""
    armed = outlook.armed
    return (armed.until or armed.since) if armed else 0


def _advice(hold: Hold) -> str:
    if hold.wait_s:
        return f"check it with the school; the next one is looked at in {hold.wait_s} s"
    return "check it with the school, character by character"
