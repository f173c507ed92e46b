"""The ten characters that a student types, however they come."""

from __future__ import annotations

import unicodedata

from agent.trust.unlockcode import ALPHABET, ANSWER, plain_text

GROUP = 5
SEPARATORS = frozenset(" \t-_.·\u00a0\u2010\u2011\u2012\u2013\u2014\u2212")


class Entry:
    """What has been typed so far."""

    def __init__(self) -> None:
        self.typed = ""
        self.strange = ""  #: the last character that no answer has, to be named

    def type(self, char: str) -> None:
        """One character: of an answer in any case and script of digits, a separator, or a strange one."""
        self.strange = ""
        digit = unicodedata.decimal(char, None)
        plain = str(digit) if digit is not None else plain_text(unicodedata.normalize("NFKC", char))
        if char in SEPARATORS or not plain:
            return
        if len(plain) == 1 and plain in ALPHABET:
            self.typed = (self.typed + plain)[:ANSWER]
        else:
            self.strange = char if char.isprintable() else ""

    def back(self) -> None:
        """Take the last character back."""
        self.typed, self.strange = self.typed[:-1], ""

    def clear(self) -> None:
        """Begin again."""
        self.typed, self.strange = "", ""

    @property
    def whole(self) -> bool:
        """Whether it has as many characters as an answer."""
        return len(self.typed) == ANSWER

    def shown(self) -> str:
        """As it stands, in groups, with a line for each character to come."""
        text = self.typed.ljust(ANSWER, "_")
        return " ".join(text[at : at + GROUP] for at in range(0, ANSWER, GROUP))

    @property
    def column(self) -> int:
        """Where in `shown` the next character goes."""
        at = min(len(self.typed), ANSWER - 1)
        return at + at // GROUP
