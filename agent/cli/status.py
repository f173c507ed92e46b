"""`bookbag status`: what holds on this laptop, since when, on whose word, how old that word is, and what is
wrong.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from agent.cli import _decided, _orders
from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.cli._orders import Notices
from agent.client import Client
from agent.content.sizes import spelled
from agent.core.errors import BookbagError
from agent.core.layout import Layout

SUMMARY = "how this laptop stands: what holds, on whose word, what is wrong"

_ENROLMENT = {
    "none": "not enrolled",
    "made": "enrolling: the desk has not been told yet",
    "asked": "enrolling: the request waits to be delivered",
    "delivered": "enrolling: the desk must assign this laptop",
    "refused": "enrolling: the token was used before; ask the desk, or for another one",
    "assigned": "enrolled",
}
_NOTHING = Notices()
_COLOUR = {
    **dict.fromkeys(("in-force", "healed", "changed"), "green"),
    **dict.fromkeys(("pending", "not-yet", "overruled", "unmet"), "yellow"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to list everything."""
    parser.add_argument(
        "--all", action="store_true", help="list every setting and resource, not only those with trouble"
    )


def run(args: argparse.Namespace) -> int:
    """Ask the supervisor; exit bits as after a plan: 2 changes pending, 4 trouble."""
    layout = layout_of(args)
    answer = Client(layout).status()
    if args.all:
        answer.result["reports"] = _snapshot(layout, "reports")
        answer.result["settings"] = _snapshot(layout, "settings")
    if args.json:
        terminal.print_json(answer.result)
    else:
        print(text(answer.result, _orders.read(layout)))
    return answer.code


def _snapshot(layout: Layout, name: str) -> object:
    """How every resource, or setting, stood after the last run, as the enforce worker told everybody."""
    path = f"{layout.public}/{name}.json"
    try:
        with open(path, "rb") as file:
            return json.load(file)
    except (OSError, ValueError) as problem:
        raise BookbagError("not-found", f"cannot list the {name}: {problem}", place=path) from None


def text(status: dict[str, object], told: Notices = _NOTHING) -> str:
    """The status for people, with what root tells them."""
    rows = [
        ("laptop", _laptop(status)),
        *_orders.rows(status, told),
        ("word", _word(status)),
        ("in force", _outcomes(status)),
        ("sync", _sync(status)),
    ]
    reports = _reports(status)
    if reports:
        rows.append(("reports", reports))
    if _dict(_dict(status.get("content")).get("counts")):
        rows.append(("content", _content(status)))
    clock = status.get("clock")
    if isinstance(clock, dict) and clock.get("quality") != "good":
        rows.append(("clock", terminal.paint("suspect: far ahead of any trusted time", "yellow")))
    pause = status.get("pause")
    if isinstance(pause, dict):
        left = pause.get("left_s")
        how_long = "until `bookbag pause --end`" if left is None else f"for {terminal.span(left)} more"
        why = f"{how_long}: {pause.get('reason')}"
        rows.append(("paused", terminal.paint(terminal.plain(why), "yellow")))
    if status.get("recovering"):
        rows.append(
            (
                "recovering",
                terminal.paint("the trust ledger was lost; two persons must readmit this laptop", "red"),
            )
        )
    parts = ["\n".join(f"{name:<10} {value}" for name, value in rows), *_lists(status)]
    quarantined = [
        name for name, health in _dict(status.get("workers")).items() if "quarantined" in _dict(health)
    ]
    if quarantined:
        parts.append(f"quarantined workers: {', '.join(quarantined)}")
    return "\n\n".join(parts)


def _lists(status: dict[str, object]) -> Iterator[str]:
    """What is told one by one, each list under its name."""
    for title, key in (
        ("errors", "errors"),
        ("with trouble", "exceptions"),
        ("refused", "refusals"),
        ("notes", "notes"),
        ("resources", "reports"),
    ):
        if listed := _listed(status.get(key)):
            yield f"{title}:\n{listed}"
    if settings := _decided.settings(status.get("settings"), _dict(status.get("clock")).get("at")):
        yield f"settings:\n{terminal.table(settings, indent='  ')}"
    if healed := _decided.put_back(status):
        yield f"put back:\n{terminal.table(healed, indent='  ')}"


def _laptop(status: dict[str, object]) -> str:
    enrolment = str(status.get("enrolment"))
    groups = _dict(status.get("groups"))
    parts = [f"{name} {value}" for name, value in groups.items() if value]
    site = status.get("site")
    said = _ENROLMENT.get(enrolment, enrolment)
    stands, mark, still = said.partition(": ")
    where = f" with {site}" if site else ""
    who = f" ({', '.join(parts)})" if parts else ""
    return terminal.plain(f"{stands}{where}{mark}{still}{who}")


def _word(status: dict[str, object]) -> str:
    word = status.get("word")
    if not isinstance(word, dict):
        return "none yet: nothing signed by the school has arrived"
    said = f"signed {terminal.ago(word.get('age_s'))}"
    if word.get("expired"):
        return terminal.paint(f"{said}, expired: what it brought stays in force", "yellow")
    return said


def _outcomes(status: dict[str, object]) -> str:
    outcomes = _dict(status.get("outcomes"))
    counted = [
        terminal.paint(f"{count} {name}", _COLOUR.get(name, "red"))
        for name, count in outcomes.items()
        if count
    ]
    said = ", ".join(counted) or "nothing is asked of this laptop"
    return f"{said}; checked {terminal.ago(status.get('enforced_ago_s'))}"


def _sync(status: dict[str, object]) -> str:
    sync = _dict(status.get("sync"))
    due = sync.get("next_in_s")
    said = f"last good {terminal.ago(sync.get('good_ago_s'))}"
    if sync.get("good_ago_s") is None:
        said = "no source reached since start"
    return said + (f", next in {terminal.span(due)}" if isinstance(due, int) else ", none planned")


def _reports(status: dict[str, object]) -> str:
    """What this laptop tells the school of itself; "" where it tells nothing."""
    telemetry = _dict(status.get("telemetry"))
    names = telemetry.get("records")
    if not telemetry.get("on") or not isinstance(names, list) or not names:
        return ""
    said = f"{', '.join(map(str, names))}; last taken {terminal.ago(telemetry.get('taken_ago_s'))}"
    waiting = telemetry.get("waiting")
    return terminal.plain(said + (f", {waiting} waiting" if waiting else ""))


def _content(status: dict[str, object]) -> str:
    """How much of the learning content that is meant for this laptop is here; `bookbag content` lists it."""
    content = _dict(status.get("content"))
    counts = {name: count for name, count in _dict(content.get("counts")).items() if isinstance(count, int)}
    here, wanted = counts.get("ready", 0) + counts.get("updating", 0), sum(counts.values())
    used, room = content.get("used"), content.get("room")
    said = f"{here} of {wanted} items are here"
    if isinstance(used, int) and isinstance(room, int):
        said += f", {spelled(used)} of {spelled(room)}"
    rest = [f"{count} {name}" for name, count in counts.items() if name not in ("ready", "updating")]
    return said + (f"; {', '.join(rest)}" if rest else "")


def _listed(rows: object) -> str:
    if not isinstance(rows, list):
        return ""
    cells = []
    for row in rows:
        one = _dict(row)
        subject = one.get("resource") or one.get("subject") or one.get("about") or ""
        state = one.get("outcome") or one.get("code") or ""
        message = one.get("message") or ""
        remedy = f"; {one['remedy']}" if one.get("remedy") else ""
        cells.append((str(subject), str(state), f"{message}{remedy}"))
    return terminal.table(cells, indent="  ")


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
