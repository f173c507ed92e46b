"""How many persons a site's offline roles need, and how long each signature lasts."""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.clock import DAY
from agent.core.errors import BookbagError


@dataclass(frozen=True, slots=True)
class Lives:
    """How long each role's signature lasts, in seconds."""

    root: int = 730 * DAY
    targets: int = 365 * DAY
    role: int = 180 * DAY
    mail: int = 30 * DAY
    snapshot: int = 7 * DAY
    timestamp: int = 3 * DAY


CONNECTED = Lives()
SNEAKERNET = Lives(mail=60 * DAY, snapshot=45 * DAY, timestamp=45 * DAY)


@dataclass(frozen=True, slots=True)
class Profile:
    """``holders``: persons who must at least hold root and targets keys. Power always needs two persons, in
    every profile."""

    name: str
    holders: int
    root_threshold: int = 2
    targets_threshold: int = 2


THREE_ADMIN = Profile("three-admin", holders=3)
#: The admin, and the head of school with a printed key: still two persons for whatever defines trust.
ONE_ADMIN = Profile("one-admin", holders=2)
PROFILES = {profile.name: profile for profile in (THREE_ADMIN, ONE_ADMIN)}


def profile(name: str) -> Profile:
    """The profile of that name. Raises ``bad-argument``."""
    if name not in PROFILES:
        raise BookbagError(
            "bad-argument", f"cannot use profile {name!r}", remedy=f"one of {', '.join(PROFILES)}"
        )
    return PROFILES[name]


def lives(sneakernet: bool) -> Lives:
    """Lives for laptops that mostly see a network, or mostly see sticks."""
    return SNEAKERNET if sneakernet else CONNECTED
