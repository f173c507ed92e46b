"""Whether a compiled policy is what a test expects of it, and if not, what it is and who decides so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.core.model import Origin
from agent.policy.compiled import Compiled
from agent.policy.desk.expectations import NOT_SET, SET, Expectation, PolicyTest


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that does not hold."""

    place: str  #: of the expectation, file:line:column
    about: str
    laptop: str
    key: str
    expected: str
    got: str
    policy: str = ""  #: id of the document that decides it; "" if none does
    decided_at: str = ""  #: file:line of what decides it

    def __str__(self) -> str:
        by = f", which {self.policy} decides ({self.decided_at})" if self.policy else ""
        of = f" ({self.about})" if self.about else ""
        return (
            f"cannot confirm {self.key} for {self.laptop}{of}: expected {self.expected}, got {self.got}{by}"
        )


@dataclass(frozen=True, slots=True)
class _Got:
    """What a laptop gets of one key."""

    value: object
    shown: str
    origins: Sequence[Origin] = ()


def judge(test: PolicyTest, compiled: Compiled) -> Iterator[Failure]:
    """Every expectation of ``test`` that does not hold on the laptop that ``compiled`` is for. Pure."""
    for one in test.expect:
        got = _setting(one.key, compiled) if one.setting is not None else _resource(one.key, compiled)
        expected = _lacking(one, got)
        if expected:
            shown = got.shown
            if expected == shown:  # what people are shown of a value is not all of it
                expected, shown = (
                    json.dumps(it, ensure_ascii=False) for it in (one.form["value"], got.value)
                )
            decides = got.origins[-1] if got.origins else None
            policy, at = (decides.policy, f"{decides.file}:{decides.line}") if decides else ("", "")
            yield Failure(str(one.place), test.about, test.laptop, one.key, expected, shown, policy, at)


def _setting(key: str, compiled: Compiled) -> _Got:
    row = compiled.settings.get(key)
    if row is None:
        return _nothing(key, compiled)
    origins = row["origins"]
    assert isinstance(origins, list)  # noqa: S101
    return _Got(row["value"], str(row["shown"]), [compiled.origin(one["origin"]) for one in origins])


def _resource(key: str, compiled: Compiled) -> _Got:
    for item in compiled.items():
        if item.id == key and not item.observe_only:
            return _Got(SET, SET, item.origins())
    return _nothing(key, compiled)


def _nothing(key: str, compiled: Compiled) -> _Got:
    """Not set; and why, if a policy did speak of it."""
    observed = compiled.settings.get(f"{key} (observed)")
    refused = next((row for row in compiled.refusals if row["subject"] == key), None)
    lost = next((row for row in compiled.conflicts if row["subject"] == key), None)
    why = ""
    if refused is not None:
        why = (
            f" ({refused['place']}: {refused['message']})" if refused["place"] else f" ({refused['message']})"
        )
    elif lost is not None:
        why = f" ({lost['message']})"
    elif observed is not None:
        why = f" (only observed: {observed['shown']})"
    return _Got(NOT_SET, f"{NOT_SET}{why}")


def _lacking(one: Expectation, got: _Got) -> str:
    """What was expected and is not so, for people; empty if all of it is."""
    parts = []
    form = one.form
    if "value" in form and form["value"] != got.value:
        parts.append(_shown(one, form["value"]))
    for key, wants in (("has", True), ("lacks", False)):
        wrong = [entry for entry in _list(form.get(key)) if (entry in _list(got.value)) is not wants]
        if wrong:
            parts.append(f"{'with' if wants else 'without'} {_shown(one, wrong)}")
    if "from" in form and form["from"] not in {origin.policy for origin in got.origins}:
        parts.append(f"from {form['from']}")
    return " and ".join(parts)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _shown(one: Expectation, value: object) -> str:
    return one.setting.show(value) if one.setting is not None and value != NOT_SET else str(value)
