"""Which school, year and class: as a person writes it, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet.records import DeviceRecord, SiteRecord
from agent.policy.targeting import DeviceFacts

KEYS = ("school", "year", "class")
_MOST = 32  #: characters


def of(record: DeviceRecord) -> dict[str, str | None]:
    """What a laptop has."""
    return {"school": record.school, "year": record.year, "class": record.class_}


def facts(site: str, record: DeviceRecord) -> DeviceFacts:
    """What the site's signed word says about a laptop, once it is published."""
    return DeviceFacts(
        site=site,
        device=record.device or "",
        school=record.school or "",
        year=record.year or "",
        class_=record.class_ or "",
    )


def parse(pairs: Iterable[str], site: SiteRecord, current: DeviceRecord) -> dict[str, str | None]:
    """``school=…``, ``year=…``, ``class=…`` from the command line, beside what the laptop has. Raises
    ``bad-argument``."""
    given: dict[str, str] = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or key not in KEYS:
            raise BookbagError(
                "bad-argument", f"cannot understand {pair!r}", remedy="write school=NAME year=9 class=9a"
            )
        check(key, value)
        given[key] = value
    return merged(given, site, current)


def merged(given: Mapping[str, str], site: SiteRecord, current: DeviceRecord) -> dict[str, str | None]:
    """``given`` beside what the laptop has. A key that is not given stays; an empty text clears it, and a
    school that is cleared is the site's own."""
    groups = of(current) | {key: value or None for key, value in given.items()}
    groups["school"] = check_name(groups["school"] or site.site, "a school")
    return groups


def check(key: str, value: str) -> None:
    """Raises ``bad-argument`` for what cannot be a ``key`` of a laptop."""
    if len(value) > _MOST or not value.isprintable():
        raise BookbagError(
            "bad-argument",
            f"cannot use {value[:80]!r} as a {key}",
            remedy=f"use at most {_MOST} characters, none of them invisible",
        )
    if key == "school" and value:
        check_name(value, "a school")
