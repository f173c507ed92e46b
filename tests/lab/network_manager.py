"""Debian's NetworkManager on a laptop for as long as a test needs it, and nothing of it afterwards.

Not on every disk: with it comes polkit, by which people may do more, and it would look after the cable. Here
it manages no device at all, and knows its networks all the same.
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
PLACE, KEPT, DEBS = "/etc/NetworkManager", "/root/NetworkManager-before", "/root/debs"
UNIT, GROUP = "NetworkManager.service", "netdev"
#: It would be asked whether root may, and root may without it.
LEFT_OUT = ("polkitd", "libpolkit", "libduktape", "sgml-base", "xml-core")
CONFIGURATION = """\
[main]
plugins=keyfile
no-auto-default=*
dns=none
rc-manager=unmanaged
hostname-mode=none
[keyfile]
unmanaged-devices=*
"""
#: Nothing starts before it is configured.
DENY = "#!/bin/sh\nexit 101\n"


def packages(disk: image.Image) -> list[Path]:
    """What Debian would fetch for it on this disk, from the cache, or fetched now."""
    recipe = cache.key(RECIPE, disk.key)
    made = cache.made("network-manager", recipe, lambda shop: _fetch(shop, disk))
    return sorted(path for path in (made / "debs").glob("*.deb") if not path.name.startswith(LEFT_OUT))


def _fetch(shop: Workshop, base: image.Image) -> None:
    debs, disk = shop.part / "debs", shop.part / "disk"
    (debs / "partial").mkdir(parents=True)
    mounts.overlay(base.layers, shop.part / "layer", shop.part / "work", disk)
    try:
        with image.with_sources(disk, apt_sources.debian_sources()):
            rootfs.inside(shop, disk, ["apt-get", "-qq", "update"], network=True)
            get = ["apt-get", "-qq", "-y", "--no-install-recommends", "--download-only", "install"]
            lent = {debs: "/var/cache/apt/archives"}
            rootfs.inside(shop, disk, [*get, "network-manager"], network=True, binds=lent)
    finally:
        mounts.unmount(disk)
    for path in (disk, shop.part / "layer", shop.part / "work"):
        shutil.rmtree(path)


@contextmanager
def running(laptop: Laptop, disk: image.Image) -> Iterator[None]:
    """It runs on the laptop."""
    debs = packages(disk)
    names = [path.name.partition("_")[0] for path in debs]
    had, grouped = laptop.exists(PLACE), f"\n{GROUP}:" in laptop.read("/etc/group")
    if had:
        laptop.run(["mv", PLACE, KEPT])
    for path in debs:
        laptop.write(f"{DEBS}/{path.name}", path.read_bytes())
    laptop.write("/usr/sbin/policy-rc.d", DENY, mode=0o755)
    try:
        files = [f"{DEBS}/{path.name}" for path in debs]
        laptop.run(["dpkg", "--force-depends", "--force-unsafe-io", "--install", *files])
        laptop.write(f"{PLACE}/conf.d/lab.conf", CONFIGURATION)
        laptop.run(["systemctl", "start", UNIT])
        yield
    finally:
        laptop.run(["systemctl", "stop", UNIT], check=False)
        laptop.run(["dpkg", "--force-depends", "--force-unsafe-io", "--purge", *names])
        laptop.run(["rm", "-rf", PLACE, DEBS, "/usr/sbin/policy-rc.d", "/var/lib/NetworkManager"])
        if not grouped:  # the package makes it, and leaves it
            laptop.run(["groupdel", GROUP])
        if had:
            laptop.run(["mv", KEPT, PLACE])
