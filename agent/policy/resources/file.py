"""file: one file has exactly this content, mode, owner and group, or is a link to there, or is not there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases import places
from agent.policy.bases.filestate import look, put, replaceable, text_file
from agent.policy.bases.resource import Resource
from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Flag, Key, Text, wrong

NAME = Text(
    most=32, pattern=r"[a-z_][a-z0-9_-]*\$?|[0-9]{1,9}", what="a user or group name, or a quoted number"
)
_TEXT = Text(most=1024)
_TARGET = Text(
    most=1024,
    pattern=r"/?([^/\\]+/)*[^/\\]+",
    what="a path, from / or from the link's own folder, without //",
)
MODE = Text(most=4, pattern="[0-7]{3,4}", what='a quoted octal mode such as "0644"')


#: /etc/motd and /etc/issue are shown to root as they are. (Format characters of scripts are none of these.)
_DRIVES_TERMINALS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Path:
    """An absolute path without tricks."""

    def read(self, node: Node, problems: Problems) -> object:
        text = _TEXT.read(node, problems)
        why = places.malformed(text) if isinstance(text, str) else ""
        return wrong(self, node, problems, why=why) if why else text

    def describe(self) -> str:
        return "an absolute path such as /etc/motd, without . or .. or //"

    def schema(self) -> dict[str, object]:
        pattern = r"^(/(?!\.{1,2}(/|$))[^/\x00-\x1f\x7f\\]+)+$"
        return {**_TEXT.schema(), "pattern": pattern}


PATH = _Path()


@dataclass(frozen=True, slots=True)
class File(Resource):
    """One regular file, or one symbolic link. Ordinary only in harmless places, with a mode that can run
    nothing, and to harmless places; what is at a link's other end is not looked at, and need not be there.
    """

    kind: ClassVar[str] = "file"
    about: ClassVar[str] = "One file with exactly this content, or a link, or no file at all."
    powers: ClassVar[str] = (
        f"Ordinary for {places.named()}, if its mode lets it neither run nor set ids, and, of a link, if "
        "that leads to one of these."
    )
    direct: ClassVar[bool] = True
    keys: ClassVar[Mapping[str, Key]] = {
        "path": Key(PATH, required=True, about="where the file is"),
        "content": Key(
            Text(most=64 << 10, least=0, lines=True), about="the whole text; needed unless absent or a link"
        ),
        "mode": Key(MODE, about='permissions, "0644" if left out'),
        "owner": Key(NAME, about="root if left out"),
        "group": Key(NAME, about="root if left out"),
        "absent": Key(
            Flag(), about="true: there must be no file; content, mode, owner and group are left out"
        ),
        "link": Key(
            _TARGET,
            about="there must be a symbolic link to this path; content, mode, owner and group are left out",
        ),
    }
    example: ClassVar[str] = '- file: {path: /etc/motd, content: "Property of North High\\n", mode: "0644"}'

    path: str
    content: str | None = None
    mode: str | None = None
    owner: str | None = None
    group: str | None = None
    absent: bool = False
    link: str | None = None

    @property
    def name(self) -> str:
        return self.path

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(path=name, absent=True)

    def mistake(self) -> str:
        extra = [key for key in ("content", "mode", "owner", "group") if getattr(self, key) is not None]
        if self.absent and (extra or self.link is not None):
            return f"a file that must be absent has no {(*extra, 'link')[0]}"
        if self.link is not None and extra:
            return f"a link has no {extra[0]}"
        if not self.absent and self.content is None and self.link is None:
            return "a file needs its content, or link:, or absent: true"
        return ""

    def power(self) -> tuple[Power, str]:
        if not places.harmless(self.path):
            return Power.ROOT, "a file there can run code as root or destroy data"
        if self.link is not None and not places.harmless(self._leads_to()):
            return Power.ROOT, "it leads to where files can run code as root or destroy data"
        if self._mode() & 0o7111:
            return Power.ROOT, "its mode lets it run, or sets a special bit"
        if self.content is not None and _DRIVES_TERMINALS.search(self.content):
            return (
                Power.ROOT,
                "its text holds control characters, and terminals obey those",
            )
        return Power.ORDINARY, ""

    def forbidden(self) -> str:
        return places.forbidden(self.path)

    def desired(self) -> State | None:
        if self.link is not None:
            return {**text_file(self.link, 0o777), "kind": "symlink"}  # the mode is the kernel's own
        if self.absent or self.content is None:
            return None
        return text_file(self.content, self._mode(), self.owner or "root", self.group or "root")

    def observe(self, host: Host) -> State | None:
        return look(host, self.path)

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        if after is None:
            replaceable(before, self.path)
        put(host, self.path, after)

    def guard(self, host: Host) -> None:
        real = places.real_path(host, self.path)
        if places.forbidden(real):
            raise BookbagError("bad-path", f"cannot write here: a link leads to {real}", place=self.path)
        reached = [real, *([] if self.link is None else [places.real_path(host, self._leads_to())])]
        if self.power()[0] is Power.ORDINARY and not all(map(places.harmless, reached)):
            raise BookbagError(
                "bad-path", f"cannot write here: a link leads to {reached[-1]}", place=self.path
            )

    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    def checklist(self) -> Mapping[str, State | None]:
        return {self.path: self.desired()} if self.link is None else {}  # of links only the engine can tell

    def _leads_to(self) -> str:
        return places.joined(self.path, self.link or "")

    def _mode(self) -> int:
        return int(self.mode or "0644", 8)
