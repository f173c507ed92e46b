"""What a unit may be called, the same for every host: a name goes onto a command line and into paths."""

from __future__ import annotations

import re

from agent.core.errors import BookbagError

#: A whole name; of a template only an instance.
NAME = r"[A-Za-z0-9][A-Za-z0-9:_.-]{0,100}(@[A-Za-z0-9:_.-]{1,60})?\.(service|socket|timer|path)"


def check_unit(unit: str) -> None:
    """Raise ``bad-path`` for what is no name of a unit."""
    if not re.fullmatch(NAME, unit):
        raise BookbagError("bad-path", f"cannot ask for the unit {unit[:60]!r}: that is no name of one")
