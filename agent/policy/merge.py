"""Ranks become one value per setting: replace, union, common, strictest; final; and what lost, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.core.model import Origin
from agent.policy.bases.setting import Merge, Setting
from agent.policy.targeting import RANKS


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one document says about one setting."""

    value: object
    origin: Origin
    final: bool
    power: bool

    @property
    def order(self) -> tuple[int, str]:
        """The farthest rank first, then by the policy's id."""
        return RANKS.index(self.origin.rank), self.origin.policy


@dataclass(frozen=True, slots=True)
class Lost:
    """A contribution that did not become the value, and why."""

    contribution: Contribution
    reason: str


@dataclass(slots=True)
class Resolved:
    """The value in force, who gave it, who lost, and what contradicted each other."""

    value: object
    origins: list[Contribution]
    final: Contribution | None = None
    lost: list[Lost] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def resolve(setting: Setting, contributions: Sequence[Contribution]) -> Resolved:
    """One value out of at least one contribution; the order they come in does not matter."""
    first, *others = sorted(contributions, key=lambda one: one.order)
    result = Resolved(first.value, [first], first if first.final else None)
    for contribution in others:
        match setting.merge:
            case Merge.UNION | Merge.COMMON:
                _join(setting, result, contribution)
            case Merge.STRICTEST:
                _strictest(setting, result, contribution)
            case Merge.REPLACE:
                _replace(setting, result, contribution)
        if contribution.final and contribution in result.origins and result.final is None:
            result.final = contribution
    return result


def under_final(
    setting: Setting, contributions: Sequence[Contribution], ruling: Sequence[Contribution]
) -> tuple[list[Contribution], list[str]]:
    """``contributions`` to a list of exceptions without those entries that would loosen what a farther rank
    made final in ``ruling``, the contributions to what is excepted from; and a text for each that lost some.
    """
    kept, told = [], []
    for one in contributions:
        final = [other for other in ruling if other.final and other.order[0] < one.order[0]]
        assert isinstance(one.value, list)  # noqa: S101
        lost = [entry for entry in one.value if any(setting.loosens(entry, two.value) for two in final)]
        left = [entry for entry in one.value if entry not in lost]
        if left:
            kept.append(replace(one, value=left))
        if lost:
            who = next(two for two in final if any(setting.loosens(entry, two.value) for entry in lost))
            told.append(
                f"cannot follow {one.origin.file}:{one.origin.line} about {setting.show(lost)}: "
                f"{who.origin.policy} made {setting.excepts} final"
            )
    return kept, told


def _loosens_final(setting: Setting, result: Resolved, value: object) -> str:
    if result.final is None or value == result.value or setting.tighter(value, result.value):
        return ""
    return f"{result.final.origin.policy} made its value final, and this would not be tighter"


def _join(setting: Setting, result: Resolved, new: Contribution) -> None:
    joined = setting.join(result.value, new.value)
    reason = _loosens_final(setting, result, joined)
    if isinstance(joined, list) and len(joined) > setting.most():
        reason = f"the joined list would have more than {setting.most()} entries"
    if reason:
        result.lost.append(Lost(new, reason))
        return
    result.value = joined
    result.origins.append(new)


def _strictest(setting: Setting, result: Resolved, new: Contribution) -> None:
    if setting.tighter(new.value, result.value):
        _take(result, new, f"{new.origin.policy} is stricter")
    elif new.value == result.value:
        result.origins.append(new)
    else:
        result.lost.append(Lost(new, f"{result.origins[0].origin.policy} is stricter"))


def _replace(setting: Setting, result: Resolved, new: Contribution) -> None:
    if new.value == result.value:
        result.origins.append(new)
        return
    holder = result.origins[-1]
    if holder.origin.rank == new.origin.rank:
        _contradiction(setting, result, holder, new)
        return
    reason = _loosens_final(setting, result, new.value)
    if reason:
        result.lost.append(Lost(new, reason))
    else:
        _take(result, new, f"{new.origin.policy} speaks for rank {new.origin.rank}, which is nearer")


def _contradiction(setting: Setting, result: Resolved, holder: Contribution, new: Contribution) -> None:
    """Two of the same rank: the tighter wins, else the first by id; IT is told either way."""
    wins_new = setting.tighter(new.value, result.value) and not _loosens_final(setting, result, new.value)
    winner, loser = (new, holder) if wins_new else (holder, new)
    how = "is tighter" if wins_new or setting.tighter(result.value, new.value) else "comes first by name"
    result.conflicts.append(
        f"cannot follow both {winner.origin.file}:{winner.origin.line} and "
        f"{loser.origin.file}:{loser.origin.line}, which have the same rank ({new.origin.rank}): "
        f"{winner.origin.policy} {how} and holds"
    )
    if wins_new:
        _take(result, new, f"{new.origin.policy} has the same rank and is tighter")
    else:
        result.lost.append(Lost(new, f"{holder.origin.policy} has the same rank and {how}"))


def _take(result: Resolved, new: Contribution, reason: str) -> None:
    result.lost.extend(Lost(old, reason) for old in result.origins)
    result.value = new.value
    result.origins = [new]
