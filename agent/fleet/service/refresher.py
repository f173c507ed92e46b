"""One thread that keeps what is published fresh, so that the loop never waits for a signature or a disk."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.core.errors import BookbagError
from agent.fleet import freshness
from agent.fleet.folder import Folder

EVERY = 60.0  #: seconds between two looks


class Refresher:
    """Signs the online roles again when a third of the timestamp's life is over; a failure is told and
    tried again."""

    def __init__(
        self,
        folder: Folder,
        now: Callable[[], int],
        tell: Callable[[str, dict[str, object]], None],
        *,
        every: float = EVERY,
    ) -> None:
        """``tell`` gets an event's name and its fields."""
        self._folder = folder
        self._now = now
        self._tell = tell
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="refresher")

    def start(self) -> None:
        """Begin; looks at once."""
        self._thread.start()

    def stop(self) -> None:
        """End, after a signing that is under way."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self.look()
            if self._stop.wait(self._every):
                return

    def look(self) -> None:
        """Refresh if it is due."""
        try:
            if not freshness.due(self._folder, self._now()):
                return
            outcome, expires = freshness.refresh(self._folder, self._now())
        except BookbagError as error:
            self._tell("refresh-failed", dict(error.to_dict()))
        except Exception as error:  # a damaged file must not end the service that still serves the rest
            self._tell("refresh-failed", {"code": "internal", "message": f"cannot refresh: {error!r}"})
        else:
            self._tell("refreshed", {"timestamp": outcome.timestamp, "expires": expires})
