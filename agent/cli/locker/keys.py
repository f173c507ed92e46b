"""From the bytes of a keyboard to what was meant: characters, and the few keys that do something here."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

ENTER, BACK, CLEAR, REDRAW = "enter", "back", "clear", "redraw"
_KEYS = {
    "\r": ENTER,
    "\n": ENTER,
    "\x7f": BACK,
    "\b": BACK,
    "\x15": CLEAR,  # control-U
    "\x0c": REDRAW,  # control-L
}
_ESCAPE = "\x1b"


class Keys:
    """Bytes in, keys out; sequences of arrow and function keys mean nothing here and are passed over
    whole.
    """

    def __init__(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoder = decoder("replace")
        self._sequence = ""

    def feed(self, data: bytes) -> Iterator[str]:
        """The keys in ``data``: one of the names above, or a single printable character."""
        for char in self._decoder.decode(data):
            if self._sequence or char == _ESCAPE:
                self._follow(char)
            elif char in _KEYS:
                yield _KEYS[char]
            elif char.isprintable():
                yield char

    def idle(self) -> None:
        """Nothing came for a while: a lone escape was a key of its own."""
        self._sequence = ""

    def _follow(self, char: str) -> None:
        """Go on in an escape sequence, until its last character."""
        if char == _ESCAPE:
            self._sequence = char
            return
        self._sequence += char
        begun = self._sequence[1]
        if begun not in "[O" or len(self._sequence) > 16:  # alt and a key, or no sequence that we know
            self._sequence = ""
        elif len(self._sequence) > 2 and not self._sequence.startswith("\x1b[["):
            if begun == "O" or "@" <= char <= "~":
                self._sequence = ""
        elif len(self._sequence) > 3:  # the console's own function keys: ESC [ [ A
            self._sequence = ""
