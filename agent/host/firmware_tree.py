"""What is done with a tree of the kernel's for firmware, wherever it lies: the same for a real machine and
for the laptop in a folder.

A wrong password is tried once in each start of the machine and no more, because firmware locks itself up
after a few; what waits for the next start is written once. Both are remembered before anything is written.
What was written is known until it is shown, too: some firmware shows what was there before until then.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.core.errors import BookbagError
from agent.host.firmware import (
    FOLDER,
    MAKERS,
    MOST_WRITES,
    Admin,
    Attribute,
    Kept,
    Maker,
    attribute_of,
    believed,
    check_attribute,
)

#: How the kernel says that a password is wrong.
DENIED = "Permission denied"
_PASSWORD = ""  #: in place of an attribute's name, which is never empty


@dataclass(frozen=True, slots=True)
class Started:
    """What was done since the machine started. Of passwords it has marks that only ``salt`` makes: who reads
    it as root reads the passwords themselves.
    """

    salt: str = field(default_factory=lambda: os.urandom(16).hex())
    given: Mapping[str, str] = field(default_factory=dict)  #: attribute → value
    shown: Mapping[str, str] = field(default_factory=dict)  #: attribute → what the firmware showed after it
    times: Mapping[str, int] = field(default_factory=dict)  #: attribute → how often that value, in a row
    tried: frozenset[str] = frozenset()  #: marks

    def mark(self, text: str) -> str:
        """What stands for a password here."""
        return hmac.new(self.salt.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]

    def gave(self, attribute: str, value: str, shown: str, times: int) -> Started:
        """With what is written now."""
        return replace(
            self,
            given={**self.given, attribute: value},
            shown={**self.shown, attribute: shown},
            times={**self.times, attribute: times},
        )


class _Denied(BookbagError):
    """The password is wrong."""


class FirmwareTree:
    """Subclasses read and write."""

    def names(self, path: str) -> tuple[str, ...]:
        """What lies in a directory."""
        raise AttributeError(type(self).__name__)

    def read(self, path: str) -> bytes | None:
        """A regular file, one byte more than a page at most; None for anything else."""
        raise AttributeError(type(self).__name__)

    def put(self, path: str, data: bytes) -> str:
        """Write a file; why that failed, "" if it did not."""
        raise AttributeError(type(self).__name__)

    def started(self) -> Started:
        """What is remembered until the next start."""
        raise AttributeError(type(self).__name__)

    def remember(self, started: Started) -> None:
        """Remember this, before anything else is done."""
        raise AttributeError(type(self).__name__)

    def kept(self) -> Kept | None:
        """As `Firmware.kept`."""
        raise AttributeError(type(self).__name__)

    def keep(self, kept: Kept | None) -> None:
        """As `Firmware.keep`."""
        raise AttributeError(type(self).__name__)

    # -- Firmware

    def maker(self) -> str:
        """As `Firmware.maker`."""
        return next((name for name in sorted(self.names(FOLDER)) if name in MAKERS), "")

    def find(self, attribute: str) -> Attribute | None:
        """As `Firmware.find`."""
        check_attribute(attribute)
        found, started = self._shown(attribute), self.started()
        given = started.given.get(attribute, "")
        if found is None or found.value == given or found.value != started.shown.get(attribute):
            return found
        return replace(found, coming=given) if self.waits() else found

    def waits(self) -> bool:
        """As `Firmware.waits`."""
        return believed(self.read(self._at("attributes/pending_reboot"))) == "1"

    def admin(self) -> Admin | None:
        """As `Firmware.admin`."""
        maker = self._maker()
        if maker is None:
            return None
        folder = self._at(f"authentication/{maker.admin}")
        enabled = believed(self.read(f"{folder}/is_enabled"))
        if enabled not in ("0", "1") or believed(self.read(f"{folder}/mechanism")) != "password":
            return None
        least, most = (self._number(f"{folder}/{one}_password_length") for one in ("min", "max"))
        started, kept = self.started(), self.kept()
        taken = kept is not None and started.given.get(_PASSWORD) == started.mark(kept.current)
        return Admin(enabled == "1" or taken, enabled == "1", maker.sets, least, most)

    def set(self, attribute: str, value: str) -> None:
        """As `Firmware.set`."""
        found = self.find(attribute)
        if found is None or value not in found.possible:
            raise BookbagError("not-supported", f"cannot set {attribute}: this firmware has no such choice")
        started = self.started()
        times = started.times.get(attribute, 0) if started.given.get(attribute) == value else 0
        if value == (found.coming or found.value) or (times and self.waits()):
            return
        what = f"set {attribute} to {value}"
        if times >= MOST_WRITES:
            raise BookbagError(
                "not-effective",
                f"cannot {what}: it did not stay so, {times} times since the machine started",
                remedy="it is tried again after the next start",
            )
        password = self._password(what)
        # First: what is cut off here is not written twice.
        self.remember(started.gave(attribute, value, found.value, times + 1))
        try:
            self._tried(what, password, self._at(f"attributes/{attribute}/current_value"), value)
        except BookbagError as error:
            if error.code != "worker-timeout":  # else it may be at it yet
                self.remember(replace(started, tried=self.started().tried))
            raise
        if (shown := self._shown(attribute)) is not None:
            self.remember(self.started().gave(attribute, value, shown.value, times + 1))
        kept = self.kept()
        if password and kept is not None and not kept.proved:
            self.keep(replace(kept, proved=True))

    def change_password(self, new: str) -> None:
        """As `Firmware.change_password`."""
        admin, maker = self.admin(), self._maker()
        if admin is None or maker is None:
            raise BookbagError("not-supported", "cannot set the firmware's password: it has none to set")
        started, kept = self.started(), self.kept() or Kept()
        if not new and not admin.enabled:
            self.keep(None)
            return
        if started.given.get(_PASSWORD) == started.mark(new):
            return  # the kernel took it, and the firmware shows it from the next start on
        if not admin.settable:
            raise BookbagError("not-supported", "cannot change the firmware's password: its driver cannot")
        what = "change the firmware's password"
        current = self._password(what) if admin.enabled else ""
        cut_off = kept.coming if admin.enabled else ""
        self.keep(replace(kept, coming=new))
        place = self._at(f"authentication/{maker.admin}/new_password")
        try:
            self._tried(what, current, place, new or maker.empty, once=f"{current}\n{new}")
        except BookbagError as error:
            # Cut off in the middle before, it had gone through: nothing else can be the password.
            gone_through = cut_off and isinstance(error, _Denied)
            self.keep(Kept(cut_off, proved=True) if gone_through else replace(kept, coming=""))
            raise
        started = self.started()
        self.remember(replace(started, given={**started.given, _PASSWORD: started.mark(new)}))
        self.keep(Kept(new or current, proved=True))
        after = self.admin()
        if not new and (after is None or not after.enabled):
            self.keep(None)  # only now: a firmware that shows it still may still ask for it

    # --

    def _tried(self, what: str, password: str, place: str, value: str, once: str = "") -> None:
        """Write ``value``, with a password if there is one: in each start once where that is wrong, and
        ``once`` where it fails for whatever reason.
        """
        started, maker = self.started(), self._maker()
        assert maker is not None  # noqa: S101
        marks = {text: started.mark(text) for text in (password, once) if text}
        if not started.tried.isdisjoint(marks.values()):
            raise BookbagError(
                "not-allowed",
                f"cannot {what}: the firmware did not take it since the machine started",
                remedy="it is tried once more after the next start",
            )
        self.remember(replace(started, tried=started.tried.union(marks.values())))
        session = self._at(f"authentication/{maker.admin}/current_password")
        try:
            why = self.put(session, password.encode()) if password else ""
            why = why or self.put(place, value.encode())
        finally:
            if password and maker.empty:
                self.put(session, maker.empty.encode())
        if DENIED in why:
            raise _Denied("not-allowed", f"cannot {what}: the firmware refuses the password")
        left = {marks[once]} if why and once else set()
        self.remember(replace(started, tried=started.tried | left))
        if why:
            raise BookbagError("not-effective", f"cannot {what}: {why.rpartition(': ')[2]}")

    def _password(self, what: str) -> str:
        """What is kept of it, if it takes one. Raises ``not-allowed``."""
        admin, kept = self.admin(), self.kept()
        if admin is None or not admin.enabled:
            return ""
        if kept is None or not kept.current:
            raise BookbagError(
                "not-allowed",
                f"cannot {what}: the firmware asks for its administrator's password",
                remedy="say it by firmware.password",
            )
        return kept.current

    def _shown(self, attribute: str) -> Attribute | None:
        folder = self._at(f"attributes/{attribute}")
        return attribute_of(self.read(f"{folder}/current_value"), self.read(f"{folder}/possible_values"))

    def _maker(self) -> Maker | None:
        return MAKERS.get(self.maker())

    def _at(self, below: str) -> str:
        return f"{FOLDER}/{self.maker() or 'none'}/{below}"

    def _number(self, path: str) -> int:
        text = believed(self.read(path)) or ""
        return int(text) if text.isdecimal() and len(text) < 5 else 0
