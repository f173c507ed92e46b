"""What a watch notices: whatever may happen to a managed file, or to a directory above it."""

from __future__ import annotations

import os
import select
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.host.base import Watch
from tests.contract.subject import put

PATIENCE = 5.0  #: seconds until an event counts as missed; far beyond what any watcher needs


@dataclass(frozen=True)
class Watched:
    """A watch, and the real folder in which ``area`` is to be tampered with."""

    watch: Watch
    folder: str
    area: str
    quiet: float  #: seconds without news until nothing more is expected

    def at(self, name: str) -> str:
        """Laptop path of ``name`` in the area."""
        return f"{self.area}/{name}"

    def there(self, name: str) -> str:
        """The real path of ``name`` in the area."""
        return f"{self.folder}{self.area}/{name}"

    def begin(self, *names: str) -> None:
        """Watch these, and forget that they are new."""
        self.watch.set_paths([self.at(name) for name in names])
        touched, _ = self.watch.read()
        assert {self.at(name) for name in names} <= touched, "new paths count as touched"
        self.settle()

    def settle(self) -> None:
        """Read until nothing more comes."""
        while select.select([self.watch], [], [], self.quiet)[0]:
            self.watch.read()

    def noticed(self, *names: str) -> float:
        """Wait until all of these were reported, without loss; seconds it took."""
        missing = {self.at(name) for name in names}
        began = time.monotonic()
        while missing:
            left = began + PATIENCE - time.monotonic()
            assert left > 0, f"never reported: {sorted(missing)}"
            if select.select([self.watch], [], [], left)[0]:
                touched, lost = self.watch.read()
                assert not lost
                missing -= touched
        return time.monotonic() - began

    def unnoticed(self) -> None:
        """Nothing is reported."""
        end = time.monotonic() + self.quiet
        while (left := end - time.monotonic()) > 0:
            if select.select([self.watch], [], [], left)[0]:
                touched, lost = self.watch.read()
                assert (touched, lost) == (frozenset(), False)


def rename_over(path: str) -> None:
    """What editors and packages do."""
    put(f"{path}.new", b"renamed over")
    os.rename(f"{path}.new", path)


def append(path: str) -> None:
    """A write that keeps the file open: it must not wait for the close."""
    with open(path, "ab", buffering=0) as file:
        file.write(b"more")


def link_over(path: str) -> None:
    """A link in place of the file."""
    os.unlink(path)
    os.symlink("/etc/hostname", path)


def fifo_over(path: str) -> None:
    """A pipe in place of the file."""
    os.unlink(path)
    os.mkfifo(path)


def directory_over(path: str) -> None:
    """A directory in place of the file."""
    os.unlink(path)
    os.mkdir(path)


TAMPERINGS: dict[str, Callable[[str], None]] = {
    "write": put,
    "append": append,
    "truncate": lambda path: os.truncate(path, 0),
    "rename over": rename_over,
    "unlink": os.unlink,
    "rename away": lambda path: os.rename(path, f"{path}.away"),
    "chmod": lambda path: os.chmod(path, 0o600),
    "link over": link_over,
    "fifo over": fifo_over,
    "directory over": directory_over,
}


def check_every_tampering_is_noticed(watched: Watched) -> None:
    os.mkdir(watched.there("etc"))
    for how, tamper in TAMPERINGS.items():
        put(watched.there("etc/file"), b"wanted")
        watched.begin("etc/file")
        tamper(watched.there("etc/file"))
        try:
            watched.noticed("etc/file")
        except AssertionError as error:
            raise AssertionError(f"{how}: {error}") from error
        watched.watch.set_paths([])
        shutil.rmtree(watched.there("etc"))
        os.mkdir(watched.there("etc"))


def check_a_write_is_noticed_before_the_file_is_closed(watched: Watched) -> None:
    put(watched.there("file"), b"wanted")
    watched.begin("file")
    with open(watched.there("file"), "ab", buffering=0) as file:
        file.write(b"x")
        watched.noticed("file")


def check_neighbours_and_reading_are_no_news(watched: Watched) -> None:
    put(watched.there("file"), b"wanted")
    watched.begin("file")
    put(watched.there("neighbour"))
    os.unlink(watched.there("neighbour"))
    with open(watched.there("file"), "rb") as file:
        file.read()
    os.stat(watched.there("file"))
    os.listdir(watched.there("."))
    watched.unnoticed()
    put(watched.there("file"))
    watched.noticed("file")


def check_a_directory_that_goes_takes_its_files_with_it(watched: Watched) -> None:
    for how in ("removed", "moved away"):
        os.makedirs(watched.there("a/b"))
        put(watched.there("a/b/one"))
        put(watched.there("a/two"))
        watched.begin("a/b/one", "a/two")
        if how == "removed":
            shutil.rmtree(watched.there("a"))
        else:
            os.rename(watched.there("a"), watched.there("moved"))
        watched.noticed("a/b/one", "a/two")
        watched.settle()
        # It comes back in one burst; nothing between its parts may be missed.
        os.makedirs(watched.there("a/b"))
        put(watched.there("a/b/one"))
        watched.noticed("a/b/one")
        watched.settle()
        put(watched.there("a/b/one"), b"again")
        watched.noticed("a/b/one")
        watched.watch.set_paths([])
        shutil.rmtree(watched.there("a"))


def check_a_directory_renamed_over_brings_other_files(watched: Watched) -> None:
    for name in ("dir", "other"):
        os.mkdir(watched.there(name))
        put(watched.there(f"{name}/file"), name.encode())
    watched.begin("dir/file")
    os.rename(watched.there("dir"), watched.there("aside"))
    os.rename(watched.there("other"), watched.there("dir"))
    watched.noticed("dir/file")
    watched.settle()
    put(watched.there("dir/file"))
    watched.noticed("dir/file")
    watched.settle()
    put(watched.there("aside/file"))
    watched.unnoticed()


def check_what_is_not_there_yet_is_noticed_when_it_comes(watched: Watched) -> None:
    watched.begin("not/yet/there")
    os.makedirs(watched.there("not/yet"))
    watched.settle()
    put(watched.there("not/yet/there"))
    watched.noticed("not/yet/there")


def check_a_file_in_place_of_a_directory(watched: Watched) -> None:
    os.mkdir(watched.there("dir"))
    put(watched.there("dir/file"))
    watched.begin("dir/file")
    shutil.rmtree(watched.there("dir"))
    put(watched.there("dir"), b"a file now")
    watched.noticed("dir/file")
    watched.settle()
    os.unlink(watched.there("dir"))
    os.mkdir(watched.there("dir"))
    put(watched.there("dir/file"))
    watched.noticed("dir/file")


def check_what_is_no_longer_asked_for_is_no_news(watched: Watched) -> None:
    for name in ("one", "two"):
        os.mkdir(watched.there(name))
        put(watched.there(f"{name}/file"))
    watched.begin("one/file", "two/file")
    watched.watch.set_paths([watched.at("two/file")])
    put(watched.there("one/file"))
    watched.unnoticed()
    put(watched.there("two/file"))
    watched.noticed("two/file")
    watched.begin("one/file")
    put(watched.there("one/file"))
    watched.noticed("one/file")


def check_closing_twice_is_no_error(watched: Watched) -> None:
    watched.watch.set_paths([watched.at("file")])
    watched.watch.close()
    watched.watch.close()
