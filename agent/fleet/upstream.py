"""Whether colleagues' work is missing here: signing a folder that is behind its git upstream would undo
what they decided.

Only looks: nothing is fetched, so it costs no network and says nothing about commits that were never fetched.
"""

from __future__ import annotations

import os
from pathlib import Path

from agent.core.errors import BookbagError
from agent.host import processes

_SECONDS = 20


def behind(root: Path) -> int | None:
    """How many commits of its upstream the folder lacks; None if it is in no git repository or follows
    nobody."""
    if not any((one / ".git").exists() for one in (root, *root.parents)):
        return None
    try:
        ended = processes.run(
            ["git", "-C", str(root), "rev-list", "--count", "HEAD..@{upstream}"],
            timeout=_SECONDS,
            environment=_ENVIRONMENT | {"HOME": os.environ.get("HOME", "/")},
        )
    except BookbagError as error:
        if error.code == "not-found":  # no git on this machine
            return None
        raise
    text = ended.text.strip()
    return int(text) if ended.status == 0 and text.isdigit() else None


#: The folder may be a stranger's clone: none of its hooks, watchers or pagers run for a count.
_ENVIRONMENT = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "core.hooksPath",
    "GIT_CONFIG_VALUE_1": "/dev/null",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


def require_current(root: Path) -> None:
    """Raises ``plan-outdated`` if the folder is behind its upstream."""
    missing = behind(root)
    if missing:
        raise BookbagError(
            "plan-outdated",
            f"cannot sign: this folder is {missing} commit{'s' if missing > 1 else ''} behind its upstream",
            place=str(root),
            remedy="git pull, look at the plan again, then sign",
        )
