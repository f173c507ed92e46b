"""Learning content: what an edit costs on the line, what publishing takes, and the memory of whoever keeps
it."""

from __future__ import annotations

import json
import lzma
import random
import shlex
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.content import wishes
from agent.content.packs import Packs
from agent.content.version import read_manifest
from agent.content.wishes import Wish, Wishes
from agent.core.layout import Layout
from tests.bench.processes import BARE, BOOKBAG, FLOORS, run
from tests.bench.rows import Bench, Budget, Measured, NotMeasured, Promise, Results, Samples
from tests.bench.world import World
from tests.content import real
from tests.fleet.desk import Desk, make_desk

EDIT = Promise("content-edit", "1 % of 530 pages edited, bytes that a laptop fetches", "KB", Budget(35))
LARGE = Promise(
    "content-large",
    "1 % of a 200 MiB file changed in 50 places, bytes that a laptop fetches",
    "KB",
    Budget(1.2, times_peer=True),
)
PUBLISH = Promise("content-publish", "python3.11-doc, 67 MB, added and published, CPU", "s", Budget(60))
WORKER = Promise("content-worker", "content worker that takes a 200 MiB file, peak RSS", "MiB", Budget(40))

SIZE = 200 << 20
PLACES = 50
FLEET = str(Path(BOOKBAG).with_name("bookbag-fleet"))
SENTENCE = "<p>Corrected on {day}: read the chapter on {name} before this one.</p>\n"


def measure(world: World) -> Results:
    folder = world.folder / "content"
    desk = make_desk(folder / "desk", now=int(time.time()))
    desk.publish()
    large = _large(desk, folder)
    worker = _worker(world, desk, folder)
    shutil.rmtree(folder / "files")
    found = {LARGE.name: large, WORKER.name: worker}
    try:
        docs = real.python_docs()
    except pytest.skip.Exception as gap:
        raise NotMeasured(str(gap)) from None
    return {**found, PUBLISH.name: _publish(desk, docs), EDIT.name: _edit(world, desk, docs, folder)}


# -- what is fetched


def _add(desk: Desk, path: Path, name: str, *more: str) -> set[tuple[str, int]]:
    """Add a version; (hash, size) of everything that a laptop needs for it."""
    desk.run("content", "add", str(path), "--id", name, "--licence", "CC0-1.0", *more)
    told = desk.run("content", "show", name).value
    packs = Packs(str(desk.root / "blobs"))
    manifest = read_manifest(packs, told["manifest"])
    return {(told["manifest"], told["manifest-size"]), *((one.sha256, one.size) for one in manifest.packs)}


def _new(before: set[tuple[str, int]], after: set[tuple[str, int]]) -> int:
    return sum(size for _, size in after - before)


def _large(desk: Desk, folder: Path) -> Measured:
    source = random.Random(7)
    path = folder / "files" / "lesson.mp4"
    path.parent.mkdir()
    data = bytearray(source.randbytes(SIZE))
    path.write_bytes(data)
    before = _add(desk, path, "lesson")
    changed = SIZE // 100 // PLACES
    for number in range(PLACES):
        at = number * (SIZE // PLACES) + source.randrange(SIZE // PLACES - changed)
        data[at : at + changed] = source.randbytes(changed)
    path.write_bytes(data)
    fetched = _new(before, _add(desk, path, "lesson"))
    note = "random bytes, so that nothing compresses; manifest and listing included; packs are fetched whole"
    peers = {"the changed bytes": Samples.of([changed * PLACES], 1e-3)}
    return Measured(Samples.of([fetched], 1e-3), peers, note)


def _edit(world: World, desk: Desk, docs: Path, folder: Path) -> Measured:
    pages = folder / "pages"
    shutil.copytree(docs, pages, symlinks=True, ignore=_pages_alone)
    version = _add(desk, pages, "pages", "--without-links")
    names = sorted(pages.rglob("*.html"))
    source = random.Random(3)
    fetched, whole = [], []
    for _ in range(world.rounds(9)):
        chosen = source.sample(names, round(len(names) / 100))
        for path in chosen:
            _correct(path, source)
        after = _add(desk, pages, "pages", "--without-links")
        fetched.append(_new(version, after))
        whole.append(sum(len(lzma.compress(path.read_bytes())) for path in chosen))
        version = after
    note = (
        f"{len(names)} pages, {sum(path.stat().st_size for path in names) / 1e6:.1f} MB, a sentence put into"
        " 5 of them, one edition after another; manifest and listing included"
    )
    return Measured(Samples.of(fetched, 1e-3), {"those 5 whole, xz": Samples.of(whole, 1e-3)}, note)


def _pages_alone(folder: str, names: list[str]) -> Sequence[str]:
    return [one for one in names if Path(folder, one).is_file() and not one.endswith(".html")]


def _correct(path: Path, source: random.Random) -> None:
    """A sentence of some words, at the end of a paragraph in the middle."""
    text = path.read_text()
    at = text.find("</p>", len(text) // 2)
    at = at if at >= 0 else text.rfind("</body>")
    sentence = SENTENCE.format(day=source.randrange(365), name="".join(source.choices("aeinorst", k=9)))
    path.write_text(text[:at] + sentence + text[at:])


# -- what publishing takes


def _publish(desk: Desk, docs: Path) -> Measured:
    env = {"PATH": "/usr/bin:/bin", **desk.environ}
    words = ["--id", "python", "--without-links", "--licence", "PSF-2.0"]
    common = ["--folder", str(desk.root)]
    costs = [
        run([FLEET, "content", "add", str(docs), *words, *common], env=env),
        run([FLEET, "publish", "--as", "ict-1", *common], env=env),
    ]
    stored = desk.run("content", "show", "python").value["stored"]
    script = f"tar -C {shlex.quote(str(docs))} -c . | xz -6 -T1 | wc -c"
    peer = run(["/bin/sh", "-c", script])
    note = (
        f"`content add` {costs[0].wall:.1f} s, {costs[0].cpu:.1f} s of it CPU, on two threads, and `publish`"
        f" {costs[1].wall:.1f} s; {stored / 1e6:.2f} MB of packs, tar with xz {int(peer.out) / 1e6:.2f} MB"
    )
    return Measured(
        Samples.of([sum(cost.cpu for cost in costs)]), {"tar and xz -6": Samples.of([peer.cpu])}, note
    )


# -- who keeps it


def _worker(world: World, desk: Desk, folder: Path) -> Measured:
    """A sandbox laptop whose spool has all of the lesson."""
    told = desk.run("content", "show", "lesson").value
    names = [told["manifest"]]
    packs = Packs(str(desk.root / "blobs"))
    manifest = read_manifest(packs, names[0])
    names += [pack.sha256 for pack in manifest.packs]
    wish = Wish(
        id="lesson",
        role="ict",
        manifest=names[0],
        manifest_size=told["manifest-size"],
        size=manifest.size,
        stored=manifest.stored,
        files=manifest.files,
        title={"en": "Lesson"},
        form=manifest.form,
    )
    peaks, floors, times = [], [], []
    for number in range(world.rounds(6)):
        layout = Layout(str(folder / f"laptop-{number}"))
        for path in (layout.blobs, layout.content, layout.public):
            Path(path).mkdir(parents=True)
        Path(layout.public, wishes.NAME).write_bytes(wishes.to_bytes(Wishes("bench", (wish,))))
        for name in names:
            shutil.copyfile(packs.path(name), f"{layout.blobs}/{name}")
        last = _peak([BOOKBAG, "worker", "content", "--root", layout.root], layout)
        peaks.append(last["peak_kib"])
        times.append(last["ms"])
        floors.append(_copied(folder / f"floor-{number}", [f"{layout.blobs}/{name}" for name in names]))
        shutil.rmtree(layout.root)
    note = (
        f"hashed, copied durably, read file by file, its index written: {sorted(times)[len(times) // 2]}"
        " ms; interpreter included"
    )
    peers = {"Python -I -S that hashes and copies as much": Samples.of(floors, 1 / 1024)}
    return Measured(Samples.of(peaks, 1 / 1024), peers, note)


def _peak(argv: Sequence[str], layout: Layout) -> dict[str, int]:
    """The exit event of the worker; it must have made the lesson readable. A small shell starts it: a peak
    is inherited."""
    request = {"op": "look", "at": int(time.time()), "quota": 0, "share": 90, "first": []}
    said = run(["/bin/sh", "-c", f"{shlex.join(argv)}; exit $?"], stdin=json.dumps(request).encode() + b"\n")
    events = [json.loads(line) for line in said.out.splitlines()]
    if '"ready"' not in Path(layout.content, "shelf.json").read_text():
        raise RuntimeError(f"the lesson is not readable: {events[-2:]}")
    return dict(events[-1])


def _copied(folder: Path, names: Sequence[str]) -> int:
    folder.mkdir()
    words = [*BARE, str(FLOORS / "copy_files.py"), str(folder), *names]
    out = run(["/bin/sh", "-c", f"{shlex.join(words)}; exit $?"]).out
    shutil.rmtree(folder)
    return int(out)


BENCH = Bench("content", (EDIT, LARGE, PUBLISH, WORKER), measure)
