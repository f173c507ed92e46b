"""What the fleet page shows of the folder and of the reports, for what was asked of it.

A school has thousands of laptops and a look at the page should cost a moment: of those that are not shown no
receipt is read, and of the orders only the newest are followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.core.clock import DAY, day
from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.fleet.inforce import HEAD as HEAD_IN_FORCE
from agent.fleet.inforce import InForce, in_force
from agent.fleet.ordered import HEAD as HEAD_ORDERED
from agent.fleet.ordered import read_ordered
from agent.fleet.overview import Overview, read_overview
from agent.fleet.records import DeviceRecord
from agent.fleet.reported import HEAD, Standing, reported, with_receipts
from agent.fleet.reports import ReportStore
from agent.fleet.service.page import Content, Table, View
from agent.fleet.wanted import read_wanted

EACH = 100  #: laptops on one page
MOST_ORDERS = 100
SILENT = 14 * DAY


@dataclass(frozen=True, slots=True)
class _Laptop:
    """One laptop, and which lists it is on."""

    device: DeviceRecord
    standing: Standing
    lists: frozenset[str]
    state: str
    groups: str

    def fits(self, words: Sequence[str]) -> bool:
        """Whether each of ``words``, in small letters, is in its name or in its groups."""
        text = f"{self.device.name} {self.groups} {self.state}".casefold()
        return all(word in text for word in words)

    def cells(self, folder: Folder) -> list[str]:
        told = with_receipts(folder, self.device, self.standing)
        return [self.device.name, self.state, self.groups, *told.cells()]


def content(folder: Folder, now: int, store: ReportStore | None, view: View) -> Content:
    """The page; a folder that cannot be read gives a page that says so."""
    try:
        seen = read_overview(folder)
        laptops = _laptops(folder, seen, store, now)
        found = [one for one in laptops if view.show in one.lists and one.fits(view.find.casefold().split())]
        shown = found[(view.page - 1) * EACH : view.page * EACH]
        ordered = read_ordered(folder, read_wanted(folder).trust, now, most=MOST_ORDERS + 1)
        rows = [one.cells(folder) for one in shown]
    except BookbagError as error:
        return Content("?", view, (Table("This folder cannot be read", ["why"], [[str(error)]]),))
    counts = {name: sum(name in one.lists for one in laptops) for name in view.LISTS}
    settings = in_force(one.standing for one in laptops)
    more = "Older ones are left out: bookbag-fleet status tells all." if len(ordered) > MOST_ORDERS else ""
    tables = (
        Table("Laptops", ["name", "state", "school, year, class", *HEAD], rows),
        Table("Orders", HEAD_ORDERED, [one.cells() for one in ordered[:MOST_ORDERS]], more),
        Table("Settings not in force", HEAD_IN_FORCE, settings.rows(), _told(settings)),
        Table("Published", ["role", "version", "until", "signed by"], _published(seen, now)),
        Table("Waiting for signatures", ["role", "signed by", "missing"], _waiting(seen)),
    )
    return Content(seen.site, view, tables, counts, len(found), EACH)


def _told(settings: InForce) -> str:
    if not settings.reporting:
        return "No laptop has told how its settings stand. They do when policy names telemetry.records."
    return "Which laptops: bookbag-fleet status --json" if settings.lacks else ""


def _laptops(folder: Folder, seen: Overview, store: ReportStore | None, now: int) -> list[_Laptop]:
    found = []
    for device, one in zip(seen.devices, reported(folder, seen.devices, store, now), strict=True):
        back = device.name in seen.returned
        lists = {
            "all": True,
            "look": one.needs_look,
            "silent": device.state == "assigned" and one.heard < now - SILENT,
            "locked": one.locked,
            "back": back,
        }
        groups = " ".join(filter(None, (device.school, device.year, device.class_)))
        on = frozenset(name for name, is_on in lists.items() if is_on)
        found.append(_Laptop(device, one, on, "pending" if back else device.state, groups))
    return found


def _published(seen: Overview, now: int) -> list[list[str]]:
    return [
        [
            one.role,
            str(one.version),
            day(one.expires) + (" (expired)" if one.expires <= now else ""),
            ", ".join(one.persons) or "online",
        ]
        for one in seen.published
    ]


def _waiting(seen: Overview) -> list[list[str]]:
    return [
        [one.role, ", ".join(one.have) or "nobody", str(one.missing)] for one in seen.waiting if not one.ready
    ]
