"""Strict JSON: bounded before it is parsed, one meaning per text, and one canonical form to hash and sign.

Refused: duplicate keys, floats and NaN (they have no canonical form), integers beyond 64 bits, lone
surrogates, a byte order mark, anything after the value. Size, depth and node caps are checked on the raw
bytes, before any recursion.

Imported by the resident process: nothing heavier than json itself.
"""

from __future__ import annotations

import json
import re

from agent.core.errors import BookbagError

# A string that never ends runs to the end of the text, so that the search is always linear.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_LONGEST_INTEGER = len(str(-(1 << 63)))


class _Refused(Exception):
    """Breaks a rule that the parser's hooks see, but not where: `_locate` finds the place."""


def parse(
    data: bytes, *, what: str, max_bytes: int = 512 << 10, max_depth: int = 16, max_nodes: int = 10_000
) -> object:
    """The JSON value in ``data``: None, bool, int, str, list or dict.

    ``what`` names the source in errors (a path, a URL). Raises ``too-large`` beyond a cap, ``bad-json``
    otherwise, with the place as ``what:line:column``.
    """
    if len(data) > max_bytes:
        raise BookbagError("too-large", f"cannot read JSON: more than {max_bytes} bytes", place=what)
    _check_shape(data, what, max_depth, max_nodes)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        good = data[: problem.start].decode("utf-8")
        raise _bad("not UTF-8", what, good, len(good)) from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as problem:
        raise _bad(problem.msg[:1].lower() + problem.msg[1:], what, text, problem.pos) from None
    except _Refused as problem:
        raise _bad(str(problem), what, text, _locate(text)) from None
    if "\\u" in text:
        _check_surrogates(value, what)
    return value


def canonical(value: object) -> bytes:
    """The one byte form of ``value``: keys sorted by code point, no spaces, UTF-8. What hashes and checksums
    cover.

    Takes what `parse` gives, and tuples and mappings. Raises ``bad-json`` for floats, bytes, non-text keys,
    surrogates.
    """
    return _encode(_CANONICAL.encode(_plain(value)))


def pretty(value: object) -> str:
    """``value`` for people: indented, keys sorted, ending in a newline. Raises like `canonical`."""
    text = json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, indent=2) + "\n"
    _encode(text)
    return text


def _bad(why: str, what: str, text: str, position: int) -> BookbagError:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return BookbagError("bad-json", f"cannot read JSON: {why}", place=f"{what}:{line}:{column}")


def _check_shape(data: bytes, what: str, max_depth: int, max_nodes: int) -> None:
    """Depth and nodes from brackets and commas outside strings: an upper bound that needs no recursion."""
    if data.count(b"{") + data.count(b"[") <= max_depth and data.count(b",") + max_depth < max_nodes:
        return
    bare = _STRING.sub(b"", data)
    if bare.count(b",") + bare.count(b"{") + bare.count(b"[") >= max_nodes:
        raise BookbagError("too-large", f"cannot read JSON: more than {max_nodes} values", place=what)
    depth = 0
    for bracket in _BRACKET.findall(bare):
        depth += 1 if bracket in b"{[" else -1
        if depth > max_depth:
            raise BookbagError("too-large", f"cannot read JSON: nested deeper than {max_depth}", place=what)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Refused("duplicate key")
    return made


def _integer(text: str) -> int:
    if len(text) <= _LONGEST_INTEGER and -(1 << 63) <= (number := int(text)) < 1 << 63:
        return number
    raise _Refused("an integer beyond 64 bits")


def _no_float(text: str) -> object:
    raise _Refused(f"{text[:40]} is not an integer")


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)


def _locate(text: str) -> int:
    """Where the first duplicate key or unacceptable number stands, in a text whose JSON syntax is right so
    far."""
    keys: list[set[str] | None] = []
    at_key = False
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word in ("{", "["):
            keys.append(set() if word == "{" else None)
            at_key = word == "{"
        elif word in ("}", "]"):
            keys.pop()
            at_key = False
        elif word == ",":
            at_key = keys[-1] is not None
        elif word == ":":
            at_key = False
        elif word[0] == '"':
            if at_key and (seen := keys[-1]) is not None:
                name = json.loads(word)
                if name in seen:
                    return token.start()
                seen.add(name)
        elif word not in ("true", "false", "null") and not _fits(word):
            return token.start()
    return 0


def _fits(word: str) -> bool:
    try:
        return _INTEGER.fullmatch(word) is not None and _integer(word) is not None
    except _Refused:
        return False


def _check_surrogates(value: object, what: str) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BookbagError(
            "bad-json", "cannot read JSON: half of a surrogate pair is not a character", place=what
        ) from None


def _plain(value: object) -> object:
    """Dicts, lists and scalars only; the exact types come first because nearly everything is one of them."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict or hasattr(value, "keys"):
        made = {}
        for key in value:  # type: ignore[attr-defined]
            if not isinstance(key, str):
                raise BookbagError("bad-json", f"cannot write JSON: a {type(key).__name__} is no key")
            made[str(key)] = _plain(value[key])  # type: ignore[index]
        return made
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)  # a StrEnum's text
    if isinstance(value, int):
        return int(value)
    raise BookbagError("bad-json", f"cannot write JSON: {kind.__name__} has no JSON form")


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise BookbagError(
            "bad-json", "cannot write JSON: half of a surrogate pair is not a character"
        ) from None
