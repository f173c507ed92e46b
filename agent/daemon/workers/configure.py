"""configure: agent.yaml, read strictly, and what policy decides before it, become the few plain values that
the resident process works with.

Policy's part is root's own public file ``agent.json`` (`agent.policy.resources.agent`); what in it is absent
or out of bounds is not decided by it. A broken agent.yaml leaves the last good one in force; the error is
said, and said again until it is mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon.amounts import Amounts
from agent.daemon.pending import membership
from agent.daemon.settings import Settings, read_settings
from agent.daemon.worker import Context
from agent.store import atomic
from agent.store.statefile import StateFile
from agent.trust.identity import installation_id

MAX_BYTES = 64 << 10
#: What policy may decide, and within which bounds.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "poll_s": (60, 24 * 3600),
    "content_rate": (0, 1 << 30),
    "content_per_day": (0, 1 << 40),
    "content_room": (0, 1 << 40),
    "content_share": (0, 99),
    "report_s": (3600, 24 * 3600),
    "work_begin": (0, 24 * 60 - 1),
    "work_minutes": (60, 24 * 60 - 1),
}
_MOST_DECIDED = 4096


@dataclass(frozen=True, slots=True)
class LastGood:
    """What agent.yaml said when it was last well-formed."""

    site: str
    urls: tuple[str, ...]
    poll: int
    portal_port: int
    telemetry: bool = True
    telemetry_url: str = ""
    content: Amounts = field(default_factory=Amounts)
    extra: Mapping[str, object] = field(default_factory=dict)


def run(context: Context) -> int:
    """Emit the configuration in force; exit 1 if the file is broken, whatever is in force."""
    layout = context.layout
    kept = StateFile(layout.state_file("config"), LastGood, "config")
    code = 0
    settings: Settings | None = None
    try:
        data = atomic.read(layout.agent_yaml, max_bytes=MAX_BYTES)
        if data is None:
            context.result({"enrolment": "none", "site": "", "urls": [], "poll_s": 0})
            return 0
        settings = read_settings(data, layout.agent_yaml)
    except BookbagError as problem:
        context.error(problem)
        code = 1
    last = _last_good(context, kept)
    if settings is not None:
        good = LastGood(
            settings.site,
            settings.urls,
            settings.poll,
            settings.portal_port,
            settings.telemetry,
            settings.telemetry_url,
            settings.content,
        )
        if last != good:
            kept.write(good)
    elif last is not None:
        good = last
    else:
        return 1
    context.result(_resolved(context, good) | decided(context.layout))
    return code


def decided(layout: Layout) -> dict[str, object]:
    """What policy decides of the configuration; nothing of a file that cannot be read."""
    path = f"{layout.public}/agent.json"
    try:
        data = atomic.read(path, max_bytes=_MOST_DECIDED)
        said = None if data is None else jsontext.parse(data, what=path, max_bytes=_MOST_DECIDED)
    except BookbagError:
        return {}
    if not isinstance(said, dict) or said.get("v") != 1:
        return {}
    return {
        name: said[name]
        for name, (least, most) in BOUNDS.items()
        if type(said.get(name)) is int and least <= said[name] <= most
    }


def _last_good(context: Context, kept: StateFile[LastGood]) -> LastGood | None:
    try:
        return kept.read()
    except BookbagError as problem:
        context.error(problem)
        return None


def _resolved(context: Context, good: LastGood) -> dict[str, object]:
    """With what follows from this laptop's enrolment."""
    held = membership(context.layout)
    return {
        "enrolment": held.stage if held else "none",
        "site": good.site,
        "urls": list(good.urls),
        "poll_s": good.poll,
        "device": held.device if held else "",
        "mailbox": held.mailbox if held and held.site == good.site else "",
        "telemetry": good.telemetry,
        "telemetry_url": good.telemetry_url,
        "content_rate": good.content.rate,
        "content_per_day": good.content.per_day,
        "content_room": good.content.room,
        "content_share": good.content.share,
        "installation": installation_id(good.site, held.device) if held and held.site == good.site else "",
    }
