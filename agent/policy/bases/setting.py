"""What every setting is: a key, a type, how ranks combine it, and a pure function to resources.

A setting is one file in ``settings/`` with one subclass. It never sees a machine: what it compiles to does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.syntax.values import Type


class Merge(StrEnum):
    """How the values of several ranks become one."""

    REPLACE = "replace"  #: the lowest rank (nearest to the device) wins
    UNION = "union"  #: lists are joined
    STRICTEST = "strictest"  #: the tightest wins, whatever its rank
    COMMON = "common"  #: of lists, what every rank that speaks of it names


class Setting:
    """One thing a school decides. Subclasses only have class attributes and pure methods."""

    key: ClassVar[str]
    about: ClassVar[str]  #: one sentence for the reference page
    value: ClassVar[Type]
    merge: ClassVar[Merge]
    #: Language → the sentence a student reads where the policy gives none.
    why: ClassVar[Mapping[str, str]]
    example: ClassVar[str]  #: the lines under ``settings:``
    #: The key of a setting whose value this one makes exceptions to; "": of none. Of what a farther rank made
    #: final there, none is made.
    excepts: ClassVar[str] = ""
    #: Why it takes two persons, for the reference page; "": it does not, whatever its value.
    powers: ClassVar[str] = ""
    #: Whether every entry of a joined value comes to resources of its own: what one person may list alone,
    #: they may also beside what two persons list.
    apart: ClassVar[bool] = False
    #: Whether it tells of a need of one person: it is not named in reports that leave the laptop.
    personal: ClassVar[bool] = False
    #: Whether nothing of it is wanted but what somebody at the laptop chose (`agent.policy.choosing`): its
    #: value is a list, and `compile` gives one resource for each entry, called as what is chosen.
    offers: ClassVar[bool] = False
    #: Whether a sealed order may arrange it for one laptop, above every rank: it compiles to desktop defaults
    #: and nothing else, and gives nobody power over others.
    arrangeable: ClassVar[bool] = False

    def compile(self, value: object) -> tuple[Resource, ...]:
        """The resources that make ``value`` so. Pure."""
        raise AttributeError(type(self).__name__)

    def resources(self, value: object) -> tuple[Resource, ...]:
        """What `compile` gives, and its copies at other places."""
        made = self.compile(value)
        return (*made, *(copy for one in made for copy in one.copies()))

    def tighter(self, one: object, other: object) -> bool:
        """Whether ``one`` allows strictly less than ``other``. False where they cannot be compared."""
        del one, other
        return False

    def restricts(self, value: object) -> bool:
        """Whether ``value`` allows less than no value at all. False where that cannot be said."""
        del value
        return False

    def join(self, upper: object, lower: object) -> object:
        """Both values in one: for `Merge.UNION` the upper rank's entries first, none twice; for
        `Merge.COMMON` those of the upper rank that the lower one names too.
        """
        assert isinstance(upper, list) and isinstance(lower, list)  # noqa: S101
        if self.merge is Merge.COMMON:
            return [entry for entry in upper if entry in lower]
        return [*upper, *(entry for entry in lower if entry not in upper)]

    def loosens(self, entry: object, of: object) -> bool:
        """Whether ``entry`` of this list is an exception to the value ``of`` of the setting `excepts`."""
        raise AttributeError(type(self).__name__)

    def entries(self, value: object) -> list[dict[str, object]]:
        """What is shown of each entry that it `offers`."""
        raise AttributeError(type(self).__name__)

    def taken(self, value: object, names: Collection[str]) -> tuple[Resource, ...]:
        """The resources where of what it `offers` ``names`` are wanted. Pure."""
        raise AttributeError(type(self).__name__)

    def gives(self, other: Resource) -> bool:
        """Whether ``other``, which another setting wants, already is what it `offers`."""
        raise AttributeError(type(self).__name__)

    def most(self) -> int:
        """How many entries a joined list may have."""
        return 1000

    def show(self, value: object) -> str:
        """``value`` for people."""
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
