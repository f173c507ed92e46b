"""flatpak on a real machine: its files are read, and units of ours do what is wished of applications."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from tempfile import NamedTemporaryFile

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host.flatpaks import Source, Wish, check_source, parts
from agent.host.linux.clock import LinuxClock
from agent.host.linux.flatpak_fetch import complaint
from agent.host.linux.flatpak_tree import PROGRAM, FlatpakTree
from agent.host.linux.flatpak_work import FlatpakWork
from agent.host.linux.package_notes import PackageNotes
from agent.host.linux.packages import begin
from agent.host.packages import Told
from agent.host.processes import run

PLACE = Layout().flatpaks
UNIT = "bookbag-flatpaks.service"
_SECONDS = 60.0


class LinuxFlatpaks:
    """``start`` begins the unit that carries out what is wished, which it knows by itself."""

    def __init__(
        self,
        place: str = PLACE,
        start: Callable[[str], None] = begin,
        tree: FlatpakTree | None = None,
    ) -> None:
        self._place = place
        self._start = start
        self._tree = tree or FlatpakTree()

    def there(self) -> bool:
        return os.access(PROGRAM, os.X_OK)

    def source(self, name: str) -> Source | None:
        check_source(name)
        return self._tree.source(name) if self.there() else None

    def set_source(self, name: str, source: Source | None) -> None:
        check_source(name, source)
        if self._tree.source(name) is not None:
            self._do(f"cannot take away the source {name}", "remote-delete", "--system", "--force", name)
        if source is None:
            return
        with NamedTemporaryFile(prefix="bookbag-key-") as file:  # it reads none that are handed to it
            file.write(source.key)
            file.flush()
            options = (f"--gpg-import={file.name}", f"--comment={source.note}", "--no-follow_redirect")
            words = ("remote-add", "--system", *options, name, source.address)
            self._do(f"cannot add the source {name}", *words, done=lambda: self._is(name, source))

    def find(self, name: str) -> str | None:
        full = self._tree.full("app", *parts(name))
        return self._tree.origin(full) if self.there() else None

    def ask(self, name: str, wish: Wish) -> None:
        del wish
        parts(name)
        self._start(UNIT)

    def told(self, name: str, wish: Wish) -> Told:
        return PackageNotes(self._place).told(name, str(wish)) or Told("", "it is asked for")

    def carry_out(self, wishes: Mapping[str, Wish], not_now: str) -> None:
        clock = LinuxClock()
        work = FlatpakWork(self._place, self._tree, self._start, lambda: (clock.boot_id(), clock.boottime()))
        work.carry_out(wishes, not_now)

    def _is(self, name: str, source: Source) -> bool:
        """Whether it is there: that what it has could not be looked at is no matter of ours."""
        there = self._tree.source(name)
        return there is not None and there.verified and there.address == source.address

    def _do(self, what: str, *words: str, done: Callable[[], bool] = lambda: False) -> None:
        ended = run((PROGRAM, *words), timeout=_SECONDS, environment=self._tree.environment)
        if ended.status != 0 and not done():
            raise BookbagError("not-effective", f"{what}: {complaint(ended.errors)}")
