"""What is decided on this laptop, by whom and why, as anyone on it may read: ``settings.json``, and how each
resource stands: ``reports.json``.

No secret is in them: of files that not everybody may read they tell no more than that they are there. What is
arranged for the student is not in them either; they are what they would be without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent.core import clock
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Origin, Outcome, Report, State
from agent.core.ports import Undo
from agent.daemon import snapshots
from agent.daemon.machine import Machine
from agent.daemon.snapshots import cut
from agent.daemon.worker import Context
from agent.policy.compiled import Compiled, Item
from agent.policy.enforcement.journal import kept
from agent.policy.enforcement.memory import EngineState
from agent.policy.enforcement.plan import FAILURES, Run, describe, report_dict
from agent.store.statefile import StateFile

MOST_ROWS = 1000  #: settings and resources that are listed

_OBSERVED = " (observed)"
#: What was just changed or healed simply is in force for whoever looks later.
_SETTLED = frozenset((Outcome.CHANGED, Outcome.HEALED))


def remembered(layout: Layout) -> EngineState | None:
    """What the engine remembers; None where it is damaged: since when, and how often, is then not known, and
    the next run begins anew.
    """
    try:
        return StateFile(layout.state_file("engine"), EngineState, "engine", stay=True).read()
    except BookbagError:
        return None


def publish(
    context: Context, machine: Machine, compiled: Compiled | None, ran: Run, state: EngineState | None
) -> None:
    """Bring all three up to date after ``ran``. A full disk or a damaged ledger is logged and costs nothing
    else."""
    hidden = {item.id for item in compiled.items() if item.arranged} if compiled else set()
    told_of = (one for one in ran.reports if one.resource not in hidden)
    rows = sorted((_report(one) for one in told_of), key=lambda row: row["resource"])
    snapshots.keep(context, "reports.json", rows)
    told = {
        "v": snapshots.VERSION,
        "site": machine.enforced.site,
        "groups": dict(machine.enforced.groups),
        "signed_at": machine.enforced.signed_at,
        "expires": machine.enforced.expires,
        "clock": machine.now.quality,
        **settings(compiled, ran.reports, machine.undo(), state, clock.day(machine.now.at)),
        **_session(machine, compiled),
    }
    snapshots.keep(context, "settings.json", told, synced=False)
    snapshots.publish_ledger(context, machine.ledger)


def _session(machine: Machine, compiled: Compiled | None) -> dict[str, object]:
    """What a teacher has on here, if the policy goes by it."""
    session, left = machine.session()
    if not left or compiled is None or session.timetable not in compiled.startable:
        return {}
    told = {"timetable": session.timetable, "until": session.until, "by": ", ".join(session.persons)}
    return {"session": told}


def settings(
    compiled: Compiled | None, reports: Iterable[Report], undo: Undo, state: EngineState | None, today: str
) -> dict[str, object]:
    """``settings`` and ``resources`` (those written directly), at most MOST_ROWS in all, how many were
    ``left_out``, and ``refusals``. ``today``, YYYY-MM-DD, tells which reviews are overdue."""
    if compiled is None:
        return {"settings": [], "resources": [], "left_out": 0, "refusals": []}
    found = {one.resource: one for one in reports}
    of_setting: dict[str, list[Item]] = {}
    for item in (one for one in compiled.items() if not one.arranged):
        for key in item.settings or ("",):
            of_setting.setdefault(_observed(key, item) if key else "", []).append(item)
    rows = [
        _setting(key, row, compiled, _Standing(of_setting.get(key, ()), found, undo, state))
        for key, row in sorted(compiled.settings.items())[:MOST_ROWS]
    ]
    reviews = {one["id"]: one["review_by"] for one in compiled.overdue(today)}
    direct = of_setting.get("", [])
    room = MOST_ROWS - len(rows)
    written = [_direct(item, compiled, _Standing([item], found, undo, state)) for item in direct[:room]]
    return {
        "until": compiled.until,
        "settings": [_reviewed(row, reviews) for row in rows],
        "resources": [_reviewed(row, reviews) for row in written],
        "left_out": len(compiled.settings) + len(direct) - len(rows) - min(room, len(direct)),
        "refusals": [
            {name: cut(one.get(name, "")) for name in ("subject", "code", "message", "place")}
            for one in compiled.refusals[:MOST_ROWS]
        ],
    }


def _reviewed(row: dict[str, object], reviews: Mapping[str, str]) -> dict[str, object]:
    """``row``, and which of the policies that decide it nobody has looked at in time (``reviews``: id → by
    when).
    """
    said = {str(one["policy"]) for one in _rows(row["said_by"])}
    late = [{"policy": name, "review_by": reviews[name]} for name in sorted(said & reviews.keys())]
    return {**row, "overdue": late}


class _Standing:
    """How the resources of one setting stand, and what was there before them."""

    def __init__(
        self, items: Iterable[Item], found: Mapping[str, Report], undo: Undo, state: EngineState | None
    ) -> None:
        self._items = tuple(items)
        self._found = found
        self._undo = undo
        self._state = state

    def to_dict(self) -> dict[str, object]:
        names = [_observed(item.id, item) for item in self._items]
        reports = [self._found[name] for name in names if name in self._found]
        worst = min(reports, key=_badness, default=None)
        return {
            "outcome": _outcome(worst) if worst else "",
            "code": worst.code if worst else "",
            "message": cut(worst.message) if worst else "",
            "since": max(map(self._since, self._own()), default=0),
            "healed": self._healed(),
            "before": list(self._before()),
        }

    def _own(self) -> Sequence[Item]:
        """Those of this setting alone, if any: what several decide is as new as the newest of them."""
        return [item for item in self._items if len(item.settings) < 2] or self._items

    def _since(self, item: Item) -> int:
        standing = self._state.standing.get(item.id) if self._state else None
        return standing.since if standing is not None and standing.outcome == Outcome.IN_FORCE else 0

    def _healed(self) -> dict[str, int]:
        """How often the most tampered of its resources was put back; when any of them was last."""
        known = self._state.heals if self._state else {}
        heals = [known[item.id] for item in self._items if not item.observe_only and item.id in known]
        times, last = (one.times for one in heals), (one.last for one in heals)
        return {"times": max(times, default=0), "last": max(last, default=0)}

    def _before(self) -> Iterator[dict[str, object]]:
        for item in self._items:
            try:
                prior, _ = self._undo.prior(item.id)
            except (KeyError, BookbagError):
                continue  # never touched, or its record is damaged, which the engine says
            yield {"resource": cut(item.id), "state": _shown(kept(item.resource(), prior))}


def _setting(
    key: str, row: Mapping[str, object], compiled: Compiled, standing: _Standing
) -> dict[str, object]:
    return {
        "key": key.removesuffix(_OBSERVED),
        "value": cut(row["shown"]),
        "observe": row["observe"],
        "final": row["final"],
        "why": row["why"],
        "said_by": [_said(compiled, one) for one in _rows(row["origins"])],
        "overrode": [{**_said(compiled, one), "reason": cut(one["reason"])} for one in _rows(row["lost"])],
        **standing.to_dict(),
    }


def _direct(item: Item, compiled: Compiled, standing: _Standing) -> dict[str, object]:
    origins = item.origins()
    return {
        "key": cut(item.id),
        "value": _shown(item.resource().desired()),
        "observe": item.observe_only,
        "final": "",
        "why": dict(origins[-1].why) if origins else {},
        "said_by": [{**_who(compiled, origin), "value": ""} for origin in origins],
        "overrode": [],
        **standing.to_dict(),
    }


def _rows(value: object) -> list[Mapping[str, object]]:
    assert isinstance(value, list)  # noqa: S101
    return value


def _said(compiled: Compiled, row: Mapping[str, object]) -> dict[str, object]:
    index = row["origin"]
    assert isinstance(index, int)  # noqa: S101
    return {**_who(compiled, compiled.origin(index)), "value": cut(row["shown"])}


def _who(compiled: Compiled, origin: Origin) -> dict[str, object]:
    when, certain = compiled.hours_of(origin.policy)
    return {
        "policy": origin.policy,
        "rank": origin.rank,
        "role": origin.role,
        "owner": origin.owner,
        "file": origin.file,
        "line": origin.line,
        "when": when,
        "certain": certain,
    }


def _observed(name: str, item: Item) -> str:
    """What is only observed has a row of its own beside what is in force."""
    return f"{name}{_OBSERVED}" if item.observe_only else name


def _shown(state: State | None) -> str:
    return "nothing" if _is_nothing(state) else cut(describe(state))


def _is_nothing(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_nothing, value.values()))
    return value is None or value is False


def _report(one: Report) -> dict[str, str]:
    return {**report_dict(one), "outcome": _outcome(one)}


def _outcome(one: Report) -> str:
    return str(Outcome.IN_FORCE if one.outcome in _SETTLED else one.outcome)


def _badness(one: Report) -> int:
    if one.outcome in FAILURES:
        return 0
    return 2 if one.outcome in _SETTLED or one.outcome is Outcome.IN_FORCE else 1
