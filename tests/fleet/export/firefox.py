"""What Firefox on Windows makes of its registry key, by the rules of its own reader: a key whose first value
or key is called 1 is a list; a text that a policy takes as JSON is read as such.
"""

from __future__ import annotations

import json

from tests.fleet.export.regreader import Registry

JSON = ("ExtensionSettings", "ManagedBookmarks")


def policies(registry: Registry, key: str) -> object:
    """The policies below ``key``."""
    values = registry.get(key, {})
    children = sorted({one[len(key) + 1 :].split("\\")[0] for one in registry if one.startswith(f"{key}\\")})
    if next(iter(values), "") == "1":
        return list(values.values())
    if children and children[0] == "1":
        return [policies(registry, f"{key}\\{one}") for one in children]
    found: dict[str, object] = {
        name: json.loads(str(value)) if name in JSON else value for name, value in values.items()
    }
    return {**found, **{one: policies(registry, f"{key}\\{one}") for one in children}}
