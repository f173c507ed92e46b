"""directory: one directory with exactly this mode, owner and group, or none. What it holds is others'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases import places
from agent.policy.bases.filestate import directory, directory_at, put_directory
from agent.policy.bases.resource import Resource
from agent.policy.resources.file import MODE, NAME, PATH
from agent.policy.syntax.values import Flag, Key

_SETS_IDS = 0o6000
_STICKY = 0o1000
_GROUP_WRITES = 0o020
_OTHERS_WRITE = 0o002
_ROOTS_GROUP = ("root", "0")


@dataclass(frozen=True, slots=True)
class Directory(Resource):
    """One directory. Nothing is ever removed with it: it goes only when it is empty."""

    kind: ClassVar[str] = "directory"
    about: ClassVar[str] = (
        "One directory with exactly this mode, owner and group, without attributes of its own such as access "
        "lists; or none. What lies in it is left alone, and it is removed only when it is empty."
    )
    powers: ClassVar[str] = (
        f"Ordinary for {places.named_folders()}, if its mode sets no ids, and lets everybody, or a group "
        "other than root's, write only with the sticky bit."
    )
    direct: ClassVar[bool] = True
    keys: ClassVar[Mapping[str, Key]] = {
        "path": Key(PATH, required=True, about="where the directory is"),
        "mode": Key(MODE, about='permissions, "0755" if left out'),
        "owner": Key(NAME, about="root if left out"),
        "group": Key(NAME, about="root if left out"),
        "absent": Key(Flag(), about="true: there must be none; mode, owner and group are left out"),
    }
    example: ClassVar[str] = '- directory: {path: /usr/share/bookbag/notices, mode: "0755"}'

    path: str
    mode: str | None = None
    owner: str | None = None
    group: str | None = None
    absent: bool = False

    @property
    def name(self) -> str:
        return self.path

    @classmethod
    def named(cls, name: str) -> Self:
        """As those are that a file needs: of root, 0755."""
        return cls(path=name)

    def mistake(self) -> str:
        extra = [key for key in ("mode", "owner", "group") if getattr(self, key) is not None]
        return f"a directory that must be absent has no {extra[0]}" if self.absent and extra else ""

    def power(self) -> tuple[Power, str]:
        if not places.harmless(self.path):
            return Power.ROOT, "who may write there, or look in, can become root or destroy data"
        if self._mode() & _SETS_IDS:
            return Power.ROOT, "its mode sets ids"
        if self._many_write() and not self._mode() & _STICKY:
            return Power.ROOT, "its mode lets many take away what others put there"
        return Power.ORDINARY, ""

    def forbidden(self) -> str:
        return places.forbidden_directory(self.path)

    def desired(self) -> State | None:
        if self.absent:
            return None
        return directory(self._mode(), self.owner or "root", self.group or "root")

    def intended(self, before: State | None) -> State | None:
        return self.desired()

    def observe(self, host: Host) -> State | None:
        return directory_at(host, self.path)

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        if before is not None and "kind" in before:
            raise self._wrong(f"a {before['kind']} is there", "remove it by hand, or choose another path")
        if after is not None:
            put_directory(host, self.path, after)
            return
        host.files.remove_empty([self.path])
        inside = host.files.names(self.path)
        if inside:
            raise self._wrong(f"{inside[0]} lies in it", "take out by hand what is in it")

    def guard(self, host: Host) -> None:
        real = places.real_path(host, self.path)
        lost = self.power()[0] is Power.ORDINARY and not places.harmless(real)
        if lost or places.forbidden_directory(real):
            raise BookbagError("bad-path", f"cannot manage this: a link leads to {real}", place=self.path)

    def amidst(self, before: State | None, after: State | None) -> Iterator[State]:
        """Of one that is there owner and group, mode and attributes change one after the other."""
        if before is None or after is None or "kind" in before:
            return
        for owned, moded, rest in product((before, after), repeat=3):
            if owned is moded is rest:
                continue
            yield {
                "mode": moded["mode"],
                "owner": owned["owner"],
                "group": owned["group"],
                "attributes": rest["attributes"],
            }

    def turn(self) -> int:
        """Before what lies in it, those above first; where it has to go, after that, those within first."""
        depth = self.path.count("/")
        return 2000 - depth if self.absent else depth - 2000

    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    def _mode(self) -> int:
        return int(self.mode or "0755", 8)

    def _many_write(self) -> bool:
        """Who is in a group is not said here: every student may be."""
        roots = self.group is None or self.group in _ROOTS_GROUP
        return bool(self._mode() & (_OTHERS_WRITE if roots else _OTHERS_WRITE | _GROUP_WRITES))

    def _wrong(self, why: str, remedy: str) -> BookbagError:
        return BookbagError("bad-path", f"cannot make it so: {why}", place=self.path, remedy=remedy)
