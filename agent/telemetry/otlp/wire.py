"""The wire format of protocol buffers: fields out, fields in, nothing else. Bounded before anything is
copied.

A message is a run of (number, value) pairs. What we write is in order of the numbers; what we read may be in
any order and hold fields that we do not know, which are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Malformed(Exception):
    """Not a message, or more of one than anybody may send."""


class Budget:
    """How many fields one whole message may still have, nested ones included."""

    __slots__ = ("left",)

    def __init__(self, fields: int) -> None:
        self.left = fields

    def spend(self) -> None:
        """Count one field. Raises Malformed when it was one too many."""
        self.left -= 1
        if self.left < 0:
            raise Malformed("too many fields")


# -- out


def varint(number: int, value: int) -> bytes:
    """A whole number from −2^63 to 2^64 − 1; 0 is left out, as proto3 does."""
    return _tag(number, VARINT) + _varint(value & 0xFFFF_FFFF_FFFF_FFFF) if value else b""


def fixed64(number: int, value: int) -> bytes:
    """An unsigned number of eight bytes; 0 is left out."""
    return _tag(number, FIXED64) + struct.pack("<Q", value) if value else b""


def oneof_varint(number: int, value: int) -> bytes:
    """As `varint`, but 0 is written: which of a oneof's fields is set means something."""
    return _tag(number, VARINT) + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def oneof_sfixed64(number: int, value: int) -> bytes:
    """A signed number of eight bytes in a oneof."""
    return _tag(number, FIXED64) + struct.pack("<q", value)


def oneof_double(number: int, value: float) -> bytes:
    """A double in a oneof."""
    return _tag(number, FIXED64) + struct.pack("<d", value)


def text(number: int, value: str) -> bytes:
    """A text; "" is left out."""
    return message(number, value.encode()) if value else b""


def message(number: int, value: bytes) -> bytes:
    """A message, or a text in a oneof: written even if empty."""
    return _tag(number, BYTES) + _varint(len(value)) + value


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# -- in

Raw = int | bytes | memoryview


def fields(data: memoryview, budget: Budget) -> Iterator[tuple[int, int, Raw]]:
    """(number, kind, value) of each field: an int for VARINT, 8 or 4 bytes for the fixed ones, a view for
    BYTES.

    Raises Malformed.
    """
    at, end = 0, len(data)
    while at < end:
        budget.spend()
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise Malformed("a field number out of bounds")
        value: Raw
        if kind == VARINT:
            value, at = _read_varint(data, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
            value, at = data[at : at + size].tobytes(), at + size
        elif kind == BYTES:
            size, at = _read_varint(data, at)
            if size > end - at:
                raise Malformed("a field that is longer than its message")
            value, at = data[at : at + size], at + size
        else:
            raise Malformed("an unknown kind of field")  # groups were given up before proto3
        if at > end:
            raise Malformed("the message ends within a field")
        yield number, kind, value


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Malformed("a number that does not end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if not byte & 0x80:
            if value >> 64:
                raise Malformed("a number of more than 64 bits")
            return value, at


def as_view(kind: int, value: Raw) -> memoryview:
    """The value of a message or bytes field. Raises Malformed for another kind."""
    if kind != BYTES or not isinstance(value, memoryview):
        raise Malformed("a field of another kind than its declaration says")
    return value


def as_text(kind: int, value: Raw) -> str:
    """The value of a text field. Raises Malformed."""
    try:
        return str(as_view(kind, value), "utf-8")
    except UnicodeDecodeError:
        raise Malformed("a text that is not UTF-8") from None


def as_int(kind: int, value: Raw) -> int:
    """The value of an int64 or bool field, signed. Raises Malformed."""
    if kind != VARINT or not isinstance(value, int):
        raise Malformed("a field of another kind than its declaration says")
    return value - (1 << 64) if value >> 63 else value


def as_fixed(kind: int, value: Raw, form: str) -> int | float:
    """The value of a fixed64 (``<Q``), sfixed64 (``<q``) or double (``<d``) field. Raises Malformed."""
    if kind != FIXED64 or not isinstance(value, bytes):
        raise Malformed("a field of another kind than its declaration says")
    found: int | float = struct.unpack(form, value)[0]
    return found
