"""All files of one export, and what they leave out for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from agent.fleet.export import google, intune, regfile
from agent.fleet.export.gathering import Gathered, Left

#: A form's name on the command line → how its files end, and who writes one.
FORMS: Final[dict[str, tuple[str, Callable[[Gathered], tuple[bytes, list[Left]]]]]] = {
    "reg": (regfile.SUFFIX, regfile.write),
    "intune": (intune.SUFFIX, intune.write),
    "google": (google.SUFFIX, google.write),
}


@dataclass(slots=True)
class Made:
    """``files``: name → bytes; ``left``: what is left out → for which groups; ``elsewhere``: settings that no
    browser has."""

    files: dict[str, bytes] = field(default_factory=dict)
    left: dict[Left, list[str]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)


def make(gathered: Iterable[Gathered], forms: Iterable[str], step: Callable[[], None]) -> Made:
    """One file for each group in each of ``forms``; ``step`` is called after each group."""
    made, forms = Made(), tuple(forms)
    for one in gathered:
        missing = [*one.left]
        for suffix, write in (FORMS[name] for name in forms):
            made.files[one.group.stem + suffix], more = write(one)
            missing += more
        for what in missing:
            made.left.setdefault(what, []).append(one.group.name)
        made.elsewhere.update(one.elsewhere)
        step()
    if "reg" in forms:
        made.files[regfile.REMOVE] = regfile.remove()
    return made
