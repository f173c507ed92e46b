"""What the laptop in a folder knows about itself beyond its files: one small JSON object per subject in
DIR/.sandbox, replaced whole and durably.
"""

from __future__ import annotations

import json

from agent.core import durable
from agent.core.errors import BookbagError
from agent.host.sandbox.newfile import write_new

MAX_BYTES = 1 << 20


class Notes:
    """The object in the file at ``path``."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self) -> dict[str, object]:
        """What is noted; nothing where there is no file. Raises ``state-corrupt``."""
        try:
            with open(self._path, "rb") as file:
                found = json.loads(file.read(MAX_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise BookbagError(
                "state-corrupt", f"cannot read the sandbox's notes: {error}", place=self._path
            ) from error
        if not isinstance(found, dict):
            raise BookbagError("state-corrupt", "cannot read the sandbox's notes", place=self._path)
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts noted as ``key``, sorted; () if there is none."""
        found = self.read().get(key, ())
        return tuple(sorted(str(text) for text in found)) if isinstance(found, list) else ()

    def put(self, key: str, value: object) -> None:
        """Note ``value`` as ``key``; does nothing if it is noted already. Raises ``disk-full``,
        ``io-error``.
        """
        noted = self.read()
        if noted.get(key) == value:
            return
        self._write({**noted, key: value})

    def begin(self, noted: dict[str, object]) -> None:
        """Note this unless something was noted before."""
        write_new(self._path, _bytes(noted))

    def _write(self, noted: dict[str, object]) -> None:
        durable.write(self._path, _bytes(noted), mode=0o644)


def _bytes(noted: dict[str, object]) -> bytes:
    return json.dumps(noted, indent=1, sort_keys=True).encode() + b"\n"
