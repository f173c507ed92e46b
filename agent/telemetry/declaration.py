"""What a record is: a name, a purpose, and fields, each with its type, bounds, unit and reason, declared
once.

Everything else follows from the declaration: what the gate lets through, how it is encoded, what the school's
service takes in and for how long it keeps it, the page for families.

A type answers two questions. `fit` makes a collector's value coarser, as declared, or refuses it
(ValueError); `accepts` says whether a value that came from elsewhere is exactly of that form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

#: A whole number, a flag, a text, a list of texts, or counts by name. Never a float.
Value = object


class Type(Protocol):
    """One type of value, with bounds."""

    def fit(self, value: Value) -> Value:
        """``value`` as it may leave. Raises ValueError: it may not."""
        ...

    def accepts(self, value: Value) -> bool:
        """Whether ``value`` is exactly what `fit` gives."""
        ...

    def describe(self) -> str:
        """For people: ``0 to 100, in steps of 5``."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from ``least`` to ``most``, rounded down to ``step``."""

    least: int
    most: int
    step: int = 1

    def fit(self, value: Value) -> Value:
        """See `Type`."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise ValueError("out of bounds")
        return value - value % self.step

    def accepts(self, value: Value) -> bool:
        """See `Type`."""
        return type(value) is int and self.least <= value <= self.most and value % self.step == 0

    def describe(self) -> str:
        """See `Type`."""
        steps = f", in steps of {self.step:,}" if self.step > 1 else ""
        return f"{self.least:,} to {self.most:,}{steps}"


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def fit(self, value: Value) -> Value:
        """See `Type`."""
        if type(value) is not bool:
            raise ValueError("no flag")
        return value

    def accepts(self, value: Value) -> bool:
        """See `Type`."""
        return type(value) is bool

    def describe(self) -> str:
        """See `Type`."""
        return "yes or no"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words; another word becomes ``rest``, if there is one."""

    words: tuple[str, ...]
    rest: str = ""

    def fit(self, value: Value) -> Value:
        """See `Type`."""
        if self.accepts(value):
            return value
        if type(value) is not str or not self.rest:
            raise ValueError("no such word")
        return self.rest

    def accepts(self, value: Value) -> bool:
        """See `Type`."""
        return type(value) is str and value in self.words

    def describe(self) -> str:
        """See `Type`."""
        return "one of " + ", ".join(self.words)


@dataclass(frozen=True, slots=True)
class Token:
    """A short word of a fixed form: a version, a hash. Never free text."""

    pattern: str
    what: str

    def fit(self, value: Value) -> Value:
        """See `Type`."""
        if not self.accepts(value):
            raise ValueError("not of this form")
        return value

    def accepts(self, value: Value) -> bool:
        """See `Type`."""
        return type(value) is str and re.fullmatch(self.pattern, value, re.ASCII) is not None

    def describe(self) -> str:
        """See `Type`."""
        return self.what


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each name; names with none are left out, those that are not listed are counted as
    ``rest``.
    """

    names: tuple[str, ...]
    most: int
    rest: str = ""  #: "": whatever is not listed is refused
    what: str = ""  #: for people; "": the names

    def fit(self, value: Value) -> Value:
        """See `Type`."""
        if not isinstance(value, Mapping):
            raise ValueError("no counts")
        made: dict[str, int] = {}
        for name, count in value.items():
            if type(count) is not int or count < 0:
                raise ValueError("no count")
            known = name if name in self.names else self.rest
            if not known:
                raise ValueError("no such name")
            made[known] = min(self.most, made.get(known, 0) + count)
        return {name: made[name] for name in sorted(made) if made[name]}

    def accepts(self, value: Value) -> bool:
        """See `Type`."""
        return type(value) is dict and all(
            name in self.names and type(count) is int and 0 < count <= self.most
            for name, count in value.items()
        )

    def describe(self) -> str:
        """See `Type`."""
        return f"how many of each: {self.what or ', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Rows:
    """A short sorted list of words of a fixed form, none twice; more than ``most`` are cut off."""

    pattern: str
    what: str
    most: int

    def fit(self, value: Value) -> Value:
        """See `Type`."""
        if not isinstance(value, (list, tuple)) or not all(self._one(row) for row in value):
            raise ValueError("not of this form")
        return sorted(set(value))[: self.most]

    def accepts(self, value: Value) -> bool:
        """See `Type`."""
        return (
            type(value) is list
            and len(value) <= self.most
            and all(self._one(row) for row in value)
            and value == sorted(set(value))
        )

    def _one(self, row: Value) -> bool:
        return type(row) is str and re.fullmatch(self.pattern, row, re.ASCII) is not None

    def describe(self) -> str:
        """See `Type`."""
        return f"at most {self.most}: {self.what}"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is told. ``about`` says what it is, ``why`` what the school needs it for."""

    name: str
    type: Type
    about: str
    why: str
    attribute: str  #: its OpenTelemetry name: a metric's, or an attribute's key
    unit: str = ""  #: UCUM, of the value here
    #: OpenTelemetry wants ratios and the like as fractions: the number sent is the value divided by this.
    divide: int = 1
    point: Mapping[str, str] = field(default_factory=dict)  #: fixed attributes of the data point


Signal = Literal["logs", "metrics"]


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of report."""

    name: str
    about: str
    purpose: str
    audience: str
    retention_days: int  #: that the school's service keeps it
    held_days: int  #: that it may wait on the laptop
    value: int  #: the lower, the sooner it makes room for others when the laptop's spool is full; 0 to 8
    signal: Signal
    fields: tuple[Field, ...]
    v: int = 1

    @property
    def scope(self) -> str:
        """The name of its instrumentation scope."""
        return f"bookbag.{self.name}"

    def field(self, name: str) -> Field | None:
        """The field called ``name``."""
        return next((one for one in self.fields if one.name == name), None)
