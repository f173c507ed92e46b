"""Content that is signed and made to do harm: its editor's key was stolen, or its desk is broken. Every hash
fits; what the blobs say does not. It is refused as a whole, for little memory and time.
"""

from __future__ import annotations

import copy
import hashlib
import json
import lzma
import time
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from agent.content import effort
from agent.content.installing import install
from agent.content.manifest import Manifest
from agent.content.packs import Packs
from agent.content.pieces import unpack
from agent.content.version import read_manifest
from agent.core.errors import BookbagError
from agent.fleet.content.packing import store

Value = dict[str, object]
TEXT = b"<title>Rivers</title>" + b"Rivers run to the sea. " * 100
#: What refusing may cost beyond what is there already.
MOST_MEMORY = 24 << 20
LARGE = 256 << 20  #: bytes that a bomb unpacks to
MOST_SECONDS = 20.0


def packed(data: bytes) -> bytes:
    """Raw LZMA2, as a piece is stored."""
    return lzma.compress(
        data, format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    )


@cache
def zeros(count: int) -> bytes:
    """That many zeros, packed, without ever having them all."""
    made = lzma.LZMACompressor(
        format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20, "preset": 0}]
    )
    parts = [made.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join(parts) + made.flush()


class Forge:
    """Makes a version by hand, so that any of it can be wrong."""

    def __init__(self, folder: Path) -> None:
        self.packs = Packs(f"{folder}/packs")
        self.text = packed(TEXT)
        self.listing: Value = {
            "packs": [hashlib.sha256(self.text).hexdigest()],
            "pieces": [[0, 0, len(self.text), len(TEXT), 1, zlib.crc32(TEXT)]],
            "files": [
                {
                    "path": "index.html",
                    "size": len(TEXT),
                    "sha256": hashlib.sha256(TEXT).hexdigest(),
                    "at": [[0, 0, len(TEXT)]],
                }
            ],
        }
        self.manifest: Value = {"v": 1, "form": "site", "entry": "index.html", "files": 1, "size": len(TEXT)}
        self.extra: list[bytes] = []
        self.twisted: Callable[[Value], None] = lambda manifest: None

    def made(self) -> Manifest:
        """The manifest, written and read back as a laptop does."""
        listed = json.dumps(self.listing, separators=(",", ":")).encode()
        stored = packed(listed)
        blobs = [store(self.packs, data) for data in (self.text, stored, *self.extra)]
        whole = copy.deepcopy(self.manifest)
        whole["packs"] = [[blob.sha256, blob.size] for blob in blobs]
        whole["listing"] = [[1, 0, len(stored), len(listed), 1, zlib.crc32(listed)]]
        self.twisted(whole)
        return read_manifest(self.packs, store(self.packs, json.dumps(whole).encode()).sha256)

    def file(self, **changed: object) -> None:
        """Say something else of the file."""
        self.listing["files"][0].update(changed)  # type: ignore[index]

    def piece(self, *row: int) -> None:
        """Say something else of where the text lies."""
        self.listing["pieces"] = [list(row)]

    def says(self, **changed: object) -> None:
        """Say something else in the manifest, after it was made."""
        self.twisted = lambda manifest: manifest.update(changed)


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path)


def test_what_is_forged_well_installs(forge: Forge, tmp_path: Path) -> None:
    install(forge.packs, forge.made(), f"{tmp_path}/it.db")
    assert (tmp_path / "it.db").exists()


def file(**changed: object) -> Callable[[Forge], None]:
    return lambda forge: forge.file(**changed)


def says(**changed: object) -> Callable[[Forge], None]:
    return lambda forge: forge.says(**changed)


def piece(*row: int) -> Callable[[Forge], None]:
    return lambda forge: forge.piece(*row)


def twice(forge: Forge) -> None:
    forge.listing["files"] *= 2  # type: ignore[operator]
    forge.says(files=2, size=2 * len(TEXT))


def bomb(forge: Forge) -> None:
    """A piece that promises a page and unpacks to far more."""
    forge.text = zeros(LARGE)
    forge.listing["packs"] = [hashlib.sha256(forge.text).hexdigest()]
    forge.piece(0, 0, len(forge.text), len(TEXT), 1, zlib.crc32(TEXT))


def listing_bomb(forge: Forge) -> None:
    """A listing that promises a page and unpacks to far more."""
    data = zeros(LARGE)
    forge.extra = [data]
    row = [2, 0, len(data), 1000, 1, 0]
    forge.twisted = lambda manifest: manifest.update(listing=[row])


def deep(forge: Forge) -> None:
    forge.listing["more"] = json.loads("[" * 500 + "]" * 500)


def crowd(forge: Forge) -> None:
    """More files than any item has."""
    empty = hashlib.sha256(b"").hexdigest()
    forge.listing["files"] = [
        {"path": f"{n:06}", "size": 0, "sha256": empty, "at": []} for n in range(20_000)
    ]
    forge.says(files=20_000, size=0, entry="000000")


ROW = (0, 0, 0, len(TEXT), 1, zlib.crc32(TEXT))
FORGERIES = {
    "no such form": says(form="program"),
    "no file": says(files=0),
    "a million files": says(files=1_000_000),
    "too many files for a listing": says(files=2),
    "too few": says(size=len(TEXT) - 1),
    "a terabyte": says(size=1 << 40),
    "less than a byte": says(size=-1),
    "a size that is text": says(size="12"),
    "an entry that is not there": says(entry="other.html"),
    "a pack without a hash": says(packs=[["../../etc/shadow", 3]]),
    "a pack twice": lambda forge: setattr(
        forge, "twisted", lambda manifest: manifest.update(packs=manifest["packs"][:1] * 2)
    ),
    "a pack of a gigabyte": lambda forge: setattr(
        forge, "twisted", lambda manifest: manifest["packs"][0].__setitem__(1, 1 << 30)
    ),
    "a listing beyond its pack": says(listing=[[1, 5000, 90, 90, 0, 0]]),
    "a listing in no pack": says(listing=[[7, 0, 9, 9, 0, 0]]),
    "a listing of no method": says(listing=[[1, 0, 9, 9, 5, 0]]),
    "a listing of half a row": says(listing=[[1, 0]]),
    "no listing": says(listing=[]),
    "the same listing a thousand times": lambda forge: setattr(
        forge, "twisted", lambda manifest: manifest.update(listing=manifest["listing"] * 1000, files=1000)
    ),
    "another hash": file(sha256="0" * 64),
    "no hash": file(sha256="rivers"),
    "up and out": file(path="../../../etc/cron.d/x"),
    "from the root": file(path="/etc/passwd"),
    "two slashes": file(path="a//b"),
    "a backslash": file(path="..\\index.html"),
    "a nul": file(path="index.html\0"),
    "a line": file(path="a\nb"),
    "a path without end": file(path="a/" * 300 + "b"),
    "no path": file(path=""),
    "more than is there": file(at=[[0, 0, len(TEXT) + 1]], size=len(TEXT) + 1),
    "before it begins": file(at=[[0, -1, len(TEXT)]]),
    "nothing, often": file(at=[[0, 0, 0]] * 10 + [[0, 0, len(TEXT)]]),
    "of no piece": file(at=[[9, 0, len(TEXT)]]),
    "another language": file(lang="<script>"),
    "another direction": file(dir="up"),
    "a track outside": file(tracks=[["../x.vtt", "en", "captions"]]),
    "a track of no kind": file(tracks=[["x.vtt", "en", "programs"]]),
    "a title without end": file(title="a" * 10_000),
    "the same file twice": twice,
    "a pack that the manifest does not name": lambda forge: forge.listing.update(packs=["0" * 64]),
    "deeper than listings are": deep,
    "more at once than a segment may hold": crowd,
    "a piece that unpacks to far more than it says": bomb,
    "a listing that unpacks to far more than it says": listing_bomb,
    "a piece that promises a gigabyte": piece(0, 0, 40, 1 << 30, 1, 0),
    "a stored piece that grows": piece(0, 0, 40, 41, 0, 0),
    "a piece of another sum": piece(0, 0, ROW[2] or 60, len(TEXT), 1, 1),
    "a piece that begins in the middle": piece(0, 7, 60, len(TEXT), 1, zlib.crc32(TEXT)),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_content_is_refused_as_a_whole(name: str, forge: Forge, tmp_path: Path) -> None:
    FORGERIES[name](forge)
    before, began = reset_peak(), time.monotonic()
    with pytest.raises(BookbagError) as caught:
        install(forge.packs, forge.made(), f"{tmp_path}/it.db")
    assert caught.value.code in ("bad-content", "bad-json", "too-large", "state-corrupt")
    assert [path.name for path in tmp_path.iterdir() if "it.db" in path.name] == []
    assert peak() - before < MOST_MEMORY
    assert time.monotonic() - began < MOST_SECONDS


def reset_peak() -> int:
    """Forget the most memory this process ever had, and return what it has."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def test_a_file_of_shreds_of_a_thousand_pieces_is_refused_before_it_is_unpacked(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effort, "MOST_UNPACKED", 4 << 20)
    zeros = bytes(1 << 20)
    pieces, extents = [], []
    data = b""
    for number in range(20):
        one = packed(zeros[number:])
        pieces.append([0, len(data), len(one), len(zeros) - number, 1, zlib.crc32(zeros[number:])])
        data += one
    for turn in range(1000):
        extents.append([turn % 20, 0, 1])
    forge.text = data
    forge.listing["packs"] = [hashlib.sha256(data).hexdigest()]
    forge.listing["pieces"] = pieces
    forge.file(at=extents, size=1000, sha256=hashlib.sha256(bytes(1000)).hexdigest())
    forge.says(size=1000)
    with pytest.raises(BookbagError, match="far more work"):
        install(forge.packs, forge.made(), f"{tmp_path}/it.db")


def test_more_parts_than_any_version_has_are_refused(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effort, "MOST_ALL_EXTENTS", 100)
    forge.file(at=[[0, at, 1] for at in range(len(TEXT))])
    with pytest.raises(BookbagError, match="far more work"):
        install(forge.packs, forge.made(), f"{tmp_path}/it.db")


@pytest.mark.parametrize("raw", [1, 1000, 1 << 20])
def test_a_bomb_takes_no_more_memory_than_it_promises(raw: int) -> None:
    data = zeros(LARGE)
    before = reset_peak()
    with pytest.raises(BookbagError, match="cannot read a piece"):
        unpack(1, data, raw, 0)
    assert peak() - before < 8 << 20
