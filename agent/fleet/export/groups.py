"""Which laptops get one file together: those that plan tells apart, or who is asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.fleet import groups
from agent.fleet.meant import laptop
from agent.fleet.records import DeviceRecord, SiteRecord
from agent.policy.targeting import DeviceFacts

_PLAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_HOW = "write --for school=NAME,year=9,class=9a, or --for device=NAME"


@dataclass(frozen=True, slots=True)
class Group:
    """``given``: school, year and class as far as they are known, or the name of one laptop."""

    given: Mapping[str, str]
    facts: DeviceFacts

    @property
    def name(self) -> str:
        """For people."""
        return ", ".join(f"{key} {value}" for key, value in self.given.items())

    @property
    def stem(self) -> str:
        """How its files are called: safe on every system, and different for different groups."""
        return "_".join(f"{key}-{_safe(value)}" for key, value in self.given.items())


def wanted(asked: Sequence[str], site: SiteRecord, devices: Sequence[DeviceRecord]) -> list[Group]:
    """The groups asked for, or all those that assigned laptops are of (where there are none, the site's own
    school). Raises ``bad-argument``, ``not-found``."""
    found = [_asked(one, site, devices) for one in asked] or list(_every(site, devices))
    return sorted({one.stem: one for one in found}.values(), key=lambda one: one.stem)


def _asked(text: str, site: SiteRecord, devices: Sequence[DeviceRecord]) -> Group:
    given: dict[str, str] = {}
    for pair in text.split(","):
        key, mark, value = pair.partition("=")
        if not mark or not value or key in given or key not in (*groups.KEYS, "device"):
            raise BookbagError("bad-argument", f"cannot understand --for {text[:80]!r}", remedy=_HOW)
        if key in groups.KEYS:
            groups.check(key, value)
        given[key] = value
    if "device" in given:
        if len(given) > 1:
            why = "cannot take a laptop by its name and other groups too: it has its own"
            raise BookbagError("bad-argument", why, remedy=_HOW)
        return Group(given, laptop(given, site, devices))
    return _group(given, site, devices)


def _every(site: SiteRecord, devices: Sequence[DeviceRecord]) -> Iterator[Group]:
    assigned = [groups.of(one) for one in devices if one.state == "assigned"]
    for one in assigned or [{}]:
        yield _group({key: value for key, value in one.items() if value}, site, devices)


def _group(given: Mapping[str, str], site: SiteRecord, devices: Iterable[DeviceRecord]) -> Group:
    whole = {"school": site.site, **given}
    ordered = {key: whole[key] for key in groups.KEYS if key in whole}
    return Group(ordered, laptop(ordered, site, list(devices)))


def _safe(value: str) -> str:
    """``value`` if every system can have it in a file's name, else what is left of it and what tells it
    apart."""
    if _PLAIN.fullmatch(value):
        return value
    left = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
    return "-".join(filter(None, (left, hashlib.sha256(value.encode()).hexdigest()[:8])))
