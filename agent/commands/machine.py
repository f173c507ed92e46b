"""The machine that takes orders down and carries them out, one durable step after the other.

Of each order: taken down (fsync) → its handler's steps, each durable before the next → a signed receipt of
each that the desk should know. One that fails keeps no other from being done. Being cut off anywhere, the
next run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from agent.commands import bycode
from agent.commands.arranged import Arrangements
from agent.commands.book import MOST_CALLED_OFF, Book, BookFile, Ended
from agent.commands.case import REVOCABLE, TOLD, Case, Step
from agent.commands.handler import Handler, World
from agent.commands.holding import OPENING, Holding
from agent.commands.kinds import kinds
from agent.commands.messages import Messages
from agent.commands.replies import Replies
from agent.commands.secrets import Secrets
from agent.commands.sessions import Sessions
from agent.commands.staging import Staged
from agent.commands.telling import Teller, What
from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.core.model import Entry
from agent.core.ports import Ledger, Outbox
from agent.host.base import Host
from agent.trust import floors
from agent.trust.identity import DeviceIdentity
from agent.trust.verified import Verified
from agent.trust.view import Refusal, SiteView

MOST_STEPS = 16  #: of one order in one run: more is a defect
#: Errors that pass: the order stays where it is, and the next run tries again.
PASSING = frozenset(("disk-full", "io-error", "worker-timeout"))


@dataclass(frozen=True, slots=True)
class Parts:
    """What the machine keeps its memory in, and acts through; two of it as `World` tells of them."""

    host: Host
    book: BookFile
    holding: Holding
    messages: Messages
    replies: Replies
    secrets: Secrets
    arranged: Arrangements
    check_arranged: Callable[[Mapping[str, object]], None]
    sessions: Sessions
    staged: Staged
    ledger: Ledger
    outbox: Outbox
    startable: Callable[[], Mapping[str, int]] = dict


@dataclass(frozen=True, slots=True)
class Outlook:
    """How orders stand after a run. ``next_at``: trusted time at which something is due; 0: nothing waits for
    a time. ``erase``: an erasure is due, and this process may not do it."""

    open: int
    next_at: int
    erase: bool
    armed: Case | None


class Machine:
    """One run over the orders of one laptop. ``erasing``: this process may destroy data."""

    def __init__(
        self,
        parts: Parts,
        word: Verified[SiteView],
        identity: DeviceIdentity,
        now: Now,
        *,
        erasing: bool = False,
        known: Mapping[str, Handler] | None = None,
    ) -> None:
        self.parts = parts
        self.word = word
        self.now = now
        self.known = kinds() if known is None else known
        self.trouble: list[
            BookbagError
        ] = []  #: what was damaged, or could not be done, and kept nothing else back
        self._erasing = erasing
        self._teller = Teller(word.value, identity, now, parts.host.clock.boot_id())
        self._device = identity.id
        self._book = parts.book.read(now.at, self._last_receipt(), identity.id)
        if parts.book.trouble is not None:
            self.trouble.append(parts.book.trouble)
        self._world = World(
            parts.host,
            now,
            word,
            identity,
            parts.holding,
            parts.messages,
            parts.replies,
            parts.secrets,
            parts.arranged,
            parts.check_arranged,
            parts.sessions,
            parts.staged,
            erasing,
            lambda: self._book,
            self._call_off,
            parts.startable,
        )

    def run(self) -> Outlook:
        """Take down what is new, and go on with everything that is under way."""
        self._send()
        self._hold_on()
        self._tell_openings()
        self._forget_arranged()
        self._adopt()
        self._take()
        # What is called off in this very word must not be carried out before that is read.
        for case in sorted(self._book.cases, key=lambda case: case.kind != "cancel"):
            self._go_on(case.id)
        self._send()
        return self._outlook()

    def _hold_on(self) -> None:
        """A lock that holds goes on holding, whatever became of its layers since; what was cut off is
        finished."""
        try:
            self.parts.holding.go_on()
        except BookbagError as problem:
            self.trouble.append(problem)

    def _tell_openings(self) -> None:
        """The desk hears of each opening by code, also if the laptop died right after it."""
        try:
            hold = self.parts.holding.read()
        except BookbagError:
            return  # it was said already, by what tried to go on
        for opened in hold.untold:
            what = bycode.receipt(opened, hold, self.parts.holding.restored())
            name = f"{what.order} {what.state}"
            if self._book.knows(what.order) or (not what.final and name in self._book.refused):
                continue
            book, _ = self._teller.tell(self._book, what)
            if what.final:
                over = Ended(what.order, what.kind, Step.DONE, self.now.at)
                self._keep(replace(book, ended=(*book.ended, over)))
            else:
                self._keep(book.with_refusal(name, self.now.at))
        if hold.untold and hold.phase != OPENING:
            self.parts.holding.told()

    def _forget_arranged(self) -> None:
        """What was arranged, and is over, is nobody's business any more."""
        try:
            self.parts.arranged.tidy(self.now.at)
        except BookbagError as problem:
            self.trouble.append(problem)

    # -- taking down

    def _adopt(self) -> None:
        """A wipe that was decided, and whose book is lost, goes on. What lies there instead holds up nothing
        else."""
        try:
            staged = self.parts.staged.read(self._world.identity)
        except BookbagError as problem:
            self.trouble.append(problem)
            return
        if staged is not None and not self._book.knows(staged.id):
            self._keep(self._book.with_case(staged))

    def _take(self) -> None:
        view = self.word.value
        if view.device not in ("", self._device):
            return  # heard before this laptop was enrolled anew, and said to its former self
        for order in view.orders:
            if order.kind in self.known and not self._book.knows(order.id):
                case = Case.of(order, self.now.at)
                self._record(case)
                self._keep(self._book.with_case(case))
        for case in self._book.cases:
            if case.id in view.contested and case.step in REVOCABLE:
                problem = BookbagError(
                    "conflict",
                    f"cannot carry out {case.kind}: another order of the same number contradicts it",
                )
                self._step(case.ended(Step.CONFLICT, self.now.at, problem))
        for refusal in view.refusals:
            if refusal.order:
                self._refuse(refusal)

    def _refuse(self, refusal: Refusal) -> None:
        """Tell the desk, once, of an order that was not taken. It may come again, with more signatures."""
        name = f"{refusal.order} {refusal.code}"
        if name in self._book.refused or self._book.knows(refusal.order):
            return
        if not self._book.may_refuse(self.now.at):
            return  # told tomorrow, if it is still there
        what = What(
            refusal.order,
            refusal.digest,
            refusal.kind,
            "conflict" if refusal.code == "conflict" else "refused",
            refusal.code == "conflict",
            refusal.code,
            refusal.message[:1000],
        )
        book, _ = self._teller.tell(self._book, what)
        self._keep(book.with_refusal(name, self.now.at))

    # -- carrying out

    def _go_on(self, id_: str) -> None:
        for _ in range(MOST_STEPS):
            case = self._book.case(id_)
            if case is None:
                return
            further = self._further(case)
            if further is None:
                return
            self._step(further)
        raise BookbagError("internal", f"cannot go on with order {id_}: it comes to no end")

    def _further(self, case: Case) -> Case | None:
        """The next step; None if there is nothing to do now."""
        handler = self.known.get(case.kind)
        if handler is None:  # taken down by a newer version
            unknown = BookbagError(
                "not-supported", f"cannot carry out {case.kind}: this version does not know it"
            )
            return case.ended(Step.REFUSED, self.now.at, unknown)
        if not case.decided:
            off = self._why_not(case)
            if off is not None:
                return off
        try:
            return handler.advance(case, self._world)
        except BookbagError as problem:
            if problem.code in PASSING or case.decided:
                self.trouble.append(problem)
                return None
            return case.ended(Step.FAILED, self.now.at, problem)

    def _why_not(self, case: Case) -> Case | None:
        """The case, ended, if it is not to be carried out after all."""
        at = self.now.at
        slot = floors.slot(case.kind)
        beside = [one for one in self._book.cases if one.id != case.id and floors.slot(one.kind) == slot]
        if any(one.decided for one in beside):
            problem = BookbagError(
                "already-done", f"cannot carry out {case.kind}: this laptop is being erased already"
            )
            return case.ended(Step.REFUSED, at, problem)
        turn = case.turn
        newer = any(
            (one.turn > turn or (one.turn == turn and (one.kind, case.kind) == ("lock", "unlock")))
            and one.not_before <= max(at, case.not_before)
            for one in beside
        )
        if newer and slot in (floors.HOLD, floors.ERASE):
            problem = BookbagError("replayed", f"cannot carry out {case.kind}: a newer order took its place")
            return case.ended(Step.REFUSED, at, problem)
        if case.step not in REVOCABLE:
            return None
        epoch = self.word.value.epoch
        if case.step is Step.RECEIVED and 0 < case.epoch < epoch:  # as trust says of one that comes now
            problem = BookbagError(
                "wrong-epoch",
                f"cannot obey {case.kind}: it is of epoch {case.epoch}, the site is at {epoch}",
            )
            return case.ended(Step.REFUSED, at, problem)
        if case.id in self._book.called_off:
            problem = BookbagError("cancelled", f"cannot carry out {case.kind}: it was called off")
            return case.ended(Step.CANCELLED, at, problem)
        if case.issued < self._book.lost_at and floors.floor(case.kind).destructive:
            problem = BookbagError(
                "recovering",
                f"cannot carry out {case.kind}: it was ordered before this laptop lost its memory",
            )
            return case.ended(Step.REFUSED, at, problem)
        return None

    def _step(self, case: Case) -> None:
        """Keep a case in its new step, with the receipt that tells of it."""
        before = self._book.case(case.id)
        book = self._book.with_case(case, {one.id for one in self.word.value.orders})
        told = TOLD.get(case.step)
        again = before is not None and before.step is case.step
        if told is not None and not again:
            # What was told before the memory was lost may have been final: nothing is said to be that twice.
            # A decided wipe was not: it is known until its end is told.
            forgotten = 0 < book.lost_at >= case.issued and not (before is not None and before.decided)
            final = case.final and not forgotten
            what = What(case.id, case.digest, case.kind, told, final, case.code, case.message, case.evidence)
            book, _ = self._teller.tell(book, what)
        self._record(case, book.receipts, book.head)
        self._keep(book)

    def _call_off(self, id_: str) -> Case | None:
        """Remember that ``id_`` is called off; the case as it was, None if it never arrived or is over."""
        found = self._book.case(id_)
        if id_ not in self._book.called_off:
            self._keep(replace(self._book, called_off=(*self._book.called_off, id_)[-MOST_CALLED_OFF:]))
        if found is not None and found.step in REVOCABLE:
            self._go_on(id_)
        return found

    # -- memory

    def _keep(self, book: Book) -> None:
        self._book = self.parts.book.write(book)

    def _record(self, case: Case, receipts: int = 0, head: str = "") -> None:
        detail: dict[str, object] = {"persons": list(case.persons), "seq": case.seq}
        if receipts:
            detail |= {"receipt": receipts, "hash": head, "device": self._device}
        self.parts.ledger.append(
            Entry(
                "command",
                f"{case.kind} {case.id}",
                str(case.step),
                case.code,
                case.message,
                self.now.at,
                detail,
            )
        )

    def _last_receipt(self) -> tuple[int, str]:
        """Number and hash of the newest receipt of this device that the ledger knows: where the chain goes on
        if the book is lost."""
        for entry in self.parts.ledger.entries(newest=500):
            n, head = entry.detail.get("receipt"), entry.detail.get("hash")
            mine = entry.kind == "command" and entry.detail.get("device") == self._device
            if mine and isinstance(n, int) and isinstance(head, str):
                return n, head
        return Book().receipts, Book().head

    def _send(self) -> None:
        book = self._teller.send(self._book, self.parts.outbox)
        if book is not self._book:
            self._keep(book)

    def _outlook(self) -> Outlook:
        cases = self._book.cases
        waiting = [at for case in cases for at in (case.until, case.not_before) if at > self.now.at]
        armed = next((case for case in cases if floors.floor(case.kind).destructive), None)
        good = self.now.quality == "good"
        signed = self.word.value.signed_at
        due = armed is not None and (
            (armed.step not in REVOCABLE and armed.until <= self.now.at)
            or (armed.step is Step.ARMED and good and max(armed.until, 1) <= min(self.now.at, signed))
        )
        return Outlook(len(cases), min(waiting, default=0), due and not self._erasing, armed)
