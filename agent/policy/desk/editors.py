"""A JSON Schema of policy documents, for editors: they complete keys, show what each is about, and mark what
is wrong while it is being written. What no schema can say, `check` says.

Made of the same declarations that read a document, so it is never of another version than the program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from agent.policy import kinds
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Setting
from agent.policy.desk.reference import MERGES
from agent.policy.document import MOST_RESOURCES, long_keys, top_keys
from agent.policy.syntax.headtypes import Why
from agent.policy.syntax.values import Key, Record, described
from agent.policy.targeting import KEYS, NARROW, RANKS

_DIALECT = "http://json-schema.org/draft-07/schema#"  # the newest that editors' YAML plugins know well


def document_schema() -> dict[str, object]:
    """The schema of one document, plain JSON values."""
    made = Record(top_keys()).schema()
    properties = made["properties"]
    assert isinstance(properties, dict)  # noqa: S101
    properties["settings"] |= _settings()
    properties["resources"] |= _resources()
    return {
        "$schema": _DIALECT,
        "title": "A policy of Bookbag",
        **made,
        "anyOf": [{"required": [name]} for name in ("settings", "resources", "timetables")],
        "allOf": [_targeted(rank) for rank in RANKS if rank in NARROW],
    }


def text() -> str:
    """The same as text, one key a line, so that two versions can be compared."""
    return json.dumps(document_schema(), ensure_ascii=False, indent=1) + "\n"


def _targeted(rank: str) -> dict[str, object]:
    """A rank that speaks for a few says for which."""
    assert rank in KEYS  # noqa: S101
    named = {"required": ["applies-to"], "properties": {"applies-to": {"required": [rank]}}}
    return {"if": {"required": ["rank"], "properties": {"rank": {"const": rank}}}, "then": named}


def _settings() -> dict[str, object]:
    return {
        "type": "object",
        "properties": {key: _setting(setting) for key, setting in kinds.settings().items()},
        "additionalProperties": False,
    }


def _setting(setting: Setting) -> dict[str, object]:
    value = setting.value.schema()
    form: dict[str, Key] = dict(long_keys())
    long = Record(form).schema()
    properties = long["properties"]
    assert isinstance(properties, dict)  # noqa: S101
    properties["value"] |= {**value, "description": setting.value.describe()}
    # A mapping is the long form, so a value with keys of its own has no short one.
    short = [] if value.get("type") == "object" else [{**value, "not": {"type": "object"}}]
    return {
        "description": f"{setting.about}\n\nExpected: {setting.value.describe()}. "
        f"Of several ranks: {MERGES[setting.merge]}.",
        "anyOf": [*short, long],
    }


def _resources() -> dict[str, object]:
    direct = {kind: cls for kind, cls in kinds.resources().items() if cls.direct}
    item = {
        "type": "object",
        "properties": {**{kind: _resource(cls) for kind, cls in direct.items()}, "why": _why(long_keys())},
        "oneOf": [{"required": [kind]} for kind in direct],
        "additionalProperties": False,
    }
    return {"type": "array", "items": item, "maxItems": MOST_RESOURCES}


def _resource(cls: type[Resource]) -> dict[str, object]:
    return {"description": f"{cls.about} {cls.powers}".strip(), **Record(cls.keys).schema()}


def _why(keys: Mapping[str, Key]) -> dict[str, object]:
    return {"description": described(keys["why"]), **Why().schema()}
