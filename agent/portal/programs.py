"""The shelf as one person sees it: what the school offers, how each program stands, and what they choose,
left where root looks for it.

The portal can install nothing. It writes a choice down, whole or not at all, and touches ``in/news``; what
root makes of it is in ``offered.json`` (from the worker that enforces) and ``chosen.json`` (from the one that
takes choices).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.content import marks
from agent.core.errors import BookbagError
from agent.portal.people import Who
from agent.portal.public import Public, mapping, rows, text
from agent.store import atomic
from agent.trust import choices
from agent.trust.choices import LEFT, TAKEN, Choice
from agent.web.rates import Rates

NEWS = "news"
#: Choices that may follow each other at once, and seconds that earn one more.
BURST, REFILL = 20, 120.0
#: How a program stands for somebody: what they chose is `COMING`, `HERE` or (why not is told) `CANNOT`; what
#: they did not is `OFFERED`, on the laptop because `OTHERS` chose it or it was `THERE` anyway, or just
#: `GOING`. What the school decided for everybody is `GIVEN` or `BARRED`.
OFFERED, COMING, HERE, CANNOT = "offered", "coming", "here", "cannot"
OTHERS, THERE, GOING, GIVEN, BARRED = "others", "there", "going", "given", "barred"
_WELL = ("in-force", "kept", "restored")
_UNDER_WAY = ("not-yet", "pending", "")


@dataclass(frozen=True, slots=True)
class Program:
    """One program on the shelf. ``title``, ``about``: by language. ``mine``: whoever looks chose it."""

    name: str
    title: Mapping[str, object]
    about: Mapping[str, object]
    state: str
    mine: bool
    code: str  #: of what is in the way
    message: str
    policy: str
    owner: str

    @property
    def may_choose(self) -> bool:
        """Whether it can be chosen now."""
        return not self.mine and self.state not in (GIVEN, BARRED, THERE)


class Programs:
    """The shelf of this laptop; ``folder`` is `Layout.asks`."""

    def __init__(self, folder: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._in = f"{folder}/in"
        self._told = Public(folder)
        self._clock = clock
        self._rates = Rates(BURST, REFILL)

    @property
    def anything(self) -> bool:
        """Whether there is anything to show."""
        return bool(rows(self._told.read("offered"), "programs"))

    def of(self, who: Who) -> list[Program]:
        """Everything that is offered, as ``who`` sees it; to guests nobody's choice is shown."""
        persons = {text(row, "name"): row.get("persons") for row in rows(self._told.read("chosen"), "chosen")}
        waiting = {} if who.is_guest else self._waiting(who)
        found = []
        for row in rows(self._told.read("offered"), "programs"):
            given = persons.get(text(row, "name"))
            chose = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
            mine = waiting.get(text(row, "name"), who.key in chose and not who.is_guest)
            found.append(_program(row, mine=mine, others=any(one != who.key for one in chose)))
        return found

    def leave(self, who: Who, name: str, *, wanted: bool) -> None:
        """Leave a choice for root, durably: a later one about the same takes its place. Raises
        ``not-allowed`` for guests, ``not-offered``, ``too-many`` if that comes too often, ``disk-full`` and
        the like."""
        if who.is_guest:
            raise BookbagError("not-allowed", "cannot choose as a guest: be signed in with your own account")
        program = next((one for one in self.of(who) if one.name == name), None)
        if program is None or (wanted and program.state in (GIVEN, BARRED)):
            raise BookbagError(
                "not-offered", f"cannot choose {name[:60]!r}: it is not offered on this laptop"
            )
        if program.mine == wanted:
            return
        choice = Choice(who.key, name, wanted)
        data = choices.choice_bytes(choice)
        if self._rates.wait(who.key, self._clock()):
            raise BookbagError("too-many", "cannot choose so often: wait a few minutes")
        # Whoever may pass through the folder, root, must be able to read it without any right of its own.
        atomic.write(f"{self._in}/{choice.file}", data, mode=0o644)
        marks.leave(self._in, NEWS)

    def _waiting(self, who: Who) -> dict[str, bool]:
        """What root has not taken yet of what ``who`` chose or gave back."""
        found = {}
        for beginning in (TAKEN, LEFT):  # the later word last
            for row in rows(self._told.read("offered"), "programs"):
                name = text(row, "name")
                path = f"{self._in}/{beginning}.{who.key}.{name}"
                if "/" in name or not os.path.lexists(path):
                    continue
                try:
                    data = atomic.read(path, max_bytes=choices.MOST_BYTES)
                    found[name] = choices.parse_choice(data or b"", f"{LEFT}.{who.key}.{name}").wanted
                except BookbagError:
                    continue
        return found


def _program(row: Mapping[str, object], *, mine: bool, others: bool) -> Program:
    state = _state(row, mine=mine, others=others)
    told = state == CANNOT
    return Program(
        name=text(row, "name"),
        title=mapping(row, "title"),
        about=mapping(row, "about"),
        state=state,
        mine=mine,
        code=text(row, "code") if told else "",
        message=text(row, "message") if told or state in (COMING, GOING) else "",
        policy=text(row, "policy"),
        owner=text(row, "owner"),
    )


def _state(row: Mapping[str, object], *, mine: bool, others: bool) -> str:
    if text(row, "held") in (GIVEN, BARRED):
        return text(row, "held")
    outcome, there, taken_in = text(row, "outcome"), row.get("there") is True, row.get("chosen") is True
    if mine:
        if there and (not taken_in or outcome in _WELL):
            return HERE
        return CANNOT if taken_in and outcome not in (*_UNDER_WAY, *_WELL) else COMING
    if others and there:
        return OTHERS
    if there:
        return GOING if taken_in or outcome in _UNDER_WAY[:2] else THERE
    return OFFERED
