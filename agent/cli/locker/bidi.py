"""Right-to-left text for a console that knows nothing of it: letters joined, then put in the order of the
eye.

After the Unicode Bidirectional Algorithm (UAX #9) without explicit embeddings, which a message needs none of:
the direction of a paragraph is that of its first strong letter. Arabic letters get the form that their
neighbours ask for (Unicode's presentation forms); marks above and below, which a console cell cannot hold,
are left out.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence

ISOLATED, FINAL, INITIAL, MEDIAL = range(4)
_NAMES = {"<isolated>": ISOLATED, "<final>": FINAL, "<initial>": INITIAL, "<medial>": MEDIAL}
_TATWEEL = "\u0640"
_ALEFS = ("\u0622", "\u0623", "\u0625", "\u0627")  #: with lam before them one letter
_MIRRORED = str.maketrans("()[]{}<>«»≤≥", ")(][}{><»«≥≤")


def is_right_to_left(text: str) -> bool:
    """Whether a paragraph runs from the right: its first strong letter does."""
    strong = (unicodedata.bidirectional(char) for char in text)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)


def has_right_to_left(text: str) -> bool:
    """Whether any of it does."""
    return any(unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in text)


def visual(text: str, *, right_to_left: bool) -> str:
    """One line in the order in which its cells are written from the left."""
    if not right_to_left and not has_right_to_left(text):
        return text
    joined = join(text)
    levels = _levels(joined, int(right_to_left))
    cells = [
        char.translate(_MIRRORED) if level % 2 else char for char, level in zip(joined, levels, strict=True)
    ]
    for level in range(max(levels, default=0), 0, -1):  # L2: the deepest runs are turned round first
        at = 0
        while at < len(levels):
            end = at
            while end < len(levels) and levels[end] >= level:
                end += 1
            cells[at:end] = cells[at:end][::-1]
            at = end + 1
    return "".join(cells)


# -- letters that join


@functools.cache
def _forms() -> dict[str, list[str]]:
    """Letter, or lam with an alef → its forms; "" where it has none. From Unicode's own decompositions."""
    found: dict[str, list[str]] = {}
    for code in (*range(0xFB50, 0xFDF0), *range(0xFE70, 0xFEFD)):
        kind, *parts = unicodedata.decomposition(chr(code)).split() or [""]
        letters = "".join(chr(int(part, 16)) for part in parts)
        if kind in _NAMES and (len(letters) == 1 or (letters[:1] == "\u0644" and letters[1:] in _ALEFS)):
            found.setdefault(letters, [""] * 4)[_NAMES[kind]] = chr(code)
    return found


def join(text: str) -> str:
    """Arabic letters in the forms that they have beside each other; everything else, but marks, as it is."""
    forms = _forms()
    units: list[str] = []
    for char in text:
        if unicodedata.category(char) in ("Mn", "Me", "Cf"):
            continue
        if units and units[-1] + char in forms:
            units[-1] += char
        else:
            units.append(char)
    return "".join(_shape(units, at) for at in range(len(units)))


def _shape(units: Sequence[str], at: int) -> str:
    forms = _forms().get(units[at])
    if forms is None:
        return units[at]
    before = at > 0 and _joins_on(units[at - 1]) and bool(forms[FINAL])
    after = at + 1 < len(units) and bool(forms[INITIAL]) and _joins_back(units[at + 1])
    wanted = MEDIAL if before and after else FINAL if before else INITIAL if after else ISOLATED
    return forms[wanted] or forms[ISOLATED] or units[at]


def _joins_on(unit: str) -> bool:
    """Whether ``unit`` reaches for the letter after it."""
    forms = _forms().get(unit)
    return unit == _TATWEEL or (forms is not None and bool(forms[INITIAL]))


def _joins_back(unit: str) -> bool:
    """Whether ``unit`` takes the hand of the letter before it."""
    forms = _forms().get(unit)
    return unit == _TATWEEL or (forms is not None and bool(forms[FINAL]))


# -- levels


def _levels(text: str, base: int) -> list[int]:
    """The embedding level of each character: odd runs from the right."""
    kinds = _weak([unicodedata.bidirectional(char) or "ON" for char in text], base)
    outer = "R" if base else "L"
    at = 0
    while at < len(kinds):  # N1, N2: what is neutral goes with equal neighbours, else with the paragraph
        if kinds[at] in ("L", "R", "EN", "AN"):
            at += 1
            continue
        end = at
        while end < len(kinds) and kinds[end] not in ("L", "R", "EN", "AN"):
            end += 1
        left = _side(kinds[at - 1]) if at else outer
        right = _side(kinds[end]) if end < len(kinds) else outer
        kinds[at:end] = [left if left == right else outer] * (end - at)
        at = end
    levels = []
    for kind in kinds:  # I1, I2
        if base == 0:
            levels.append({"L": 0, "R": 1}.get(kind, 2))
        else:
            levels.append(1 if kind == "R" else 2)
    for place in range(len(text) - 1, -1, -1):  # L1: blanks at the end stay at the end
        if not text[place].isspace():
            break
        levels[place] = base
    return levels


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _weak(kinds: list[str], base: int) -> list[str]:
    """W2 to W7: what numbers and the signs beside them are."""
    _arabic_numbers(kinds, base)
    for at in range(1, len(kinds) - 1):  # W4: one separator within a number belongs to it
        before, kind, after = kinds[at - 1 : at + 2]
        if before == after and (
            (kind in ("ES", "CS") and before == "EN") or (kind == "CS" and before == "AN")
        ):
            kinds[at] = before
    for places in (
        range(len(kinds)),
        range(len(kinds) - 1, -1, -1),
    ):  # W5: and so do its currency and per cent
        last = ""
        for at in places:
            if kinds[at] == "ET" and last == "EN":
                kinds[at] = "EN"
            last = kinds[at]
    _rest(kinds, base)
    return kinds


def _arabic_numbers(kinds: list[str], base: int) -> None:
    """W2, W3: digits after an Arabic letter go its way."""
    strong = "R" if base else "L"
    for at, kind in enumerate(kinds):
        if kind in ("L", "R", "AL"):
            strong = kind
        if kind == "EN" and strong == "AL":
            kinds[at] = "AN"
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]


def _rest(kinds: list[str], base: int) -> None:
    """W6, W7: signs that belong to no number are neutral; numbers after Latin letters go their way."""
    strong = "R" if base else "L"
    for at, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        if kind in ("ES", "ET", "CS"):
            kinds[at] = "ON"
        elif kind == "EN" and strong == "L":
            kinds[at] = "L"
