"""Why a setting is as it is: who set it, in which file and line, over whom, since when, what was there
before, how often it had to be put back; and what it will be while a timetable is on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent.core.errors import BookbagError
from agent.policy import kinds
from agent.policy.bases.resource import differs
from agent.policy.enforcement.journal import kept
from agent.policy.enforcement.plan import describe
from agent.policy.syntax.problems import nearest

if TYPE_CHECKING:
    from agent.core.model import Origin
    from agent.core.ports import Undo
    from agent.host.base import Host
    from agent.policy.compiled import Compiled, Item
    from agent.policy.enforcement.memory import EngineState


@dataclass(frozen=True, slots=True)
class Said:
    """What one document says, or said in vain."""

    value: str
    policy: str
    rank: str
    role: str
    owner: str
    place: str  #: file:line
    reason: str = ""  #: why it does not hold
    when: str = ""  #: ``NAME`` of a timetable, ``outside NAME``, or "" for at all times
    certain: bool = True  #: False: whether it is that time is not known, so only what it tightens holds
    review_by: str = ""  #: YYYY-MM-DD; "": not known here
    overdue: bool = False  #: that day has passed


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing on this machine that the setting decides."""

    resource: str
    now: str
    before: str  #: before Bookbag first touched it; "" if it was never touched
    in_force: bool
    since: int = 0  #: trusted unix seconds; 0: not known
    shared: bool = False  #: several settings decide it, so ``since`` is of whichever changed last
    outcome: str = ""  #: how the last run found it; "": it was in none yet
    message: str = ""  #: why it is not in force
    healed: int = 0  #: how often it was put back since it is wanted so
    healed_last: int = 0  #: trusted unix seconds
    chosen: bool = False  #: it is there for what somebody at this laptop chose out of what is offered


@dataclass(frozen=True, slots=True)
class Ahead:
    """What it is, otherwise than now, while a timetable is on."""

    timetable: str
    value: str  #: "" while nobody decides it then
    observe: bool
    said_by: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a student, or IT, may ask about one setting or resource."""

    key: str
    value: str
    observe: bool
    final: str  #: id of the policy that made it final; "" if none
    why: Mapping[str, str]  #: language → sentence
    said_by: tuple[Said, ...]
    overrode: tuple[Said, ...]
    effects: tuple[Effect, ...]
    refusals: tuple[str, ...] = field(default=())
    conflicts: tuple[str, ...] = field(default=())  #: contradictions that it won or lost
    ahead: tuple[Ahead, ...] = field(default=())
    arranged: int = 0  #: it is arranged for the student of this laptop until then, unix seconds; 0: it is not
    held_by: str = ""  #: the policy that keeps what is arranged from being in force

    @property
    def since(self) -> int:
        """Since when it holds, trusted unix seconds; 0 if not known."""
        own = [effect for effect in self.effects if not effect.shared] or self.effects
        return max((effect.since for effect in own), default=0)

    def to_dict(self) -> dict[str, object]:
        """For ``--json`` and the control socket."""
        from dataclasses import asdict

        return {**asdict(self), "since": self.since}

    def reason(self, language: str) -> str:
        """The sentence for a reader of ``language``: that one, its plain form (pt for pt-BR), English,
        or any.
        """
        for wanted in (language, language.partition("-")[0], "en"):
            if wanted in self.why:
                return self.why[wanted]
        return next(iter(self.why.values()), "")


def explain(
    compiled: Compiled,
    key: str,
    undo: Undo,
    host: Host,
    state: EngineState | None = None,
    *,
    today: str = "",
    later: Mapping[str, Compiled] | None = None,
) -> Explanation:
    """The explanation of a setting (``screen-lock.after``) or resource (``file:/etc/motd``). ``today``
    (YYYY-MM-DD; "": not known) tells which reviews are overdue; ``later``: timetable → what holds while it is
    on.

    Raises ``not-found`` with the nearest key if nothing here is called so. Never changes anything.
    """
    row = compiled.arranged.get(key)
    if key in (one.id for one in compiled.items() if one.arranged) or (row and not row["held_by"]):
        return _arranged(compiled, key)
    found = _found(compiled, key, undo, host, state)
    now, then = _decided(compiled, key), {name: _decided(one, key) for name, one in (later or {}).items()}
    ahead = tuple(one for name in sorted(then) if (one := _ahead(name, now, then[name])))
    if found is None and not ahead:
        raise _unknown(compiled, key)
    explanation = found or Explanation(key, "", False, "", {}, (), (), ())
    overdue = {one["id"] for one in compiled.overdue(today)} if today else set()
    said_by = tuple(replace(one, overdue=one.policy in overdue) for one in explanation.said_by)
    held = {"arranged": compiled.arranged_until, "held_by": row["held_by"]} if row else {}
    return replace(explanation, said_by=said_by, ahead=ahead, **held)  # type: ignore[arg-type]


def _arranged(compiled: Compiled, key: str) -> Explanation:
    """Of what is arranged: that it is, and until when. Neither its value nor over whom."""
    return Explanation(key, "arranged", False, "", {}, (), (), (), arranged=compiled.arranged_until)


def _found(
    compiled: Compiled, key: str, undo: Undo, host: Host, state: EngineState | None
) -> Explanation | None:
    """What holds now; None if nothing of that name does."""
    items = [item for item in compiled.items() if key in (*item.settings, item.id)]
    refusals = tuple(
        f"{row['place']}: {row['message']}" for row in compiled.refusals if row["subject"] == key
    )
    conflicts = tuple(
        row["message"] for row in compiled.conflicts if key in _named(row["subject"], row.get("holder", ""))
    )
    row = _row_of(compiled, key)
    effects = tuple(_effect(item, undo, host, state) for item in items)
    if row is not None:
        return replace(_of_setting(key, row, compiled, effects, refusals), conflicts=conflicts)
    if items:
        origins = items[-1].origins()
        said = tuple(_said(compiled, origin, effects[-1].now) for origin in origins)
        why = {} if effects[-1].shared else dict(origins[-1].why)  # each of its settings has its own
        now, observe = effects[-1].now, items[-1].observe_only
        return Explanation(key, now, observe, "", why, said, (), effects, refusals, conflicts)
    if refusals or conflicts:
        value = "refused" if refusals else "overruled"
        return Explanation(key, value, False, "", {}, (), (), (), refusals, conflicts)
    return None


def _row_of(compiled: Compiled, key: str) -> Mapping[str, object] | None:
    return compiled.settings.get(key) or compiled.settings.get(f"{key} (observed)")


def _ahead(timetable: str, now: Ahead, then: Ahead) -> Ahead | None:
    """What is decided while ``timetable`` is on; None if that is as ``now``."""
    if (now.value, now.observe, bool(now.said_by)) == (then.value, then.observe, bool(then.said_by)):
        return None
    return replace(then, timetable=timetable)


def _decided(compiled: Compiled, key: str) -> Ahead:
    """What ``compiled`` wants of a setting, or of a resource that is written directly."""
    row = _row_of(compiled, key)
    if row is not None:
        said = tuple(_row(compiled, one) for one in _rows(row["origins"]))
        return Ahead("", str(row["shown"]), bool(row["observe"]), said)
    item = next((one for one in compiled.items() if one.id == key and not one.settings), None)
    if item is None:
        return Ahead("", "", False, ())
    value = describe(item.resource().desired())
    return Ahead(
        "", value, item.observe_only, tuple(_said(compiled, origin, value) for origin in item.origins())
    )


def _unknown(compiled: Compiled, key: str) -> BookbagError:
    known = [*compiled.settings, *(item.id for item in compiled.items())]
    if key in kinds.settings():
        setting = kinds.settings()[key]
        return BookbagError(
            "not-found",
            f"cannot explain {key}: no policy sets it on this laptop",
            remedy=f"a school could: {setting.about}",
        )
    remedy = nearest(key, known) if known else "no policy sets anything on this laptop"
    return BookbagError("not-found", f"cannot explain {key!r}: nothing here is called so", remedy=remedy)


def _named(*names: str) -> list[str]:
    """What a conflict is about: of a resource that several settings decide, each of them."""
    return [one for name in names for one in name.split(", ")]


def _of_setting(
    key: str,
    row: Mapping[str, object],
    compiled: Compiled,
    effects: tuple[Effect, ...],
    refusals: tuple[str, ...],
) -> Explanation:
    why = row["why"]
    assert isinstance(why, dict)  # noqa: S101
    return Explanation(
        key=key,
        value=str(row["shown"]),
        observe=bool(row["observe"]),
        final=str(row["final"]),
        why=why,
        said_by=tuple(_row(compiled, one) for one in _rows(row["origins"])),
        overrode=tuple(_row(compiled, one) for one in _rows(row["lost"])),
        effects=effects,
        refusals=refusals,
    )


def _rows(value: object) -> list[Mapping[str, object]]:
    assert isinstance(value, list)  # noqa: S101
    return value


def _row(compiled: Compiled, row: Mapping[str, object]) -> Said:
    index = row["origin"]
    assert isinstance(index, int)  # noqa: S101
    return _said(compiled, compiled.origin(index), str(row["shown"]), str(row.get("reason", "")))


def _said(compiled: Compiled, origin: Origin, value: str, reason: str = "") -> Said:
    place, hours = f"{origin.file}:{origin.line}", compiled.hours_of(origin.policy)
    review = next((row["review_by"] for row in compiled.policies if row["id"] == origin.policy), "")
    return Said(
        value, origin.policy, origin.rank, origin.role, origin.owner, place, reason, *hours, review_by=review
    )


def _effect(item: Item, undo: Undo, host: Host, state: EngineState | None) -> Effect:
    resource = item.resource()
    try:
        seen = resource.observe(host)
        now, in_force = describe(seen), not differs(seen, resource.desired())
    except BookbagError as error:
        now, in_force = f"cannot be read: {error.message}", False
    try:
        prior, _ = undo.prior(item.id)
        before = describe(kept(resource, prior))
    except KeyError:
        before = ""
    standing = state.standing.get(item.id) if state else None
    since = standing.since if standing is not None and standing.outcome == "in-force" else 0
    heals = state.heals.get(item.id) if state else None
    return Effect(
        item.id,
        now,
        before,
        in_force,
        since,
        shared=len(item.settings) > 1,
        outcome=standing.outcome if standing else "",
        message=standing.text if standing else "",
        healed=heals.times if heals else 0,
        healed_last=heals.last if heals else 0,
        chosen=item.chosen,
    )
