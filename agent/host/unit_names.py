"""What a unit may be called, and which links would enable it, the same for every host: a name goes onto a
command line and into paths.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.core.errors import BookbagError
from agent.host.services import FOLDER

#: A whole name; of a template only an instance.
NAME = r"[A-Za-z0-9][A-Za-z0-9:_.-]{0,100}(@[A-Za-z0-9:_.-]{1,60})?\.(service|socket|timer|path)"
#: What may want another unit.
_WANTING = r"[A-Za-z0-9][A-Za-z0-9:_.@-]{0,160}\.(target|service|socket|timer|path|device|mount)"


def check_unit(unit: str) -> None:
    """Raise ``bad-path`` for what is no name of a unit."""
    if not re.fullmatch(NAME, unit):
        raise BookbagError("bad-path", f"cannot ask for the unit {unit[:60]!r}: that is no name of one")


def links(unit: str, path: str, text: str) -> Mapping[str, str]:
    """What ``systemctl enable`` would make for ``unit`` alone (of what it takes along, nothing), whose file
    is ``path``: ``text`` is that and its drop-ins. Path of the link → where it leads.
    """
    places = {"WantedBy": "wants", "RequiredBy": "requires", "UpheldBy": "upholds"}
    found: dict[str, list[str]] = {}
    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if key.startswith("["):
            section = key
        elif section == "[Install]" and equals:
            found[key] = [*found.get(key, []), *value.split()] if value else []
    made = {
        f"{FOLDER}/{other}.{places[key]}/{unit}": path
        for key in places
        for other in found.get(key, ())
        if re.fullmatch(_WANTING, other)
    }
    aliases = (name for name in found.get("Alias", ()) if re.fullmatch(NAME, name) and name != unit)
    return {**made, **{f"{FOLDER}/{name}": path for name in aliases}}
