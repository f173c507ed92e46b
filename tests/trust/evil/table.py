"""How attacks are listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.trust.evil.bench import Bench

#: Plays the scenario, with something wrong or not, and gives the question to be asked of what came of it.
Play = Callable[[Bench, bool], Callable[[], bool]]


@dataclass(frozen=True)
class Attack:
    """``codes``: at least one of these tells why it was refused; none where nothing is told, the thing is
    merely not done. ``step``: the step that is meant to catch it, tried first when that step is switched off.
    ``beside``: what is refused besides, in the control too.
    """

    name: str
    play: Play
    codes: tuple[str, ...]
    step: str
    beside: tuple[str, ...]


ATTACKS: dict[str, Attack] = {}


def attack(*codes: str, step: str = "", beside: tuple[str, ...] = ()) -> Callable[[Play], Play]:
    """List a scenario as an attack, by its function's name."""

    def add(play: Play) -> Play:
        name = getattr(play, "__name__").replace("_", "-")  # noqa: B009
        assert name not in ATTACKS, f"{name} is listed twice"
        ATTACKS[name] = Attack(name, play, codes, step, beside)
        return play

    return add
