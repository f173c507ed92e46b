"""Reads .reg files the way regedit does, written from its documentation and knowing nothing of our writer: a
registry is a mapping of keys to their values, and importing a file changes one.
"""

from __future__ import annotations

import re

Registry = dict[str, dict[str, int | str]]

_KEY = re.compile(r"\[(-?)(HKEY_[A-Z_]+(?:\\[^\\\[\]]+)*)\]")
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_VALUE = re.compile(rf"{_QUOTED}=(?:(-)|dword:([0-9a-f]{{8}})|hex\(1\):([0-9a-f,]*)|{_QUOTED})")


def imported(data: bytes, into: Registry | None = None) -> Registry:
    """The registry after an import. Fails on anything that regedit would not read, or skip in silence."""
    registry = {key: dict(values) for key, values in (into or {}).items()}
    assert data[:2] == b"\xff\xfe", "no byte order mark"
    text = data[2:].decode("utf-16-le")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", ""), "a line break that is none of Windows'"
    assert "\r" not in text.replace("\r\n", "")
    lines = iter(text.split("\r\n"))
    assert next(lines) == "Windows Registry Editor Version 5.00"
    key = ""
    for line in lines:
        whole = line
        while whole.endswith("\\") and "=hex" in whole:
            whole = whole[:-1] + next(lines).lstrip(" ")
        if not whole or whole.startswith(";"):
            continue
        if head := _KEY.fullmatch(whole):
            key = head[2]
            if head[1]:
                gone = [one for one in registry if one == key or one.startswith(f"{key}\\")]
                for one in gone:
                    del registry[one]
                key = ""
            else:
                registry.setdefault(key, {})
            continue
        _value(registry[key], whole)
    return {key: values for key, values in registry.items() if values}


def _value(values: dict[str, int | str], line: str) -> None:
    found = _VALUE.fullmatch(line)
    assert found, f"regedit would not read {line!r}"
    name = _plain(found[1])
    if found[2]:
        values.pop(name, None)
    elif found[3] is not None:
        values[name] = int(found[3], 16)
    elif found[4] is not None:
        text = bytes.fromhex(found[4].replace(",", "")).decode("utf-16-le")
        assert text.endswith("\0")
        values[name] = text[:-1]
    else:
        values[name] = _plain(found[5])


def _plain(quoted: str) -> str:
    return re.sub(r"\\(.)", lambda match: _same(match[1]), quoted)


def _same(escaped: str) -> str:
    assert escaped in '\\"', f"regedit knows no \\{escaped}"
    return escaped
