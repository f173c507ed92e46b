"""What may go with a package that is removed: nothing that nobody wished to go."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.host.linux.dpkg import Known
from agent.host.packages import AUTO, protected, weighty


def refusal(
    name: str,
    going: frozenset[str],
    leaving: frozenset[str],
    known: Callable[[str], Known],
    noted: Callable[[str], bool],
) -> str:
    """Why ``name`` stays, where apt would take all of ``going``; "": it may go. ``leaving`` is what is wished
    to go; ``noted``: what came along with what policy had installed, and may go with it.
    """
    others = going - leaving - {name}
    vital = {one for one in going if _vital(one, known)} | {one for one in others if weighty(one)}
    if vital:
        return f"the laptop does not do without {some(vital)}"
    staying = {one for one in others if not noted(one) or known(one).package.mark != AUTO}
    return f"{some(staying)} needs it, and stays" if staying else ""


def along_with(orphans: frozenset[str], known: Callable[[str], Known]) -> frozenset[str]:
    """Of what nobody needs any more, what goes: by now the laptop may not do without the others."""
    return frozenset(one for one in orphans if not (_vital(one, known) or weighty(one)))


def some(names: Iterable[str]) -> str:
    """The first of them, and how many more."""
    first, *others = sorted(names)
    return f"{first} and {len(others)} more" if others else first


def _vital(name: str, known: Callable[[str], Known]) -> bool:
    return protected(name) or known(name).vital
