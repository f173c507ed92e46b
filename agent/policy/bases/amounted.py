"""Settings that are an amount of bytes for Bookbag itself."""

from __future__ import annotations

from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.agent import Agent
from agent.policy.syntax.amounts import spelled


class Amounted(Setting):
    """``called``: its name in the configuration in force, see `agent.daemon.workers.configure`."""

    called: ClassVar[str]
    merge: ClassVar[Merge] = Merge.REPLACE

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        assert isinstance(value, int)  # noqa: S101
        return (Agent({self.called: value}),)

    def show(self, value: object) -> str:
        """As `Setting.show`."""
        return spelled(value) if isinstance(value, int) else str(value)
