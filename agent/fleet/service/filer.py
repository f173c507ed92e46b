"""One thread that files what teachers sent, several at a time: of each laptop the newest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from agent.core.errors import BookbagError
from agent.fleet.classroom.filing import file_sessions
from agent.fleet.classroom.judging import Taken
from agent.fleet.folder import Folder

MOST_WAITING = 2000  #: laptops
MOST_HELD = 2000
GATHER = 0.2  #: seconds in which others may come along: each publication signs anew


class Filer:
    """``held``: laptop → (order, why it was not filed), for whoever asks. ``tell`` gets an event's name and
    its fields."""

    def __init__(
        self, folder: Folder, now: Callable[[], int], tell: Callable[[str, dict[str, object]], None]
    ) -> None:
        self._folder = folder
        self._now = now
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting: dict[str, Taken] = {}
        self._held: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._some = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="filer")

    @property
    def held(self) -> Mapping[str, tuple[str, str]]:
        """As of now."""
        with self._lock:
            return dict(self._held)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what is under way. What waits was promised to nobody."""
        self._stop.set()
        self._some.set()
        if self._thread.ident is not None:
            self._thread.join()

    def file(self, taken: Sequence[Taken]) -> None:
        """Have these filed soon. Raises ``too-many``, and then none of them are."""
        with self._lock:
            if len(self._waiting.keys() | {one.laptop for one in taken}) > MOST_WAITING:
                raise BookbagError("too-many", "cannot take more orders just now")
            for one in taken:
                before = self._waiting.get(one.laptop)
                if before is None or before.draft.order.seq <= one.draft.order.seq:
                    self._waiting[one.laptop] = one
                self._held.pop(one.laptop, None)
        self._some.set()

    def look(self) -> None:
        """File what waits."""
        with self._lock:
            given, self._waiting = list(self._waiting.values()), {}
        if not given:
            return
        try:
            held = file_sessions(self._folder, given, self._now)
        except BookbagError as error:
            self._tell("class-failed", dict(error.to_dict()))
            held = {one.id: f"the school's service could not publish it: {error.message}" for one in given}
        except Exception as error:  # a damaged file must not end the service that still serves the rest
            self._tell("class-failed", {"code": "internal", "message": f"cannot file it: {error!r}"})
            held = {one.id: "the school's service could not publish it" for one in given}
        else:
            by = sorted({one.teacher for one in given})
            self._tell("class-filed", {"by": by, "laptops": len(given) - len(held), "held": len(held)})
        with self._lock:
            for one in given:
                if one.id in held:
                    self._held[one.laptop] = one.id, held[one.id]
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._some.wait()
            self._stop.wait(GATHER)
            self._some.clear()
            self.look()
