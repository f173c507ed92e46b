"""Chrome's policies as the Google Admin console takes them for enrolled browsers, under *Chrome browser >
Custom configurations* (https://support.google.com/chrome/a/answer/14749672): one JSON object of Chrome's own
names and values.

Not the Chrome Policy API: it has names and enumerations of its own, which only Google's service tells, so
that nothing here could know that it wrote what is meant.
"""

from __future__ import annotations

import json
from typing import Final

from agent.fleet.export.browsers import BROWSERS, CHROME
from agent.fleet.export.gathering import Gathered, Left

FORM: Final = "Google Admin console"
SUFFIX: Final = ".google.json"
#: One console rules Windows, macOS and Linux at once, and each writes paths its own way.
_PATHS: Final = frozenset(("DownloadDirectory",))


def write(gathered: Gathered) -> tuple[bytes, list[Left]]:
    """A group's file, and what it leaves out."""
    left: list[Left] = []
    policies = gathered.policies[CHROME.name]
    for policy in sorted(_PATHS & set(policies)):
        why = "the console has one path for all systems, and each writes paths its own way"
        left += gathered.lacking(CHROME, policy, FORM, why)
    kept = {name: value for name, value in policies.items() if name not in _PATHS}
    text = json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False)
    others = ", ".join(one.name for one in BROWSERS if one != CHROME)
    if any(gathered.policies[one.name] for one in BROWSERS if one != CHROME):
        left.append(Left("(all)", FORM, f"it is for Chrome only, not {others}"))
    return f"{text}\n".encode(), left
