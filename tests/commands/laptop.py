"""A laptop in a folder with everything that commands act on, and a school that orders it about."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent.commands.arranged import Arrangements
from agent.commands.book import Book, BookFile
from agent.commands.holding import Holding
from agent.commands.machine import Machine, Outlook, Parts
from agent.commands.messages import Messages
from agent.commands.replies import Replies
from agent.commands.secrets import Secrets
from agent.commands.sessions import Sessions
from agent.commands.staging import Staged
from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.host.base import Host
from agent.host.sandbox import trying
from agent.host.sandbox.laptop import open_sandbox
from agent.policy import arranging
from agent.store.ledger import SqliteLedger
from agent.store.spool import Spool
from agent.store.undo import UndoJournal
from agent.trust import floors, receipts
from agent.trust.generation import load_generation
from agent.trust.receipts import Receipt
from agent.trust.view import SiteView
from tests.trust.school import START, Laptop, School

TWO = ("ada", "bo")


class CommandLaptop:
    """Hears its school, and obeys. ``at`` is the time on it."""

    def __init__(self, folder: Path, school: School) -> None:
        self.folder = folder
        self.school = school
        self.at = START
        self.quality = "good"
        self.startable: dict[str, int] = {}  #: what its policy lets teachers start
        self.trust = Laptop(folder / "trust", school)
        self.machine_folder = folder / "machine"
        self.machine_folder.mkdir(exist_ok=True)
        open_sandbox(str(self.machine_folder))

    # -- what it is made of

    @property
    def host(self) -> Host:
        return open_sandbox(str(self.machine_folder))

    @property
    def state(self) -> Path:
        path = self.folder / "state"
        path.mkdir(exist_ok=True)
        return path

    def parts(self) -> Parts:
        return parts_in(self.state, self.host, lambda: self.startable)

    def run(self, view: SiteView, *, erasing: bool = False) -> Outlook:
        parts = self.parts()
        now = Now(self.at, self.quality, self.at)  # type: ignore[arg-type]
        word = load_generation(view.generation)
        try:
            return Machine(parts, word, self.trust.identity, now, erasing=erasing).run()
        finally:
            parts.ledger.close()  # type: ignore[attr-defined]

    def hear(self, *, erasing: bool = False) -> Outlook:
        """Take what the school publishes, and obey."""
        try:
            lost = self.parts().holding.read().lost_since
        except BookbagError:  # then there is grace
            lost = 0
        view = self.trust.verify(self.school.mirror, self.at, self.quality, lost_since=lost)
        self.view = view
        return self.run(view, erasing=erasing)

    def obey(self, *envelopes: bytes, erasing: bool = False) -> Outlook:
        """The school files exactly these orders, publishes now, and the laptop hears of it."""
        self.school.at = self.at
        self.school.mail(self.trust, *envelopes)
        self.school.publish()
        return self.hear(erasing=erasing)

    def later(self, seconds: int) -> None:
        """Time passes; the school's word stays fresh."""
        self.at += seconds
        self.school.repository.refresh(self.school.online, at=self.at)

    # -- orders

    def order(self, kind: str, *people: str, **more: object) -> bytes:
        """A command of ``people`` for this laptop, in the public log where its kind belongs there."""
        self.school.at = self.at
        signers = tuple(self.school.people[name].key for name in people or ("ada",))
        if floors.floor(kind).destructive:
            more.setdefault("grace_s", floors.GRACE)
        if life := floors.floor(kind).life:
            more.setdefault("expires", self.at + life)
        envelope = self.school.order(self.trust, kind, signers=signers, **more)
        self.school.log_order(envelope)
        return envelope

    # -- what came of it

    def book(self) -> Book:
        return BookFile(str(self.state / "commands.json")).read(self.at, (0, ""), self.trust.identity.id)

    def receipts(self) -> list[Receipt]:
        """What the desk reads, in order; the chain must hold."""
        outbox = self.parts().outbox
        found = []
        for name in outbox.names():
            sent, key = outbox.read(name), self.trust.identity.sign_key.public  # type: ignore[attr-defined]
            found.append(receipts.verify(receipts.open_return(sent, name, key, self.school.returns), key))
        found.sort(key=lambda one: one.n)
        assert receipts.check_chain(found) == ""
        finals = [one.order for one in found if one.final]
        assert len(finals) == len(set(finals)), "one final receipt per order"
        return found

    def told(self) -> list[tuple[str, str, str]]:
        """(kind, state, code) of each receipt."""
        return [(one.kind, one.state, one.code) for one in self.receipts()]

    def log_in(self) -> str:
        """Try to get in as the student: why not, or ""."""
        return trying.log_in(str(self.machine_folder))

    def diary(self, passphrase: str) -> bytes | None:
        """What is on the encrypted disk, if the passphrase opens it."""
        return trying.open_volume(str(self.machine_folder), passphrase)


def parts_in(state: Path, host: Host, startable: Callable[[], Mapping[str, int]] = dict) -> Parts:
    """The machine's memory in one folder."""
    return Parts(
        host,
        BookFile(str(state / "commands.json")),
        Holding(str(state / "hold.json"), UndoJournal(str(state / "undo")), host.lock_layers),
        Messages(str(state / "messages.json")),
        Replies(str(state / "replies.json")),
        Secrets(str(state / "secrets.json")),
        Arrangements(str(state / "arranged.json")),
        arranging.check,
        Sessions(str(state / "session.json")),
        Staged(str(state / "boot")),
        SqliteLedger(str(state / "ledger" / "ledger.db")),
        Spool(str(state / "outbox")),
        startable,
    )


def tree(folder: Path, *, without: Sequence[str] = ()) -> dict[str, tuple[int, bytes]]:
    """Everything in a folder: mode and bytes by name."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = Path(top, name)
            key = str(path.relative_to(folder))
            if not key.startswith(tuple(without)) or not without:
                data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
                found[key] = (path.lstat().st_mode, data)
    return found
