"""The high-water ledger: the newest signed things this laptop has accepted, fsynced before anything is done
on their strength.

Metadata alone does not remember (its cache may be zeroed, lost or restored from an old disk image). Marks
of online roles belong to their keys: when the offline root replaces those, marks that a thief of the old
ones ran up are void (fast-forward recovery). Offline-signed marks are never reset. A lost or damaged ledger
on an enrolled laptop means *recovering*: nothing issued before that moment counts, until two persons
readmit the laptop.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.errors import BookbagError
from agent.core.ports import HighWater

#: Roles whose keys are online, and whose marks are therefore bound to those keys.
ONLINE = ("timestamp", "snapshot", "mail")
_RECOVERING = "recovering"
_LOST = "lost"
_DEVICE = "device"
_SEQ = "seq."
#: Marks and notes about which order holds its slot: each order is of one epoch.
_OF_EPOCH = (_SEQ, "order.", "kind.")
#: The same, and which orders were seen: each order is to one device.
_OF_DEVICE = (*_OF_EPOCH, "seen.")


class Marks:
    """A working copy of the ledger. Nothing counts until `commit` returned."""

    def __init__(self, store: HighWater, marks: Mapping[str, int], notes: Mapping[str, str]) -> None:
        self._store = store
        self._marks = dict(marks)
        self._notes = dict(notes)
        self._saved = (dict(marks), dict(notes))
        self._numbers: dict[str, int] = {}
        self.count_from_here()

    @classmethod
    def open(cls, store: HighWater, *, expected: bool, at: int) -> Marks:
        """The ledger as it is. ``expected``: this laptop has accepted something before, so there must be one.

        Without a readable one the laptop starts recovering as of ``at`` (trusted unix seconds), durably.
        """
        try:
            found = store.read()
        except BookbagError as error:
            if error.code != "state-corrupt":
                raise
            found, expected = None, True
        if found is not None:
            return cls(store, *found)
        marks = cls(store, {}, {})
        if expected:
            marks.set_note(_RECOVERING, str(at))
            marks.set_note(_LOST, str(at))
            marks.commit()
        return marks

    @property
    def recovering_since(self) -> int:
        """Unix seconds of when the loss was noticed; 0: not recovering."""
        return self._time(_RECOVERING)

    @property
    def lost_at(self) -> int:
        """Unix seconds of the last loss, for ever: which orders were obeyed before it, nobody remembers. 0:
        none."""
        return max(self._time(_LOST), self._time(_RECOVERING))

    def _time(self, note: str) -> int:
        text = self._notes.get(note, "")
        return int(text) if text.isdecimal() else 0

    def seed(self, versions: Mapping[str, int], epoch: int) -> None:
        """What a readable last good generation still says, after the ledger was lost: offline-signed marks
        only."""
        known = {f"role.{name}" if "-" in name else name: version for name, version in versions.items()}
        for name, version in {**known, "epoch": epoch}.items():
            if name not in ONLINE:
                self._marks[name] = max(version, self.get(name))

    def readmitted(self) -> None:
        """Two persons let the laptop back in."""
        self._notes.pop(_RECOVERING, None)

    def get(self, name: str) -> int:
        """The mark of ``name``; 0 if there is none."""
        return self._marks.get(name, 0)

    def note(self, name: str) -> str:
        """The note of ``name``; "" if there is none."""
        return self._notes.get(name, "")

    def set_note(self, name: str, text: str) -> None:
        """Remember ``text``."""
        self._notes[name] = text

    def names(self) -> tuple[str, ...]:
        """All marks there are, sorted."""
        return tuple(sorted(self._marks))

    def bind(self, role: str, keys: str) -> bool:
        """Say which keys ``role`` has now. If they are others than before, its marks are void. True if so."""
        if self._notes.get(f"keys.{role}", keys) == keys:
            self._notes[f"keys.{role}"] = keys
            return False
        self._notes[f"keys.{role}"] = keys
        for name in (role, *(name for name in self._marks if name.startswith(f"{role}-"))):
            self._marks.pop(name, None)
        return True

    def bind_device(self, device: str) -> None:
        """Say who this laptop is now. Enrolled anew it is another device: what was noted of orders to the
        former one is void, for none of those is obeyed any more, and the desk counts from one again.
        """
        if self._notes.get(_DEVICE, device) != device:
            self._void(_OF_DEVICE)
        self._notes[_DEVICE] = device

    def enter_epoch(self, epoch: int) -> None:
        """Say in which epoch the site is. Raises ``rollback`` for one that is over.

        In a later one no order of the former is obeyed any more, whatever its number: those numbers are void,
        also where a stolen key ran them up, and the desk counts from one again. Which ids were seen stays.
        """
        if epoch > self.get("epoch"):
            self._void(_OF_EPOCH)
        self.advance("epoch", epoch)

    def _void(self, prefixes: tuple[str, ...]) -> None:
        self._marks = {key: one for key, one in self._marks.items() if not key.startswith(prefixes)}
        self._notes = {key: one for key, one in self._notes.items() if not key.startswith(prefixes)}

    def count_from_here(self) -> None:
        """From now on `began` says which numbers there are now."""
        self._numbers = {key: one for key, one in self._marks.items() if key.startswith(_SEQ)}

    def began(self, slot: str) -> int:
        """The number of ``slot`` before this mailbox: how far an order may run ahead is counted from there,
        or each of a mailbox would push the next one on."""
        return self._numbers.get(f"{_SEQ}{slot}", 0)

    def compare(self, name: str, value: int) -> None:
        """Raises ``rollback`` if ``value`` is older than what was accepted before."""
        if value < self.get(name):
            raise BookbagError(
                "rollback",
                f"cannot accept {name} {value}: this laptop has already accepted {self.get(name)}",
                place=name,
            )

    def advance(self, name: str, value: int) -> None:
        """Compare, then remember ``value``."""
        self.compare(name, value)
        self._marks[name] = value

    def see(self, name: str, expires: int, digest: str, *, at: int, most: int) -> None:
        """Note that the id ``name`` was seen, of an order with that digest, until it ``expires``; what
        expired before ``at`` is forgotten, oldest first.

        Forgetting is harmless: an expired order is refused for that, and one within ``most`` newer ones by
        its number.
        """
        prefix = name.partition(".")[0] + "."
        seen = {
            key: int(text.partition(" ")[0])
            for key, text in self._notes.items()
            if key.startswith(prefix) and text.partition(" ")[0].isdecimal()
        }
        spare = sorted((when, key) for key, when in seen.items())
        for when, key in spare:
            if when <= at or len(seen) >= most:
                del self._notes[key], seen[key]
        self._notes[name] = f"{expires} {digest}"

    def seen(self, name: str) -> str:
        """The digest of the order that was seen under the id ``name``; "" if none was, or nobody noted it."""
        return self._notes.get(name, "").partition(" ")[2]

    def raise_to(self, name: str, value: int) -> None:
        """Remember ``value``, which was compared already."""
        self._marks[name] = max(value, self.get(name))

    def drop(self, name: str) -> None:
        """Forget a mark whose subject no longer exists."""
        self._marks.pop(name, None)

    def commit(self) -> None:
        """Durably replace the ledger, if anything changed."""
        now = (dict(self._marks), dict(self._notes))
        if now != self._saved:
            self._store.commit(*now)
            self._saved = now
