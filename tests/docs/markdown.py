"""Reading our own documents: code blocks, commands, links, places."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.leaks import REPOSITORY, files

_FENCE = re.compile(r"^[ ]*```(\w*)\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def pages() -> list[Path]:
    """README, CHANGELOG and every page of docs/."""
    found = (REPOSITORY / name for name in files() if name.endswith(".md"))
    return sorted(path for path in found if path.is_file() and not path.is_relative_to(REPOSITORY / "tests"))


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in one language, unindented."""
    return ["".join(_unindented(body)) for name, body in _FENCE.findall(text) if name == language]


def _unindented(body: str) -> list[str]:
    lines = body.splitlines(keepends=True)
    least = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    return [line[least:] if line.strip() else line for line in lines]


def prose(text: str) -> str:
    """Everything but the code blocks."""
    return _FENCE.sub("", text)


@dataclass(frozen=True)
class Command:
    """One command line of ours in a document. ``root``: said with sudo."""

    words: tuple[str, ...]
    root: bool = False


def shell(text: str) -> list[Command]:
    """The command lines of the sh blocks: continued lines joined, comments and assignments dropped."""
    found = []
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            found += command(line)
    return found


def inline(text: str) -> list[Command]:
    """Command lines between backticks in the prose."""
    return [one for line in _INLINE.findall(prose(text)) for one in command(line)]


def command(line: str) -> list[Command]:
    """What of ours a line runs: `bookbag …`, `bookbag-fleet …`, `make …`."""
    if not re.match(r"(sudo )?(bookbag|bookbag-fleet|make) ", line):
        return []
    words = shlex.split(line, comments=True)
    root = words[:1] == ["sudo"]
    return [Command(tuple(words[1:] if root else words), root)] if len(words) > 1 + root else []


def links(text: str) -> list[str]:
    """The targets of relative links."""
    return [to for to in _LINK.findall(prose(text)) if not re.match(r"[a-z]+:", to)]


def anchors(text: str) -> set[str]:
    """The names by which a page's headings can be linked to."""
    names = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(text)))
    return {name.strip().replace(" ", "-") for name in names}


def places(text: str) -> list[str]:
    """Paths of this repository that are named between backticks."""
    tops = ("agent/", "docs/", "installer/", "policies/", "tests/", ".ci/")
    return [
        one.split("::")[0]
        for one in _INLINE.findall(prose(text))
        if one.startswith(tops) and not re.search(r"[A-Z*…<{ ]{2,}|[*…<{ ]", one.split("::")[0])
    ]
