"""What holds of documents that may be in force or not: what they tighten, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.policy.bases.setting import Setting
from agent.policy.merge import Contribution, resolve


def tightened(
    setting: Setting, given: list[Contribution], doubtful: Sequence[Contribution]
) -> list[Contribution]:
    """``given``, and of ``doubtful`` what allows less, be it than nothing at all."""
    if setting.excepts:
        return _left(setting, given, doubtful)
    for one in doubtful:
        ahead = [*given, one]
        value = resolve(setting, ahead).value
        if setting.tighter(value, resolve(setting, given).value) if given else setting.restricts(value):
            given = ahead
    return given


def _left(
    setting: Setting, given: list[Contribution], doubtful: Sequence[Contribution]
) -> list[Contribution]:
    """Of exceptions none is added, and those stay that each document of ``doubtful`` would leave: one may
    have made its own list final."""
    if not given:
        return given
    worlds = [resolve(setting, held).value for held in (given, *([*given, one] for one in doubtful))]
    kept = []
    for one in given:
        assert isinstance(one.value, list)  # noqa: S101
        entries = [entry for entry in one.value if all(entry in world for world in worlds)]  # type: ignore[operator]
        if entries:
            kept.append(replace(one, value=entries))
    return kept
