"""Blobs of learning content into the spool, from any source: a file named by its hash is whole, ``HASH.part``
is not.

What was begun is gone on with, by range, as long as the source says that it is the same file; the hash is
checked at the end all the same. Nothing here is believed: the content worker copies and checks again. Nothing
is fsynced: what a power cut damages is fetched again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.core.jsontext import parse
from agent.sync.pace import Meter, Pace
from agent.sync.ports import Source
from agent.sync.source import Part, SourceFailed
from agent.trust.paths import blob_place

PART = ".part"
WRONG = "wrong"  #: in place of a tag
MODE = 0o640  #: the content user reads by its group
MOST_TAGS = 400
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Wanted:
    """A blob that is missing."""

    sha256: str
    size: int


@dataclass(slots=True)
class Fetched:
    """What a run came to. ``absent``: blobs that a source which answered well does not have."""

    blobs: int = 0
    bytes: int = 0  #: that came
    gained: int = 0  #: of them, those that are of use: what was wrong and is gone does not count
    absent: int = 0
    source: str = ""
    full: bool = False  #: the day's bytes are used up


@dataclass(slots=True)
class Limits:
    """What a run may take. ``over`` says when its time is up."""

    pace: Pace
    meter: Meter
    over: Callable[[], bool]
    bounded: bool = True  #: the day's bound holds (not for somebody who waits, not for a stick)
    told: Callable[[], None] = lambda: None  #: hears of progress


class Spool:
    """The folder of blobs on their way."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._tags_path = f"{folder}.json"
        self._tags = self._load()

    def prune(self, wanted: Iterable[str], again: Iterable[str]) -> None:
        """Remove what nobody wants any more, and what turned out wrong."""
        keep = set(wanted)
        drop = set(again)
        for name in os.listdir(self._folder):
            blob = name.removesuffix(PART)
            if blob not in keep or blob in drop:
                with contextlib.suppress(OSError):
                    os.unlink(f"{self._folder}/{name}")
                self._tags.pop(blob, None)

    def has(self, blob: Wanted) -> bool:
        """Whether it is there, whole by its size."""
        try:
            return os.lstat(f"{self._folder}/{blob.sha256}").st_size == blob.size
        except OSError:
            return False

    def fetch(self, source: Source, blob: Wanted, limits: Limits, this: Fetched) -> None:
        """Bring one blob in, or as much of it as the limits allow. Raises ``not-found``, ``network``,
        ``disk-full``, and ``bad-content`` if what came is not the blob."""
        begun, tag = self._begun(source, blob)
        whole = self._attempt(source, blob, begun, tag, limits, this)
        if whole is False and begun:
            whole = self._attempt(
                source, blob, 0, "", limits, this
            )  # the first part may have been what was wrong
        if whole is False:
            raise BookbagError(
                "bad-content",
                "cannot take a part of the learning content: it is not what was published",
                place=f"{source.name}: {blob_place(blob.sha256)}",
            )

    def _attempt(
        self, source: Source, blob: Wanted, begun: int, tag: str, limits: Limits, this: Fetched
    ) -> bool | None:
        """True: it is whole; False: it is wrong, and gone; None: there was no more time, or the day is
        full."""
        path = f"{self._folder}/{blob.sha256}{PART}"
        part = self._asked(source, blob, begun, tag)
        if part is None:
            _drop(path)
            return False
        before = _size(path)
        # A host that knows no ranges gives all or nothing, so it gets the time to give all.
        patient = begun > 0 and part.first == 0
        try:
            with self._open(path) as fd:
                os.ftruncate(fd, part.first)
                stopped = self._take(fd, part.first, part.pieces, limits, this, patient=patient)
        finally:
            part.close()
            self._tags[blob.sha256] = (source.name, part.tag)
            this.gained += _size(path) - before
        if stopped and _size(path) < blob.size:
            return None
        if _size(path) == blob.size and _hash(path) == blob.sha256:
            os.rename(path, f"{self._folder}/{blob.sha256}")
            self._tags.pop(blob.sha256, None)
            this.blobs += 1
            return True
        this.gained -= _size(path)
        _drop(path)
        return False

    @staticmethod
    def _asked(source: Source, blob: Wanted, begun: int, tag: str) -> Part | None:
        """None if what is there is larger than the blob: then it is another thing."""
        try:
            return source.part(blob_place(blob.sha256), begun, tag, blob.size)
        except BookbagError as problem:
            if problem.code != "too-large":
                raise
            return None

    def suspect(self, blob: Wanted, source: str) -> None:
        """What this source has under the name of ``blob`` is another thing."""
        self._tags[blob.sha256] = (source, WRONG)

    def is_suspect(self, blob: Wanted, source: str) -> bool:
        """Whether that is known of it."""
        return self._tags.get(blob.sha256) == (source, WRONG)

    def save(self) -> None:
        """Remember what the parts are parts of."""
        value = {"v": 1, "tags": dict(list(self._tags.items())[-MOST_TAGS:])}
        durable.write(self._tags_path, json.dumps(value).encode(), mode=0o600)

    def _begun(self, source: Source, blob: Wanted) -> tuple[int, str]:
        """(bytes that are here, the tag that they are of): nothing, where they came from somewhere else."""
        name, tag = self._tags.get(blob.sha256, ("", ""))
        size = _size(f"{self._folder}/{blob.sha256}{PART}")
        if tag in ("", WRONG) or (name != source.name and blob.sha256 not in tag) or size >= blob.size:
            return 0, ""
        return size, tag

    @contextlib.contextmanager
    def _open(self, path: str) -> Iterator[int]:
        try:
            fd = os.open(path, _WRITE, 0o600)
            try:
                os.fchmod(fd, MODE)
                yield fd
            finally:
                os.close(fd)
        except OSError as problem:
            raise explained(problem, "fetch learning content", self._folder) from None

    @staticmethod
    def _take(
        fd: int, first: int, pieces: Iterable[bytes], limits: Limits, this: Fetched, *, patient: bool
    ) -> bool:
        """Write the pieces; True if that was stopped before they ended. One that is too large is caught by
        its size."""
        at = first
        try:
            for piece in pieces:
                data = memoryview(piece)
                while data:
                    written = os.pwrite(fd, data, at)
                    at += written
                    data = data[written:]
                this.bytes += len(piece)
                limits.meter.count(len(piece))
                limits.told()
                limits.pace.took(len(piece))
                this.full = limits.bounded and limits.meter.left <= 0
                if this.full or (limits.over() and not patient):
                    return True
        except BookbagError as problem:
            if problem.code != "too-large":
                raise
            os.ftruncate(fd, 0)
        return False

    def _load(self) -> dict[str, tuple[str, str]]:
        try:
            with open(self._tags_path, "rb") as file:
                value = parse(file.read(256 << 10), what=self._tags_path)
        except (OSError, BookbagError):
            return {}
        tags = value.get("tags") if isinstance(value, dict) else None
        found = {}
        for sha256, told in tags.items() if isinstance(tags, dict) else ():
            if isinstance(told, list) and len(told) == 2 and all(isinstance(one, str) for one in told):
                found[sha256] = (told[0], told[1])
        return found


@dataclass(slots=True)
class Run:
    """One run over the sources: each is asked for what is still missing until none of them has more."""

    folder: Spool
    limits: Limits
    this: Fetched = field(default_factory=Fetched)

    def fetch(self, sources: Sequence[Callable[[], Source]], blobs: Sequence[Wanted]) -> None:
        """Raises the first error that was met if nothing was gained."""
        first: BookbagError | None = None
        left = [blob for blob in blobs if not self.folder.has(blob)]
        for opened in sources:
            if not left or self._is_over():
                break
            try:
                source = opened()
                try:
                    left, wrong = self._from(source, left)
                    first = first or wrong
                finally:
                    source.close()
                    self.folder.save()
            except BookbagError as problem:
                if problem.code == "disk-full":
                    raise
                first = first or problem
        self.this.absent = len(left)
        if first is not None and self.this.gained <= 0:
            raise first

    def _from(self, source: Source, blobs: list[Wanted]) -> tuple[list[Wanted], BookbagError | None]:
        """What this source does not have, and what was wrong with something that it has. What was wrong
        before is asked for last, so that it cannot keep the rest from coming."""
        absent: list[Wanted] = []
        wrong: BookbagError | None = None
        ordered = sorted(blobs, key=lambda blob: self.folder.is_suspect(blob, source.name))
        for number, blob in enumerate(ordered):
            if self._is_over():
                return [*absent, *ordered[number:]], wrong
            try:
                self.folder.fetch(source, blob, self.limits, self.this)
                self.this.source = source.name
            except BookbagError as problem:
                if problem.code not in ("not-found", "bad-path", "bad-content"):
                    raise
                absent.append(blob)
                if problem.code != "not-found":
                    wrong = wrong or SourceFailed(problem.message, place=problem.place, answered=True)
                    self.folder.suspect(blob, source.name)
        return absent, wrong

    def _is_over(self) -> bool:
        return self.this.full or self.limits.over()


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _hash(path: str) -> str:
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, _READ), "rb") as file:
        while data := file.read(256 << 10):
            digest.update(data)
    return digest.hexdigest()


def _drop(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
