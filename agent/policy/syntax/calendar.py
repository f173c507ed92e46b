"""When a timer elapses: the calendar expressions that have one meaning, as systemd itself tells them."""

from __future__ import annotations

from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Text, wrong

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  #: days of the months
_DAY = f"({'|'.join(_DAYS)})"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_DATE = r"\*-(\*|0[1-9]|1[0-2])-(\*|0[1-9]|[12][0-9]|3[01])"
_WHAT = 'a time such as "06:30", "Mon..Fri 16:00" or "*-*-01 16:00:00"'
_TEXT = Text(most=60, pattern=rf"({_DAY}((,|\.\.){_DAY})* )?({_DATE} )?{_TIME}", what=_WHAT)


class Calendar:
    """One time of every day, of some days of the week, or of a day of the month; in local time."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`. The value is what systemd itself would say, so that it can be compared."""
        text = _TEXT.read(node, problems)
        if text is BAD:
            return text
        *day, time = str(text).split(" ")
        date = day.pop() if day and day[-1].startswith("*") else "*-*-*"
        _, month, number = date.split("-")
        if "*" not in (month, number) and int(number) > _LONGEST[int(month) - 1]:
            return wrong(self, node, problems, why=f"no month {month} has a day {number}")
        try:
            week = f"{_week(day[0])} " if day else ""
        except ValueError as error:
            return wrong(self, node, problems, why=str(error))
        return f"{week.lstrip()}{date} {time if time.count(':') == 2 else f'{time}:00'}"

    def describe(self) -> str:
        """See `Type`."""
        return _WHAT

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return _TEXT.schema()


def _week(text: str) -> str:
    """The days in their order, three or more in a row as a range; "" for all of them. Raises ValueError."""
    chosen: set[int] = set()
    for part in text.split(","):
        first, *rest = (_DAYS.index(name) for name in part.split(".."))
        last = rest[-1] if rest else first
        if len(rest) > 1 or last < first:
            raise ValueError(f"{part} is no range of days from Mon to Sun")
        chosen.update(range(first, last + 1))
    if len(chosen) == len(_DAYS):
        return ""
    runs: list[list[int]] = []
    for day in sorted(chosen):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(
        f"{_DAYS[run[0]]}..{_DAYS[run[-1]]}" if len(run) > 2 else ",".join(_DAYS[day] for day in run)
        for run in runs
    )
