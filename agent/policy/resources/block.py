"""block: some lines of our own in a file that is somebody else's, between two marks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases import places
from agent.policy.bases.filestate import lines_of, look, part, put, text_file
from agent.policy.bases.resource import Resource
from agent.policy.resources.file import PATH
from agent.policy.syntax.values import Key, ListOf, Text

HOSTS: Final = "/etc/hosts"
#: Where a name leads that is to lead nowhere.
NOWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  # nobody listens
#: A host name with a dot in it, as DNS has it.
NAME: Final = r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_LEADS_NOWHERE: Final = rf"({'|'.join(map(re.escape, NOWHERE))}) {NAME}"
BEGIN: Final = b"# bookbag: begin, managed by the school\n"
END: Final = b"# bookbag: end\n"
_NO_FILES = "/etc/nsswitch.conf asks others for names before it asks /etc/hosts"


@dataclass(frozen=True, slots=True)
class Block(Resource):
    """Undoing takes these lines out and leaves every other as it is by then."""

    kind: ClassVar[str] = "block"
    about: ClassVar[str] = (
        "Lines at the end of a file, between two marks; the rest of it stays as it is. One block a file."
    )
    powers: ClassVar[str] = "Ordinary for lines of `/etc/hosts` that lead names nowhere."
    direct: ClassVar[bool] = True
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    keys: ClassVar[Mapping[str, Key]] = {
        "path": Key(PATH, required=True, about="the file; it is made if it is not there"),
        "lines": Key(
            ListOf(Text(most=500), most=2000), required=True, about="whole lines, none twice, in order"
        ),
    }
    example: ClassVar[str] = '- block: {path: /etc/hosts, lines: ["10.2.0.9 library.example"]}'

    path: str
    lines: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def mistake(self) -> str:
        marks = [line for line in self.lines if f"{line}\n".encode() in (BEGIN, END)]
        return f"a line of a block is no mark of one: {marks[0]!r}" if marks else ""

    def power(self) -> tuple[Power, str]:
        if self.path != HOSTS:
            return Power.ROOT, "a line in a file there can run code as root or destroy data"
        odd = next((line for line in self.lines if not re.fullmatch(_LEADS_NOWHERE, line)), None)
        return (Power.ORDINARY, "") if odd is None else (Power.ROOT, f"{odd!r} leads a name somewhere")

    def forbidden(self) -> str:
        return places.forbidden(self.path)

    def cuts_off(self) -> bool:
        return self.path == HOSTS

    def fallback(self, own: Sequence[str]) -> Resource | None:
        kept = [line for line in self.lines if not set(line.split()[1:]) & set(own)]
        return replace(self, lines=kept)

    def guard(self, host: Host) -> None:
        state = look(host, self.path)
        if state is not None and state["kind"] != "file":
            raise BookbagError(
                "bad-path", f"cannot add lines to this: a {state['kind']} is there", place=self.path
            )
        real = places.real_path(host, self.path)
        if real != self.path and (places.forbidden(real) or self.power()[0] is Power.ORDINARY):
            raise BookbagError("bad-path", f"cannot write here: a link leads to {real}", place=self.path)

    def desired(self) -> State | None:
        return {"block": self._block(), "file": None, "effective": "yes"}

    def intended(self, before: State | None) -> State | None:
        return {"block": self._block(), "file": self._with(part(before, "file"))}

    def observe(self, host: Host) -> State | None:
        there = look(host, self.path)
        return {"block": self._found(there), "file": there, "effective": self._effective(host, there)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        put(host, self.path, part(after, "file"))

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """As it was; or, with what others added since, without our lines."""
        del host
        left, before = self._left(now), part(prior, "file")
        if left is None or before is None:
            return prior if left is None or not left["file"]["content"] else left  # type: ignore[index]
        same = _content(before) == _content(left["file"]) or _content(before) + b"\n" == _content(
            left["file"]
        )
        return prior if same else left

    def release(self, now: State | None, prior: State | None) -> State | None:
        del prior
        return self._left(now) or now

    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    # -- the lines

    def _left(self, now: State | None) -> State | None:
        """The file without our lines; None if they are in no file."""
        there = part(now, "file")
        if there is None or there["kind"] != "file":
            return None
        return {"block": "", "file": {**there, "content": self._without(_content(there))}}

    def _block(self) -> str:
        return (BEGIN + "".join(f"{line}\n" for line in self.lines).encode() + END).decode()

    def _found(self, there: State | None) -> str:
        """Our lines as they are, marks and all; "" if there are none."""
        content = _content(there)
        start = content.find(BEGIN)
        if start < 0:
            return ""
        stop = content.find(END, start)
        return content[start : stop + len(END) if stop >= 0 else None].decode(errors="surrogateescape")

    def _without(self, content: bytes) -> bytes:
        """``content`` without our lines. Of a begin that nobody ended only the mark goes: what follows is
        theirs.
        """
        while (start := content.find(BEGIN)) >= 0:
            stop = content.find(END, start)
            content = content[:start] + content[stop + len(END) if stop >= 0 else start + len(BEGIN) :]
        return content

    def _with(self, there: State | None) -> State:
        left = self._without(_content(there))
        if left and not left.endswith(b"\n"):
            left += b"\n"
        if there is None or there["kind"] != "file":
            return text_file((left + self._block().encode()).decode(errors="surrogateescape"))
        return {**there, "content": left + self._block().encode()}

    # -- whether names really lead nowhere

    def _effective(self, host: Host, there: State | None) -> str:
        if self.path != HOSTS or there is None:
            return "yes"
        mode = there.get("mode")
        if isinstance(mode, int) and not mode & 0o004:
            return "students may not read /etc/hosts"
        if not _files_first(_content(look(host, "/etc/nsswitch.conf")).decode(errors="replace")):
            return _NO_FILES
        return self._earlier(_content(there))

    def _earlier(self, content: bytes) -> str:
        """Of two lines with one name the first counts."""
        ours = {name: line.split()[0] for line in self.lines for name in line.split()[1:]}
        addresses = {line.split()[0] for line in self.lines if line.split()}
        for line in lines_of(content.partition(BEGIN)[0].decode(errors="replace")):
            address, *names = line.partition("#")[0].split() or [""]
            for name in names:
                if name.lower() in ours and address not in addresses:
                    return f"another line of /etc/hosts leads {name} to {address}"
        return "yes"


def _content(state: object) -> bytes:
    content = state.get("content") if isinstance(state, Mapping) and state.get("kind") == "file" else b""
    return content if isinstance(content, bytes) else b""


def _files_first(nsswitch: str) -> bool:
    """Whether programs look into /etc/hosts before they ask anybody; without a line of theirs they do."""
    for line in lines_of(nsswitch):
        database, colon, services = line.partition("#")[0].partition(":")
        if colon and database.strip() == "hosts":
            asked = [one for one in services.split() if not one.startswith("[") and one != "myhostname"]
            return asked[:1] == ["files"]
    return True
