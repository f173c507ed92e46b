"""Debian's flatpak on a laptop for as long as a test needs it: on the disk of every laptop it would take its
time from tests that need none.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import apt_sources, cache, image, mounts, rootfs
from tests.lab.cache import Workshop
from tests.lab.laptop import Laptop

RECIPE = "1"
DEBS = "/root/flatpak-debs"


def packages(disk: image.Image) -> list[Path]:
    """What Debian would fetch for it on this disk, from the cache, or fetched now."""
    made = cache.made("flatpak", cache.key(RECIPE, disk.key), lambda shop: _fetch(shop, disk))
    return sorted((made / "debs").glob("*.deb"))


def _fetch(shop: Workshop, base: image.Image) -> None:
    debs, disk = shop.part / "debs", shop.part / "disk"
    (debs / "partial").mkdir(parents=True)
    mounts.overlay(base.layers, shop.part / "layer", shop.part / "work", disk)
    try:
        with image.with_sources(disk, apt_sources.debian_sources()):
            rootfs.inside(shop, disk, ["apt-get", "-qq", "update"], network=True)
            get = ["apt-get", "-qq", "-y", "--no-install-recommends", "--download-only", "install"]
            lent = {debs: "/var/cache/apt/archives"}
            rootfs.inside(shop, disk, [*get, "flatpak"], network=True, binds=lent)
    finally:
        mounts.unmount(disk)
    for path in (disk, shop.part / "layer", shop.part / "work"):
        shutil.rmtree(path)


@contextmanager
def installed(laptop: Laptop, disk: image.Image) -> Iterator[None]:
    """It is on the laptop."""
    debs = packages(disk)
    names = [path.name.partition("_")[0] for path in debs]
    for path in debs:
        laptop.write(f"{DEBS}/{path.name}", path.read_bytes())
    try:
        files = [f"{DEBS}/{path.name}" for path in debs]
        laptop.run(["dpkg", "--force-unsafe-io", "--install", *files])
        yield
    finally:
        laptop.run(["dpkg", "--force-unsafe-io", "--purge", *names])
        laptop.run(["rm", "-rf", DEBS, "/var/lib/flatpak"])
