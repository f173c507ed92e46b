"""Facts of the laptop in a folder: written to DIR/.sandbox/facts.json when it is first opened, then
whatever it says.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping

from agent.core.errors import BookbagError


class SandboxFacts:
    """The facts in the file at ``path``; made up when it is not there."""

    def __init__(self, path: str) -> None:
        self._path = path
        if not os.path.exists(path):
            _write(path, _made_up())

    def _facts(self) -> Mapping[str, object]:
        try:
            with open(self._path, "rb") as file:
                facts = json.loads(file.read(1 << 16))
        except (OSError, ValueError, RecursionError) as error:
            raise BookbagError(
                "state-corrupt", f"cannot read the sandbox's facts: {error}", place=self._path
            ) from error
        if not isinstance(facts, dict):
            raise BookbagError("state-corrupt", "cannot read the sandbox's facts", place=self._path)
        return facts

    def serial(self) -> str:
        return str(self._facts().get("serial", ""))

    def system(self) -> Mapping[str, str]:
        facts = self._facts()
        kept = {key: str(facts.get(key, "")) for key in ("os", "version", "arch")}
        return {**kept, "host": "sandbox"}

    def users(self) -> tuple[str, ...]:
        users = self._facts().get("users", ())
        return tuple(sorted(str(user) for user in users)) if isinstance(users, list) else ()


def _made_up() -> dict[str, object]:
    return {
        "serial": f"SANDBOX-{os.urandom(4).hex().upper()}",
        "os": "debian",
        "version": "12",
        "arch": platform.machine(),
        "users": ["student"],
    }


def _write(path: str, facts: Mapping[str, object]) -> None:
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # unlike rename: the first of two openers wins
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
