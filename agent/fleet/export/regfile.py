"""Windows registry files (.reg), as regedit and ``reg import`` take them: UTF-16, a byte order mark, CRLF.

A file says all about the policies that Bookbag knows: what no setting decides any more it takes away, so that
importing the newest one is enough. What else is in the same keys stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from agent.core.errors import BookbagError
from agent.fleet.export.browsers import BROWSERS, Browser, on_windows
from agent.fleet.export.gathering import Gathered, Left
from agent.fleet.export.registry import Entry, entries

FORM: Final = "Windows registry files"
SUFFIX: Final = ".reg"
#: The file that takes away what the others brought.
REMOVE: Final = "remove.reg"
_HEAD: Final = "Windows Registry Editor Version 5.00"
_ROOT: Final = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies"
_HEX_WIDTH: Final = 24  # bytes on a line


def write(gathered: Gathered) -> tuple[bytes, list[Left]]:
    """A group's file, and what it leaves out."""
    found: list[Entry] = []
    left: list[Left] = []
    for browser in BROWSERS:
        for policy, value in sorted(on_windows(gathered.policies[browser.name]).items()):
            try:
                found += [*entries(browser, policy, value)]
            except BookbagError as error:
                left += gathered.lacking(browser, policy, FORM, error.message)
    about = f"The browser settings of {gathered.group.name}."
    return _file((about, "What Bookbag knows of and does not set here is taken away."), found), left


def remove() -> bytes:
    """The file that takes every policy away that Bookbag may have set."""
    return _file(("Takes away the browser settings that Bookbag may have set.",), ())


def _file(about: Sequence[str], found: Sequence[Entry]) -> bytes:
    lines = [_HEAD, "", *(f"; {_comment(text)}" for text in about), ""]
    for browser in BROWSERS:
        mine = [one for one in found if f"{one.key}\\".startswith(f"{browser.key}\\")]
        lines += _browser(browser, mine)
    return "\ufeff".encode("utf-16-le") + "".join(f"{line}\r\n" for line in lines).encode("utf-16-le")


def _browser(browser: Browser, found: Sequence[Entry]) -> Iterator[str]:
    names = browser.vocabulary()
    for name in names:
        yield f"[-{_ROOT}\\{browser.key}\\{name}]"
    yield ""
    top = {one.name: one for one in found if one.key == browser.key}
    yield f"[{_ROOT}\\{browser.key}]"
    for name in names:
        yield _line(top[name]) if name in top else f"{_quoted(name)}=-"
    yield ""
    for key in dict.fromkeys(one.key for one in found if one.key != browser.key):
        yield f"[{_ROOT}\\{key}]"
        yield from (_line(one) for one in found if one.key == key)
        yield ""


def _line(entry: Entry) -> str:
    name, value = _quoted(entry.name), entry.value
    if isinstance(value, int):
        return f"{name}=dword:{value:08x}"
    return f"{name}={_quoted(value)}" if value.isprintable() else f"{name}=hex(1):{_hex(value)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _hex(text: str) -> str:
    """A text that would break its line, as the bytes of it, in lines that go on after a backslash."""
    pairs = [f"{one:02x}" for one in f"{text}\0".encode("utf-16-le")]
    parts: Iterable[str] = (",".join(pairs[at : at + _HEX_WIDTH]) for at in range(0, len(pairs), _HEX_WIDTH))
    return ",\\\r\n  ".join(parts)


def _comment(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
