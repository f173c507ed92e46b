"""``Verified[T]``: a value whose signatures were checked here. Only this room can make one (I-1)."""

from __future__ import annotations

from typing import Final, Generic, NoReturn, TypeVar, final

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_MINT: Final = object()


@final
class Verified(Generic[T_co]):
    """A value that `agent.trust` verified. Other rooms take it, and cannot forge it by accident."""

    __slots__ = ("_value",)
    _value: T_co

    def __init__(self, value: T_co, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("only agent.trust makes Verified values")
        object.__setattr__(self, "_value", value)

    @property
    def value(self) -> T_co:
        """The verified value."""
        return self._value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("a Verified value does not change")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Verified value is not written out; what it was made from is")

    def __repr__(self) -> str:
        return f"Verified({self._value!r})"


def mint(value: T) -> Verified[T]:
    """Declare ``value`` verified. For `agent.trust` alone: tests/architecture refuses this import
    elsewhere."""
    return Verified(value, _MINT)
