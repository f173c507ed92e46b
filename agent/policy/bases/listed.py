"""Settings that are lists of what has a name: each rank adds its own, and of one name the nearer rank knows
better what it is by now.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.policy.bases.setting import Setting


class Listed(Setting):
    """Subclasses say what of an entry people read (`shown`)."""

    def shown(self, entry: Mapping[str, object]) -> str:
        """One entry in a few words, for everybody's eyes."""
        raise AttributeError(type(self).__name__)

    # -- Setting

    def join(self, upper: object, lower: object) -> object:
        """As `Setting.join`, by name."""
        assert isinstance(upper, list) and isinstance(lower, list)  # noqa: S101
        nearer = {one["name"] for one in lower}
        return [*(one for one in upper if one["name"] not in nearer), *lower]

    def most(self) -> int:
        """As `Setting.most`."""
        return 40

    def show(self, value: object) -> str:
        """As `Setting.show`."""
        return "; ".join(map(self.shown, value)) if isinstance(value, list) else str(value)
