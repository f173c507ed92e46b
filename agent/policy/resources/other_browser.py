"""other-browser: the same managed policies for the browsers that look elsewhere for them than Debian's
Chromium and Firefox do.

They are written whether the browser is there or not: a student may install one without asking anybody, as a
flatpak of their own, and it shall be ruled from its first start. That the files lie where the browsers' own
makers say is tested; that they are obeyed is not, for none of these can be had where Bookbag is tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from agent.core.model import Power
from agent.host.base import Host
from agent.policy import kinds
from agent.policy.bases.managed import Managed, overridden

_FLATPAK: Final = "/var/lib/flatpak/extension"


@dataclass(frozen=True, slots=True)
class Place:
    """One file, for whose ``path`` the browser's makers vouch."""

    path: str
    like: str  #: the kind whose policies it takes
    names: Mapping[str, str] = field(default_factory=dict)  #: policies that it calls otherwise


#: The flatpak of Chrome looks where Chrome does, the snap of Firefox where Debian's does. Flatpaks are
#: reached through extensions that belong to no repository, for the usual architecture and branch.
PLACES: Final[Mapping[str, Place]] = {
    # https://support.google.com/chrome/a/answer/9027408
    "chrome": Place("/etc/opt/chrome/policies/managed/bookbag.json", "chromium"),
    # https://learn.microsoft.com/deployedge/microsoft-edge-policies
    "edge": Place(
        "/etc/opt/edge/policies/managed/bookbag.json",
        "chromium",
        {
            "BookmarkBarEnabled": "FavoritesBarEnabled",
            "IncognitoModeAvailability": "InPrivateModeAvailability",
            "ManagedBookmarks": "ManagedFavorites",
        },
    ),
    # https://www.chromium.org/administrators/linux-quick-start/
    "chromium-snap": Place("/etc/chromium-browser/policies/managed/bookbag.json", "chromium"),
    # https://github.com/flathub/org.chromium.Chromium
    "chromium-flatpak": Place(
        f"{_FLATPAK}/org.chromium.Chromium.Extension.bookbag/x86_64/1/policies/managed/bookbag.json",
        "chromium",
    ),
    # https://github.com/mozilla/enterprise-admin-reference/issues/226
    "firefox-flatpak": Place(
        f"{_FLATPAK}/org.mozilla.firefox.systemconfig/x86_64/stable/policies/policies.json", "firefox"
    ),
}


@dataclass(frozen=True, slots=True)
class OtherBrowser(Managed):
    """One browser's whole file, or one setting's part of it."""

    kind: ClassVar[str] = "other-browser"
    about: ClassVar[str] = (
        "The same managed policies for Google Chrome, Microsoft Edge, Chromium as a snap, and Chromium and "
        "Firefox as flatpaks."
    )

    place: str
    policies: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.place

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(place=name)

    @property
    def path(self) -> str:
        return PLACES[self.place].path

    def power(self) -> tuple[Power, str]:
        return self._original().power()

    def written(self) -> Mapping[str, object]:
        names = PLACES[self.place].names
        return {names.get(name, name): value for name, value in self._original().written().items()}

    def watches(self) -> tuple[str, ...]:
        return (self.path.rpartition("/")[0],)

    def _original(self) -> Managed:
        """What the policies were written for: it knows which are harmless, and how they stand in a file."""
        bare = kinds.resource(f"{PLACES[self.place].like}:{self.place}")
        assert isinstance(bare, Managed)  # noqa: S101
        return type(bare)(**{**bare.record(), "policies": self.policies})

    def _overridden(self, host: Host) -> Iterator[str]:
        if PLACES[self.place].like == "chromium":
            yield from overridden(host, self.path, self.written())


def copies(original: Managed) -> tuple[OtherBrowser, ...]:
    """``original`` at each of the other places that take its policies."""
    return tuple(
        OtherBrowser(place, original.policies) for place, one in PLACES.items() if one.like == original.kind
    )
