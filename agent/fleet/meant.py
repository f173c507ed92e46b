"""The laptop that somebody means by its groups, or by its name: as its assignment would describe it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from agent.core.errors import BookbagError
from agent.fleet import groups
from agent.fleet.records import DeviceRecord, SiteRecord
from agent.policy.targeting import DeviceFacts


def laptop(
    given: Mapping[str, str], site: SiteRecord, devices: Sequence[DeviceRecord], *, place: str = ""
) -> DeviceFacts:
    """``given``: school (absent: the site's own), year and class; or device. ``place`` is told in errors.
    Raises ``not-found``."""
    if "device" not in given:
        school = given.get("school", site.site)
        return DeviceFacts(site.site, "", school, given.get("year", ""), given.get("class", ""))
    known = {one.name: one for one in devices}
    record = known.get(given["device"])
    if record is None:
        raise BookbagError(
            "not-found",
            f"cannot find a laptop {given['device'][:60]!r}",
            place=place,
            remedy=_near(given["device"], known),
        )
    if record.state != "assigned":
        raise BookbagError(
            "not-found",
            f"cannot tell what {record.name} shall get: it is {record.state}, not assigned",
            place=place,
            remedy=f"bookbag-fleet assign {record.name} …, or give groups instead",
        )
    return groups.facts(site.site, record)


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "name one that is in devices/, or give groups instead"
