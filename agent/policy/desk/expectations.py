"""Tests of policies, as IT writes them: what some laptop shall get, whatever the policies say next year.

Read like a policy: strictly, every mistake at once, each with its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.policy import kinds
from agent.policy.bases.setting import Setting
from agent.policy.syntax import yamltext
from agent.policy.syntax.headtypes import Elsewhere, Group, Name
from agent.policy.syntax.nodes import Mapping, Node, Place, Scalar, Sequence
from agent.policy.syntax.problems import Problems, TooMany, nearest
from agent.policy.syntax.timetypes import DayAndTime
from agent.policy.syntax.values import BAD, Choice, Key, Record, Text, Type, missing_key, unknown_key, wrong
from agent.policy.targeting import KEYS

FORM = 1
SET: Final = "set"
NOT_SET: Final = "not set"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one test says of one setting, or of a resource that a policy writes directly."""

    key: str
    place: Place
    setting: Setting | None  #: None: a resource, which is `SET` or `NOT_SET`
    #: What was written of ``value``, ``has``, ``lacks`` (typed values, or `SET` or `NOT_SET`) and ``from``.
    form: AnyMapping[str, object]


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """One test: a laptop, and what it shall get."""

    place: Place
    about: str
    given: AnyMapping[str, str]  #: school, year, class; or device, the name of a laptop
    expect: tuple[Expectation, ...]
    at: datetime | None = None  #: what the clocks of the timetables' zones show; None: while none is on

    @property
    def laptop(self) -> str:
        """The given laptop for people."""
        named = self.given.get("device") or ", ".join(f"{key} {value}" for key, value in self.given.items())
        return f"{named or 'any laptop'}{f' at {self.at:%Y-%m-%d %H:%M}' if self.at else ''}"


_TOP = {
    "v": Key(Elsewhere("1, the version of this form"), required=True),
    "tests": Key(Elsewhere("a list of tests"), required=True, about="any number of what follows"),
}
_TEST = {
    "about": Key(Text(), about="what it is for, in a sentence"),
    "given": Key(
        Record({key: Key(Group()) for key in KEYS}),
        required=True,
        about="a laptop of these groups (no school: the site's own), or the name of one; `{}`: one without",
    ),
    "at": Key(DayAndTime(), about="what the clocks show, where timetables matter; left out: none is on"),
    "expect": Key(
        Elsewhere("a mapping of settings to what they shall be"),
        required=True,
        about=f"a value as in a policy, `{NOT_SET}`, or the long form; `file:PATH` and the like take "
        f"`{SET}`, `{NOT_SET}` or `from`",
    ),
}
_LONG = {
    "value": Key(Elsewhere("the value itself"), about=f"as in the short form, or `{NOT_SET}`"),
    "has": Key(Elsewhere("a list"), about="entries that a list shall have, among others"),
    "lacks": Key(Elsewhere("a list"), about="entries that a list shall not have"),
    "from": Key(Name(), about="the policy that decides it, or is one of those that do"),
}
_RESOURCE: AnyMapping[str, Key] = {"value": Key(Choice((SET, NOT_SET))), "from": _LONG["from"]}


def keys_of_test() -> AnyMapping[str, Key]:
    """The keys of a test, for the reference page."""
    return _TEST


def keys_of_expectation() -> AnyMapping[str, Key]:
    """The keys of an expectation's long form, for the reference page."""
    return _LONG


def read_tests(data: bytes, file: str, problems: Problems) -> tuple[PolicyTest, ...]:
    """The tests in ``data``; those that are wrong are left out, and ``problems`` says why."""
    root = yamltext.read(data, file, problems)
    if root is None:
        return ()
    try:
        return tuple(_tests(root, problems))
    except TooMany:
        return ()


def _tests(root: Node, problems: Problems) -> Iterator[PolicyTest]:
    if not isinstance(root, Mapping):
        wrong(Record(_TOP), root, problems)
        return
    version = root.get("v")
    if isinstance(version, Scalar) and type(version.value) is int and version.value > FORM:
        problems.add(
            "format-too-new",
            f"cannot read tests of form {version.value}: this version of Bookbag reads up to {FORM}",
            place=version.place,
            remedy="update Bookbag",
        )
        return
    if version is not None and not (isinstance(version, Scalar) and version.value == FORM):
        wrong(_TOP["v"].type, version, problems)
    top = Record(_TOP).read(root, problems)
    listed = root.get("tests")
    if isinstance(listed, Sequence):
        found = [_test(node, problems) for node in listed.items]
        yield from (one for one in found if one is not None)
    elif isinstance(top, dict) and listed is not None:
        wrong(_TOP["tests"].type, listed, problems)


def _test(node: Node, problems: Problems) -> PolicyTest | None:
    test = Record(_TEST, what="a test").read(node, problems)
    expect = node.get("expect") if isinstance(node, Mapping) else None
    found = _expectations(expect, problems) if expect is not None else []
    if not isinstance(test, dict) or not isinstance(node, Mapping):
        return None
    given = test["given"]
    if "device" in given and len(given) > 1:
        problems.add(
            "bad-policy",
            "cannot give a laptop by its name and other groups too: it has its own",
            place=node.place,
            remedy="keep device, or the groups",
        )
        return None
    return PolicyTest(node.place, test.get("about", ""), given, tuple(filter(None, found)), test.get("at"))


def _expectations(node: Node, problems: Problems) -> list[Expectation | None]:
    if not isinstance(node, Mapping) or not node.entries:
        wrong(_TEST["expect"].type, node, problems)
        return []
    return [_expectation(name, place, child, problems) for name, place, child in node.pairs()]


def _expectation(name: str, place: Place, node: Node, problems: Problems) -> Expectation | None:
    setting = kinds.settings().get(name)
    if setting is None and name.partition(":")[0] not in _direct():
        problems.add(
            "bad-policy",
            f"cannot expect anything of the unknown setting {name[:60]!r}",
            place=place,
            remedy=nearest(name, kinds.settings()),
        )
        return None
    keys = _LONG if setting is not None else _RESOURCE
    parts = {"value": node}
    if isinstance(node, Mapping):
        parts = {}
        for key, at, child in node.pairs():
            if key in keys:
                parts[key] = child
            else:
                unknown_key(key, at, keys, problems)
                return None
        if not parts:
            missing_key("value", node, _LONG["value"].type, problems)
            return None
    form = {key: _part(setting, key, child, problems) for key, child in parts.items()}
    if BAD in form.values():
        return None
    if form.get("value") == NOT_SET and len(form) > 1:
        problems.add(
            "bad-policy",
            f"cannot expect more of {name} when it is not set",
            place=place,
            remedy="delete value, or the rest",
        )
        return None
    return Expectation(name, place, setting, form)


def _part(setting: Setting | None, key: str, node: Node, problems: Problems) -> object:
    wanted: Type = _RESOURCE["value"].type if setting is None else setting.value
    if key == "from":
        wanted = _LONG["from"].type
    elif key == "value" and isinstance(node, Scalar) and node.value == NOT_SET:
        return NOT_SET
    elif key in ("has", "lacks") and not isinstance(node, Sequence):
        return wrong(_LONG[key].type, node, problems, remedy="write it as a list, as in [ … ]")
    return wanted.read(node, problems)


def _direct() -> set[str]:
    return {name for name, cls in kinds.resources().items() if cls.direct}
