"""Looks of the content worker as programs that are cut off, killed and starved at every step.

`python -m tests.content.programs update DIR` is one look, in DIR, at a store that has one version and a spool
that has just got the next.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from agent.content.wishes import Wish
from agent.core.errors import BookbagError
from agent.fleet.content.packing import Packed
from agent.fleet.content.reuse import known
from tests.content.bench import Bench, check_store
from tests.powercut.harness import say

NOISE = random.Random(23).randbytes(60_000)
OLD = {"a.html": b"<title>old</title>" * 40, "map.png": NOISE[:30_000]}
NEW = {"a.html": b"<title>new</title>" * 40, "map.png": NOISE[:30_000], "new.png": NOISE[30_000:]}


def begin(directory: Path) -> None:
    """A store with the old version, a spool with the new one."""
    bench = Bench(directory)
    old = bench.pack(OLD)
    new = bench.pack(NEW, old)
    bench.fetch(bench.wish("one", old))
    for blob in bench.spool.iterdir():
        blob.unlink()
    bench.deliver(new)
    (directory / "versions").write_text(f"{old.sha256}\n{new.sha256}\n")


def look(directory: Path, *, most: int = 1 << 40) -> None:
    """One look at it, with the new version wanted."""
    bench = Bench(directory)
    bench.look(wish(bench), room=most)


def wish(bench: Bench) -> Wish:
    """The new version, as root lists it."""
    version = known(bench.desk, (bench.folder / "versions").read_text().split()[1])
    return bench.wish("one", Packed(version.sha256, version.manifest, ()))


def check(directory: Path, *, looked: bool) -> None:
    """Whatever happened: what the shelf says opens does, one of the two versions is there, and a further look
    makes all well."""
    check_store(directory / "store")
    bench = Bench(directory)
    found = bench.read("one")
    assert found in (OLD, NEW), "neither the old version nor the new one"
    assert not looked or found == NEW, "a look that ended is forgotten"
    bench.look(wish(bench))
    assert bench.read("one") == NEW
    for mark in (directory / "store" / "opened").glob("ict.*"):
        mark.unlink()  # our own reading
    bench.look(wish(bench))
    left = [path.name for path in (directory / "store").rglob("*.tmp")]
    assert not left, "drafts are left behind"
    assert bench.packs() == set(bench.blobs_of("one"))


def main(argv: list[str]) -> None:
    """Run one look, and say when it is over."""
    directory = Path(argv[1])
    if argv[0] == "without-fsync":
        import os

        os.fsync = lambda fd: None
    try:
        look(directory)
    except BookbagError as problem:
        say(f"refused {problem.code}")
        sys.exit(3)
    say("looked")


if __name__ == "__main__":
    main(sys.argv[1:])
