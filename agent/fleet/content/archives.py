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
    """How many entries it says it has, before anything makes a list of them."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(0, size - (64 << 10) - _END.size - _END64_LOCATOR.size))
        tail = file.read()
        at = tail.rfind(b"PK\5\6")
        if at < 0 or len(tail) - at < _END.size:
            raise bad(archive, "it is no zip, or its end is missing")
        _, _, _, _, count, length, _, _ = _END.unpack_from(tail, at)
        where = at - _END64_LOCATOR.size
        if where >= 0 and tail[where : where + 4] == b"PK\6\7":
            file.seek(min(size, _END64_LOCATOR.unpack_from(tail, where)[2]))
            record = file.read(_END64.size)
            if len(record) < _END64.size or record[:4] != b"PK\6\6":
                raise bad(archive, "its end is damaged")
            _, _, _, _, _, _, _, count, length, _ = _END64.unpack(record)
    if count > MOST_FILES or length > MOST_DIRECTORY:
        raise BookbagError(
            "too-many",
            f"cannot take this archive apart: it lists {count} entries, and {MOST_FILES} are the most",
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
