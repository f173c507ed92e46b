"""The watch port over the watchdog package: for the sandbox, and for systems without a watcher of our own.

It watches the whole folder of the laptop. Heavier than linux/inotify.py (threads, 5 MiB), and a file moved
away is reported half a second late. Watchdog hides overflows from us: the sweep finds what they lost.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterable
from contextlib import suppress

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

#: What changes nothing: our own reading must not wake us. (Which other events there are differs by version.)
NO_CHANGE = frozenset(("opened", "closed_no_write"))
NAMES = frozenset(("created", "deleted", "moved"))
#: It warns of a race of its own by printing the name of every folder that it watches: students' folders have
#: no
#: business in a log.
warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)


class WatchdogWatch:
    """Watches laptop paths below the folder ``root``; see `agent.host.base.Watch`."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._lock = threading.Lock()
        self._paths: frozenset[str] = frozenset()
        self._touched: set[str] = set()
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self._observer = Observer()
        self._observer.schedule(_Handler(self), self._root, recursive=True)
        self._observer.start()

    def fileno(self) -> int:
        """As `agent.host.base.Watch.fileno`."""
        return self._reading

    def set_paths(self, paths: Iterable[str]) -> None:
        """As `agent.host.base.Watch.set_paths`."""
        with self._lock:
            before, self._paths = self._paths, frozenset(paths)
            self._touched.intersection_update(self._paths)
            self._touched.update(self._paths - before)

    def read(self) -> tuple[frozenset[str], bool]:
        """As `agent.host.base.Watch.read`; lost if watchdog's own threads have died."""
        with self._lock:
            with suppress(BlockingIOError):
                while os.read(self._reading, 4096):
                    pass
            touched = frozenset(self._touched)
            self._touched.clear()
        return touched, not self._observer.is_alive()

    def close(self) -> None:
        """As `agent.host.base.Watch.close`."""
        if self._reading < 0:
            return
        self._observer.stop()
        self._observer.join()
        os.close(self._reading)
        os.close(self._writing)
        self._reading = -1

    def take(self, raw: str | bytes, *, name_changed: bool) -> None:
        """Something happened at ``raw``, a real path (watchdog's thread calls this)."""
        path = os.fsdecode(raw)
        if not path.startswith(self._root):
            return
        path = path[len(self._root) :]
        with self._lock:
            hit = {path} & self._paths
            if name_changed:  # perhaps a directory: all that lies below came or went with it
                hit |= {known for known in self._paths if known.startswith(path + "/")}
            if hit:
                self._touched |= hit
                with suppress(BlockingIOError):  # full: the reader has enough to wake up for
                    os.write(self._writing, b"\0")


class _Handler(FileSystemEventHandler):
    """Passes watchdog's events on."""

    def __init__(self, watch: WatchdogWatch) -> None:
        self._watch = watch

    def on_any_event(self, event: FileSystemEvent) -> None:
        """A change below the folder, from watchdog's thread."""
        if event.event_type in NO_CHANGE:
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self._watch.take(path, name_changed=event.event_type in NAMES)
