"""What left this laptop, for its student: the last requests, as raw bytes and decoded from exactly these
bytes.

An entry is written before the first byte leaves and completed by what came of it, so whatever happens in
between there is no request without an entry. Entries of requests that never left (no connection) are taken
back.

``NNNNNNNNNNNN-SIGNAL.pb`` is the request's body before compression, ``NNNNNNNNNNNN-SIGNAL.json`` tells the
rest.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.store import atomic
from agent.telemetry.otlp.decode import groups
from agent.telemetry.otlp.understand import understand
from agent.telemetry.otlp.wire import Malformed

KEPT = 12  #: requests
MAX_BYTES = 1 << 20
UNKNOWN = "sent; whether it arrived is not known"
_NAME = re.compile(r"([0-9]{12,18})-(logs|metrics)\.json\Z")


class Sent:
    """The entries in ``directory``, made when first needed; one writer at a time."""

    def __init__(self, directory: str, *, kept: int = KEPT) -> None:
        self.directory = directory
        self._kept = kept

    def begin(self, signal: str, body: bytes, where: Mapping[str, object]) -> int:
        """Note that ``body`` is about to be sent; returns the entry's number. ``where``: to which address, at
        what time, how many bytes on the line. The same body again makes no second entry.
        """
        atomic.make_dir(self.directory, mode=0o755)
        digest = hashlib.sha256(body).hexdigest()
        numbers = self.numbers()
        tries = 0
        if numbers:
            last = self.entry(numbers[-1])
            if last is not None and last.get("sha256") == digest:
                before = last.get("tries")
                tries = before if isinstance(before, int) else 0
        number = numbers[-1] if tries else max(numbers, default=0) + 1
        atomic.write(f"{self._stem(number, signal)}.pb", body, mode=0o644)
        self._write(
            number,
            signal,
            {
                "v": 1,
                "signal": signal,
                "sha256": digest,
                "bytes": len(body),
                **where,
                "tries": tries + 1,
                "outcome": UNKNOWN,
                "reports": decoded(signal, body),
            },
        )
        self._prune()
        return number

    def finish(self, number: int, outcome: str) -> None:
        """Note what came of it."""
        entry = self.entry(number)
        if entry is not None:
            self._write(number, str(entry["signal"]), {**entry, "outcome": outcome})

    def take_back(self, number: int) -> None:
        """Nothing of it left."""
        entry = self.entry(number)
        if entry is None:
            return
        tries = entry.get("tries")
        if isinstance(tries, int) and tries > 1:
            self._write(number, str(entry["signal"]), {**entry, "tries": tries - 1})
            return
        self._remove(number)

    def numbers(self) -> list[int]:
        """The entries there are, oldest first."""
        try:
            names = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        return sorted(int(match[1]) for name in names if (match := _NAME.match(name)))

    def entry(self, number: int) -> dict[str, object] | None:
        """One entry; None if it is not there, or damaged."""
        for signal in ("logs", "metrics"):
            path = f"{self._stem(number, signal)}.json"
            try:
                data = atomic.read(path, max_bytes=MAX_BYTES)
                found = None
                if data is not None:
                    found = jsontext.parse(data, what=path, max_bytes=MAX_BYTES, max_nodes=50_000)
            except BookbagError:
                return None
            if isinstance(found, dict) and found.get("signal") == signal:
                return found
        return None

    def raw(self, number: int) -> bytes | None:
        """The bytes of one entry's request."""
        for signal in ("logs", "metrics"):
            data = atomic.read(f"{self._stem(number, signal)}.pb", max_bytes=MAX_BYTES)
            if data is not None:
                return data
        return None

    def _stem(self, number: int, signal: str) -> str:
        return f"{self.directory}/{number:012d}-{signal}"

    def _write(self, number: int, signal: str, entry: Mapping[str, object]) -> None:
        atomic.write(f"{self._stem(number, signal)}.json", jsontext.pretty(entry).encode(), mode=0o644)

    def _prune(self) -> None:
        for number in self.numbers()[: -self._kept]:
            self._remove(number)

    def _remove(self, number: int) -> None:
        for signal in ("logs", "metrics"):
            for ending in ("json", "pb"):
                atomic.remove(f"{self._stem(number, signal)}.{ending}")


def decoded(signal: str, body: bytes) -> list[dict[str, object]]:
    """The reports in a request's bytes, as people may read them."""
    if signal not in ("logs", "metrics"):
        return []
    try:
        found = understand(signal, groups("logs" if signal == "logs" else "metrics", body)).reports
    except Malformed:
        return []
    return [
        {
            "record": one.record,
            "id": one.id,
            "at": one.at,
            "cause": one.cause,
            "laptop": dict(one.laptop),
            "values": dict(one.values),
        }
        for one in found
    ]
