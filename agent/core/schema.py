"""dict ⇄ frozen dataclass, strictly: what the class does not declare is refused, with the exact path of the
key.

Field names turn ``_`` into ``-`` in text (``review_by`` is ``review-by``; a trailing ``_`` avoids a keyword:
``from_`` is ``from``). Types: str, int, bool, bytes (base64 in text), ``X | None``, ``tuple[T, ...]``,
``tuple[A, B]``, ``Mapping[str, T]``, dataclasses, StrEnum, Literal, and object for any JSON value.

Two field names mean something. ``v: int = N`` is the format's version: it must be there, and a higher one is
``format-too-new``. ``extra: Mapping[str, object]`` receives keys that a newer writer added, when the caller
keeps unknown keys, and gives them back on encoding.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from agent.core.errors import BookbagError

T = TypeVar("T")

_NAMES = {
    dict: "a mapping",
    list: "a list",
    str: "text",
    int: "a whole number",
    bool: "true or false",
    type(None): "null",
}
_Decoder = Callable[[object, "_Place"], Any]
_Encoder = Callable[[Any], object]


def decode(
    cls: type[T], value: object, *, what: str, code: str = "bad-json", keep_unknown: bool = False
) -> T:
    """``value`` (from jsontext or the policy loader) as a ``cls``.

    ``what`` names the source in errors. Raises BookbagError with ``code``, or ``format-too-new``; the place
    is ``what: path.of[3].key``. With ``keep_unknown``, unknown keys go to the class's ``extra`` field, or are
    passed over.
    """
    made: T = _fields(cls).decode(value, _Place(what, code, keep_unknown, ""))
    return made


def encode(obj: object) -> dict[str, object]:
    """A dataclass as plain JSON values; optional fields that are None are left out."""
    return _fields(type(obj)).encode(obj)


def key_of(field: str) -> str:
    """How a field is written in text."""
    return field.rstrip("_").replace("_", "-")


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    what: str
    code: str
    keep_unknown: bool
    path: str

    def at(self, step: str | int) -> _Place:
        """One level down."""
        if isinstance(step, int):
            path = f"{self.path}[{step}]"
        else:
            path = f"{self.path}.{step}" if self.path else step
        return _Place(self.what, self.code, self.keep_unknown, path)

    def error(self, why: str, *, code: str = "", remedy: str = "") -> BookbagError:
        """One refusal, naming this place."""
        place = f"{self.what}: {self.path}" if self.path else self.what
        return BookbagError(code or self.code, f"cannot accept this value: {why}", place=place, remedy=remedy)

    def wrong(self, expected: str, value: object) -> BookbagError:
        """``value`` is not of the ``expected`` kind."""
        found = _NAMES.get(type(value), type(value).__name__)
        shown = f" {value!r}" if isinstance(value, (str, int)) and len(str(value)) <= 40 else ""
        return self.error(f"expected {expected}, found {found}{shown}")


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    name: str
    key: str
    required: bool
    optional: bool  # default None: not written when None
    decode: _Decoder
    encode: _Encoder


@dataclasses.dataclass(frozen=True, slots=True)
class _Fields:
    cls: type[Any]
    by_key: Mapping[str, _Field]
    has_extra: bool
    version: int | None

    def decode(self, value: object, place: _Place) -> Any:
        if not isinstance(value, Mapping):
            raise place.wrong("a mapping", value)
        if self.version is not None:
            self._check_version(value, place)
        given: dict[str, object] = {}
        extra: dict[str, object] = {}
        for key, item in value.items():
            field = self.by_key.get(key)
            if field is not None:
                given[field.name] = field.decode(item, place.at(key))
            elif place.keep_unknown:
                extra[key] = item
            else:
                raise place.at(str(key)).error("unknown key", remedy=_nearest(str(key), self.by_key))
        for field in self.by_key.values():
            if field.required and field.name not in given:
                raise place.error(f"the key {field.key!r} is missing")
        if self.has_extra:
            given["extra"] = extra
        try:
            return self.cls(**given)
        except ValueError as problem:  # a class's own rules, from __post_init__
            raise place.error(str(problem)) from None

    def encode(self, obj: Any) -> dict[str, object]:
        made: dict[str, object] = dict(obj.extra) if self.has_extra else {}
        for key, field in self.by_key.items():
            item = getattr(obj, field.name)
            if item is not None or not field.optional:
                made[key] = field.encode(item)
        return made

    def _check_version(self, value: Mapping[str, object], place: _Place) -> None:
        found = value.get("v")
        if type(found) is not int or found < 1:
            raise place.at("v").error("every format carries its version as a whole number, 1 or more")
        if self.version is not None and found > self.version:
            raise place.at("v").error(
                f"this is format {found}, and this version of Bookbag reads up to {self.version}",
                code="format-too-new",
                remedy="update Bookbag",
            )


def _fields(cls: Any) -> _Fields:
    return _read_fields(cls)


@functools.cache
def _read_fields(cls: Hashable) -> _Fields:
    if not isinstance(cls, type) or not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls!r} is not a dataclass")
    hints = typing.get_type_hints(cls)
    by_key: dict[str, _Field] = {}
    version: int | None = None
    for field in dataclasses.fields(cls):
        if field.name == "extra" or not field.init:
            continue
        default = field.default
        if field.name == "v" and isinstance(default, int):
            version = default
        reader, writer = _coder(hints[field.name])
        missing = dataclasses.MISSING
        required = default is missing and field.default_factory is missing
        by_key[key_of(field.name)] = _Field(
            field.name, key_of(field.name), required, default is None, reader, writer
        )
    return _Fields(cls, by_key, "extra" in hints, version)


def _nearest(key: str, known: Mapping[str, object]) -> str:
    import difflib  # only a mistake pays for it

    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "known keys: " + ", ".join(sorted(known))


def _same(value: Any) -> object:
    return value


@functools.cache
def _coder(hint: Hashable) -> tuple[_Decoder, _Encoder]:
    """How values of one type are read and written."""
    if hint is object or hint is Any:
        return (lambda value, place: value), _same
    origin = typing.get_origin(hint)
    if origin is None and isinstance(hint, type):
        return _class_coder(hint)
    args = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _optional(hint, args)
    if origin is typing.Literal:
        return _choice(args), _same
    if origin is tuple:
        return _sequence(args)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(args)
    raise TypeError(f"the schema has no form for {hint!r}")


def _class_coder(kind: type[Any]) -> tuple[_Decoder, _Encoder]:
    if kind in (str, int, bool):
        return _scalar(kind), _same
    if kind is bytes:
        return _decode_bytes, _encode_bytes
    if issubclass(kind, StrEnum):
        return _enum(kind), str
    if dataclasses.is_dataclass(kind):
        # Looked up when used, so that a class may contain itself.
        return (lambda value, place: _fields(kind).decode(value, place)), encode
    raise TypeError(f"the schema has no form for {kind!r}")


def _scalar(kind: type) -> _Decoder:
    def decode_scalar(value: object, place: _Place) -> object:
        if type(value) is not kind:  # exactly: True is no number
            raise place.wrong(_NAMES[kind], value)
        return value

    return decode_scalar


def _decode_bytes(value: object, place: _Place) -> bytes:
    if type(value) is not str:
        raise place.wrong("base64 text", value)
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise place.error("this is not base64") from None
    if _encode_bytes(data) != value:  # one text for one value: spare bits must be zero
        raise place.error("this is not canonical base64")
    return data


def _encode_bytes(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _optional(hint: Any, args: tuple[Any, ...]) -> tuple[_Decoder, _Encoder]:
    inner = [arg for arg in args if arg is not type(None)]
    if len(inner) != 1 or len(args) != 2:
        raise TypeError(f"the schema has no form for {hint!r}: only 'X | None' is a union it knows")
    reader, writer = _coder(inner[0])
    return (
        lambda value, place: None if value is None else reader(value, place),
        lambda value: None if value is None else writer(value),
    )


def _choice(choices: tuple[Any, ...]) -> _Decoder:
    def decode_choice(value: object, place: _Place) -> object:
        for choice in choices:
            if type(choice) is type(value) and choice == value:
                return value
        raise place.wrong("one of " + ", ".join(map(str, choices)), value)

    return decode_choice


def _enum(kind: type[StrEnum]) -> _Decoder:
    choose = _choice(tuple(member.value for member in kind))
    return lambda value, place: kind(choose(value, place))


def _sequence(args: tuple[Any, ...]) -> tuple[_Decoder, _Encoder]:
    if len(args) == 2 and args[1] is Ellipsis:
        reader, writer = _coder(args[0])
        return (
            lambda value, place: tuple(reader(x, place.at(i)) for i, x in enumerate(_as_list(value, place))),
            lambda value: [writer(x) for x in value],
        )
    coders = [_coder(arg) for arg in args]

    def decode_fixed(value: object, place: _Place) -> object:
        items = _as_list(value, place)
        if len(items) != len(coders):
            raise place.error(f"expected a list of {len(coders)}, found {len(items)}")
        return tuple(coders[i][0](x, place.at(i)) for i, x in enumerate(items))

    return decode_fixed, lambda value: [coder[1](x) for coder, x in zip(coders, value, strict=True)]


def _as_list(value: object, place: _Place) -> list[object] | tuple[object, ...]:
    if not isinstance(value, (list, tuple)):
        raise place.wrong("a list", value)
    return value


def _mapping(args: tuple[Any, ...]) -> tuple[_Decoder, _Encoder]:
    if args[0] is not str:
        raise TypeError("the schema knows only mappings with text keys")
    reader, writer = _coder(args[1])

    def decode_mapping(value: object, place: _Place) -> object:
        if not isinstance(value, Mapping):
            raise place.wrong("a mapping", value)
        for key in value:
            if type(key) is not str:
                raise place.wrong("text as a key", key)
        return {key: reader(item, place.at(key)) for key, item in value.items()}

    return decode_mapping, lambda value: {key: writer(item) for key, item in value.items()}
