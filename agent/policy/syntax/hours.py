"""A part of the day: from one time to another, perhaps over midnight."""

from __future__ import annotations

import re

from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Text, wrong

DAY = 24 * 60  #: minutes
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TEXT = Text(most=11, pattern=f"{_TIME}-{_TIME}", what='a quoted part of the day such as "15:30-21:00"')


class Hours:
    """``15:30-21:00``, kept as written; at least ``least`` minutes."""

    def __init__(self, least: int) -> None:
        self._least = least

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _TEXT.read(node, problems)
        if text is BAD or bounds(str(text))[1] >= self._least:
            return text
        return wrong(self, node, problems, why=f"it is shorter than {self._least} minutes")

    def describe(self) -> str:
        """See `Type`."""
        return f"{_TEXT.describe()}, of at least {self._least} minutes"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return _TEXT.schema()


def bounds(hours: str) -> tuple[int, int]:
    """(the minute of the day on which it begins, how many minutes it lasts)."""
    times = [int(hour) * 60 + int(minute) for hour, minute in re.findall("([0-9]{2}):([0-9]{2})", hours)]
    return times[0], (times[1] - times[0]) % DAY
