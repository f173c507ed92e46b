"""Taking a zip apart at the desk: every name, size and kind is judged before a byte is written.

Zip, EPUB and most packages of exercises are zips. What could lead elsewhere, take another's place or grow
without end is refused with its place; nothing is skipped in silence but what systems leave behind in
archives.
"""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from agent.content.bounds import MOST_FILE, MOST_FILES, MOST_ITEM
from agent.core.errors import BookbagError
from agent.fleet.content.names import Names, is_litter

MOST_DIRECTORY = 32 << 20  #: bytes of an archive's table of contents
#: What an archive may grow to: so many times its own size, and a little.
MOST_GROWTH, GROWTH_FREE = 200, 64 << 20
_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY, _LENGTHS = (
    46,
    struct.Struct("<3H"),
)  #: bytes of an entry without its name, what is extra, and its comment
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def unzip(archive: Path, into: Path, step: Callable[[int], None] = lambda done: None) -> list[str]:
    """Unpack ``archive`` below ``into``; returns the files' names. ``step`` hears of bytes.

    Raises ``bad-content`` naming the entry, ``too-many``, ``too-large``, ``disk-full``.
    """
    _check_directory(archive)
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _judged(opened.infolist(), archive)
            for entry, name in entries:
                _extract(opened, entry, into / name, archive)
                step(entry.file_size)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        ValueError,
        OverflowError,
    ) as problem:
        raise bad(archive, f"it is damaged ({problem})") from None
    return [name for _, name in entries]


def bad(archive: Path, why: str, entry: str = "") -> BookbagError:
    """What is wrong with an archive, and with which of its entries."""
    place = f"{archive.name}: {entry[:200]}" if entry else archive.name
    return BookbagError("bad-content", f"cannot take this archive apart: {why}", place=place)


def _check_directory(archive: Path) -> None:
    """How many entries there are, before anything makes a list of them. Python reads the end of a zip in one
    way and other programs in another: an end that can be read in two is refused."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        start = max(0, size - (64 << 10) - _END.size - _END64_LOCATOR.size - _END64.size)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(b"PK\5\6")
        if at < 0 or len(tail) - at < _END.size:
            raise bad(archive, "it is no zip, or its end is missing")
        _, _, _, _, count, length, _, _ = _END.unpack_from(tail, at)
        where = at - _END64_LOCATOR.size
        if where >= 0 and tail[where : where + 4] == b"PK\6\7":
            at = where - _END64.size
            if at < 0 or tail[at : at + 4] != b"PK\6\6":
                raise bad(archive, "its end is damaged")
            if _END64_LOCATOR.unpack_from(tail, where)[2] != start + at:
                raise bad(archive, "it has two ends")
            _, _, _, _, _, _, _, count, length, _ = _END64.unpack_from(tail, at)
        if count > MOST_FILES or length > MOST_DIRECTORY:
            raise _too_many(archive, f"{count} entries")
        file.seek(max(0, start + at - length))
        if _entries(file.read(length)) > MOST_FILES:
            raise _too_many(archive, f"more entries than the {count} that it says")


def _entries(directory: bytes) -> int:
    """How many entries a table of contents holds, whatever the archive says of it."""
    at = count = 0
    while directory[at : at + 4] == b"PK\1\2" and len(directory) - at >= _ENTRY and count <= MOST_FILES:
        at += _ENTRY + sum(_LENGTHS.unpack_from(directory, at + 28))
        count += 1
    return count


def _too_many(archive: Path, how: str) -> BookbagError:
    return BookbagError(
        "too-many",
        f"cannot take this archive apart: it lists {how}, and {MOST_FILES} are the most",
        place=archive.name,
    )


def _judged(entries: list[zipfile.ZipInfo], archive: Path) -> list[tuple[zipfile.ZipInfo, str]]:
    names = Names(archive.name)
    files = []
    total = 0
    for entry in entries:
        name = entry.filename.rstrip("/") if entry.is_dir() else entry.filename
        if is_litter(name):
            continue
        _judge(entry, archive)
        names.add(name, folder=entry.is_dir())
        if not entry.is_dir():
            files.append((entry, name))
            total += entry.file_size
    if len(files) > MOST_FILES:
        raise BookbagError("too-many", f"cannot take more than {MOST_FILES} files", place=archive.name)
    most = min(MOST_ITEM, MOST_GROWTH * archive.stat().st_size + GROWTH_FREE)
    if total > most:
        raise BookbagError(
            "too-large",
            f"cannot take this archive apart: it unpacks to {total} bytes, at most {most} are taken",
            place=archive.name,
        )
    return files


def _judge(entry: zipfile.ZipInfo, archive: Path) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise bad(archive, "it holds a link or a device", entry.filename)
    if entry.flag_bits & 0x1:
        raise bad(archive, "it is encrypted", entry.filename)
    if entry.compress_type not in _METHODS:
        raise bad(archive, f"compression {entry.compress_type} is not known here", entry.filename)
    if entry.file_size > MOST_FILE:
        raise bad(archive, "a file in it is too large", entry.filename)


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, archive: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with opened.open(entry) as source, target.open("xb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as problem:
        raise bad(archive, f"it is damaged ({problem})", entry.filename) from None
    if target.stat().st_size != entry.file_size:
        raise bad(archive, "an entry is not as long as it says", entry.filename)
