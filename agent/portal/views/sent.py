"""What was sent: every byte that last left this laptop, decoded and as it was, and what is never collected.

The files are the sync user's, so they are read like anything foreign.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.portal.dates import moment, size
from agent.portal.frame import page
from agent.portal.html import Child, Html, join, tag
from agent.portal.public import mapping, rows, text, whole
from agent.portal.views import asks
from agent.portal.views.help import never
from agent.portal.views.laptop import pairs, tabs
from agent.portal.visit import Visit, foreign, machine, written
from agent.store import atomic
from agent.web.answers import Answer
from agent.web.http import HttpError

MAX_BYTES = 1 << 20  #: of one file
MOST = 50  #: uploads that are shown
_NAME = re.compile(r"([0-9]{12,18})-(logs|metrics)\.json\Z")
_RAW = re.compile(r"[0-9]{12,18}-(logs|metrics)\.pb\Z")


def sent(visit: Visit) -> Html:
    """The page."""
    say = visit.say
    shown = [
        tag("li", _upload(visit, stem, entry), class_="card") for stem, entry in _entries(visit.parts.sent)
    ]
    return page(
        visit,
        say("sent.title"),
        tag("h1", say("sent.title")),
        tabs(visit),
        tag("p", say("sent.lead"), class_="lead"),
        tag("ul", *shown, class_="stack") if shown else tag("p", say("sent.none"), class_="card"),
        tag("p", say("sent.sealed"), class_="soft after"),
        *_requests(visit),
        tag("h2", say("sent.asked")),
        _asked(visit),
        never(visit),
    )


def _requests(visit: Visit) -> list[Child]:
    """What this person asked of the school, in the very text that was sealed; of others only how many."""
    say, asking = visit.say, visit.parts.asking
    mine = [one for one in asking.of(visit.who) if one.sent_at]
    others = asking.others(visit.who)
    if not (mine or others):
        return []
    rows_ = [
        tag(
            "li", pairs([(say("sent.at"), moment(one.sent_at, say))]), asks.exactly(visit, one), class_="card"
        )
        for one in mine
    ]
    more = tag("p", say("sent.asks.others", count=others), class_="soft after") if others else None
    return [tag("h2", say("sent.asks")), tag("ul", *rows_, class_="stack") if rows_ else None, more]


def _asked(visit: Visit) -> Html:
    """The reports that signed policy names; the declarations speak English."""
    from agent.telemetry.records import records  # a tenth of a cold start

    told = visit.parts.public.read("telemetry") or {}
    names = told.get("records")
    texts = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    known = records()
    asked = [known[name] for name in texts if name in known]
    if not asked:
        return tag("p", visit.say("sent.asked.none"))
    return tag(
        "dl", *[join(tag("dt", machine(one.name)), tag("dd", written(one.about, "en"))) for one in asked]
    )


def raw(visit: Visit) -> Answer:
    """The bytes of one upload, as they left. Raises HttpError 404."""
    name = visit.path.rpartition("/")[2]
    if not _RAW.match(name):
        raise HttpError(404, "there is no such upload", keep=True)
    try:
        data = atomic.read(f"{visit.parts.sent}/{name}", max_bytes=MAX_BYTES)
    except BookbagError:
        data = None
    if data is None:
        raise HttpError(404, "there is no such upload", keep=True)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Answer(200, headers, data)


def _entries(folder: str) -> list[tuple[str, Mapping[str, object]]]:
    """(name without its ending, entry) of the uploads, newest first; those that cannot be read are left
    out."""
    try:
        names = sorted((name for name in os.listdir(folder) if _NAME.match(name)), reverse=True)
    except OSError:
        return []
    found: list[tuple[str, Mapping[str, object]]] = []
    for name in names[:MOST]:
        try:
            data = atomic.read(f"{folder}/{name}", max_bytes=MAX_BYTES)
            entry = jsontext.parse(data or b"", what=name, max_bytes=MAX_BYTES, max_nodes=50_000)
        except BookbagError:
            continue
        if isinstance(entry, dict):
            found.append((name.removesuffix(".json"), entry))
    return found


def _upload(visit: Visit, stem: str, entry: Mapping[str, object]) -> Html:
    say = visit.say
    number = int(stem.partition("-")[0])
    facts: list[tuple[str, Child]] = [(say("sent.at"), moment(whole(entry, "at"), say))]
    for name in ("url", "to", "address"):
        if where := text(entry, name):
            facts.append((say("sent.to"), machine(where)))
    facts.append((say("sent.bytes"), size(whole(entry, "bytes"), say)))
    facts.append((say("sent.outcome"), foreign(text(entry, "outcome"))))
    if (tries := whole(entry, "tries")) > 1:
        facts.append((say("sent.tries"), tries))
    return join(
        tag("h2", say("sent.upload", number=number), class_="small"),
        pairs(facts),
        *[_report(visit, one) for one in rows(entry, "reports")],
        tag(
            "p",
            tag("a", say("sent.raw"), href=f"/laptop/sent/{stem}.pb", class_="button", download=True),
        ),
    )


def _report(visit: Visit, one: Mapping[str, object]) -> Html:
    """One report, every value of it."""
    values = {**mapping(one, "laptop"), **mapping(one, "values")}
    facts: list[tuple[str, Child]] = [(name, foreign(_plain(value))) for name, value in values.items()]
    title = join(visit.say("sent.record"), " ", machine(text(one, "record")))
    return tag("details", tag("summary", title), pairs(facts))


def _plain(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)
