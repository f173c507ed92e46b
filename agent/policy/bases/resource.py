"""What every resource kind is: a frozen value that can say what should be, look, and change; nothing
else.

A kind is one file in ``resources/`` with one subclass. The engine plans, journals, applies, looks again
and decides; no kind reports its own success, and none is asked about anything but its own place on the
machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.syntax.values import Key


class Resource:
    """One thing on the machine that should be so. Subclasses are frozen, slotted dataclasses of JSON
    values.
    """

    __slots__ = ()

    kind: ClassVar[str]
    sole: ClassVar[str] = ""  #: what it is called, where a machine has one of this kind and no more
    about: ClassVar[str]  #: one sentence for the reference page
    powers: ClassVar[str] = ""  #: when it is ordinary, for the reference page of `direct` kinds
    keys: ClassVar[Mapping[str, Key]] = {}  #: the YAML keys of `direct` kinds
    direct: ClassVar[bool] = False  #: whether a policy may write it under ``resources:``
    shared: ClassVar[bool] = False  #: whether several settings give a part each, as `joined` puts together
    needs: ClassVar[tuple[str, ...]] = ()  #: capabilities of the host, by attribute name
    effects: ClassVar[frozenset[str]] = frozenset()  #: names in the state that are read back, not written
    mends_effects: ClassVar[bool] = False  #: whether applying again can bring an effect back
    #: Whether a program is told of what lies there. When a withdrawal that was cut short goes on, it is told
    #: once more: that everything is as it was does not show that it knows.
    taken_in: ClassVar[bool] = False
    #: Whether it depends on what others of the same run make, such as accounts: it is taken up last, and
    #: looked at once more before.
    late: ClassVar[bool] = False
    #: Whether nothing here can make it so: it is looked for and its lack told, never applied nor undone.
    only_looks: ClassVar[bool] = False
    example: ClassVar[str] = ""

    # -- identity

    @property
    def name(self) -> str:
        """What tells two resources of this kind apart."""
        if self.sole:
            return self.sole
        raise AttributeError(type(self).__name__)

    @property
    def id(self) -> str:
        """``kind:name``: stable, also in the undo journal and in reports."""
        return f"{self.kind}:{self.name}"

    @classmethod
    def named(cls, name: str) -> Self:
        """A resource that only knows its place: enough to look at it and to put a prior state back."""
        del name
        if cls.sole:
            return cls()
        raise AttributeError(cls.__name__)

    def record(self) -> dict[str, object]:
        """The fields as JSON values; ``cls(**record)`` is the inverse."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def joined(self, other: Self) -> Self:
        """Both parts as one resource. ``other`` has the same `id`, comes from another setting and never
        decides the same thing, so that the order does not matter.
        """
        raise AttributeError(type(self).__name__)

    # -- who may ask for it

    def power(self) -> tuple[Power, str]:
        """The power it takes (I-7), and for `Power.ROOT` why, to follow "because"."""
        return Power.ROOT, "its kind does not say that it is harmless"

    def forbidden(self) -> str:
        """Why no policy at all may manage this; empty if one may."""
        return ""

    def mistake(self) -> str:
        """What is wrong with the combination of keys; empty if nothing."""
        return ""

    def lacking(self, host: Host) -> str:
        """What this machine would need for it and does not have; empty if nothing. Only asked of a host that
        has all of `needs`.
        """
        del host
        return ""

    def awaits(self, host: Host) -> str:
        """What it waits for, to follow "waits for", that comes by another way than policy; empty if nothing.
        What waits is not on the machine, and no failure.
        """
        del host
        return ""

    def secrets(self) -> tuple[str, ...]:
        """Names of the secrets that it takes, for IT to give them before anybody waits."""
        return ()

    # -- what should be, what is

    def desired(self) -> State | None:
        """What should be; None: nothing. A name that is None within it is left as found."""
        raise AttributeError(type(self).__name__)

    def intended(self, before: State | None) -> State | None:
        """The whole state that applying leads to from ``before``: `desired`, and what is left as found."""
        wanted = self.desired()
        if wanted is None:
            return None
        return {**(before or {}), **{name: value for name, value in wanted.items() if value is not None}}

    def observe(self, host: Host) -> State | None:
        """What is there, never changing anything; None: nothing."""
        raise AttributeError(type(self).__name__)

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        """Turn ``before`` into ``after``: what `intended` gave or, when undoing, an earlier observation."""
        raise AttributeError(type(self).__name__)

    def underway(self, host: Host, after: State | None) -> str:
        """What it waits for where reading back right after applying ``after`` shows something else, because
        somebody else does the work: what is told of it. "": for nothing, so it failed. Raises BookbagError
        where they could not.
        """
        del host, after
        return ""

    def guard(self, host: Host) -> None:
        """Raise BookbagError if the place is not what it seems (a linked parent): asked right before a
        change.
        """

    def settled(self, seen: State | None, after: State | None) -> State | None:
        """What of ``seen`` counts when ``after`` was to be put back: all of it, unless others of the same run
        made or took parts of what it looks at.
        """
        del after
        return seen

    def partly(self, now: State, prior: State) -> Iterator[tuple[State, State]]:
        """What may have changed by itself since we wrote: (what it was if so, what to leave when undoing)."""
        del now, prior
        return iter(())

    def release(self, now: State | None, prior: State | None) -> State | None:
        """What to leave when undoing finds that someone else changed it since: ``now``, unless parts
        are ours.
        """
        del prior
        return now

    def adopts(self, seen: State | None) -> bool:
        """Whether ``seen``, which is as it should be without our doing, is to be put back one day. Not where
        what there will be to put back is seen only later.
        """
        del seen
        return True

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """What undoing leads to where nobody else changed it since: ``prior``, unless something of a person's
        would go with it.
        """
        del host, now
        return prior

    def amidst(self, before: State | None, after: State | None) -> Iterator[State]:
        """What a crash may leave between the two, where no single step leads from one to the other: ours
        too.
        """
        del before, after
        return iter(())

    # -- whether it may cut the laptop off

    def cuts_off(self) -> bool:
        """Whether it could keep the laptop from the school's service: it is on trial until that is reached
        again.
        """
        return False

    def fallback(self, own: Sequence[str]) -> Resource | None:
        """What is there instead of it where it did: of the same `id`, with the agent's own way reopened and
        nothing else loosened. None: what was there before any policy. ``own``: host names of the service.
        """
        del own
        return None

    # -- where it is

    def turn(self) -> int:
        """When it is taken up: below 0 before what lies in it, above 0 after what has to be gone from it."""
        return 0

    def paths(self) -> tuple[str, ...]:
        """The files it owns: watched for drift, and claimed by one resource only."""
        return ()

    def claims(self) -> tuple[str, ...]:
        """What no second resource may hold at the same time, so that who holds it is decided by rank and
        never by what the machine happens to read last.
        """
        return self.paths()

    def brings(self) -> tuple[Resource, ...]:
        """What has to be there before it takes effect, where a document names it directly. (A setting
        compiles to all that it takes.)
        """
        return ()

    def copies(self) -> tuple[Resource, ...]:
        """The same for programs that look for it at another place, wherever a setting compiles to this."""
        return ()

    def watches(self) -> tuple[str, ...]:
        """Further paths whose change may undo its effect."""
        return ()

    def checklist(self) -> Mapping[str, State | None]:
        """Path → exact file state, for the lean audit; what cannot be told from files alone is left out."""
        return {}


def differs(observed: State | None, desired: State | None, ignore: frozenset[str] = frozenset()) -> bool:
    """Whether ``observed`` is not as ``desired``; names in ``ignore`` do not count."""
    if observed is None or desired is None:
        return observed is not desired
    return any(
        observed.get(name) != value
        for name, value in desired.items()
        if value is not None and name not in ignore
    )
