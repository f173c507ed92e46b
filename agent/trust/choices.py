"""What somebody at the laptop chooses from the shelf, as the portal leaves it for root.

The portal has no rights and may be anybody's by now, so it is believed in nothing: a file says that one user
wants one name, or no more, and its name says which. Whether that name is offered, root compares with the
policy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.fields import Fields

VERSION = 1
LEFT = "choice"  #: begins the name of a file that the portal leaves
TAKEN = "taking"  #: the same file once root began with it
MOST_BYTES = 256
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{0,100}\Z")
_PERSON = re.compile(r"(0|[1-9][0-9]{0,9})\Z")


@dataclass(frozen=True, slots=True)
class Choice:
    """``person``: a user id in digits. ``wanted``: False where it is given back."""

    person: str
    package: str
    wanted: bool

    @property
    def file(self) -> str:
        """What the file is called that says so: a later word about the same takes its place."""
        return f"{LEFT}.{self.person}.{self.package}"


def choice_bytes(choice: Choice) -> bytes:
    """``choice`` as the portal leaves it. Raises ``bad-argument`` for what root would not take."""
    if not _PERSON.match(choice.person) or not _NAME.match(choice.package):
        raise BookbagError(
            "bad-argument", f"cannot choose {choice.package[:60]!r}: that is no name of a program"
        )
    return jsontext.canonical({"v": VERSION, "wanted": choice.wanted})


def is_choice(file: str, beginning: str = LEFT) -> bool:
    """Whether a file of this name says a choice."""
    first, _, rest = file.partition(".")
    person, _, package = rest.partition(".")
    return first == beginning and bool(_PERSON.match(person)) and bool(_NAME.match(package))


def parse_choice(data: bytes, file: str) -> Choice:
    """What lies in a file whose name `is_choice`. Raises ``bad-json``, ``bad-envelope``, ``too-large``,
    ``format-too-new``."""
    person, _, package = file.partition(".")[2].partition(".")
    top = Fields(jsontext.parse(data, what="choice", max_bytes=MOST_BYTES), "choice", code="bad-envelope")
    top.version(VERSION)
    if not isinstance(top.raw("wanted"), bool):
        raise BookbagError("bad-envelope", "cannot tell whether it is chosen or given back", place="wanted")
    return Choice(person, package, top.boolean("wanted", False))
