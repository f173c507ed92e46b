"""Encrypted volumes on a laptop: real LUKS in regular files, listed as this machine's in volumes.json."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import ClassVar

from tests.lab.laptop import Laptop

FOLDER = "/var/lib/disks"
RECORD = "/etc/bookbag/volumes.json"
SECTOR = 512
#: Where key slots begin, behind what describes them.
FIRST = {"luks1": 4096, "luks2": 32 << 10}


@dataclass(frozen=True, slots=True)
class Volume:
    """One container with two key slots. ``path``: the file; ``device``: a loop device on it, or ""."""

    #: What opens it, by slot.
    KEYS: ClassVar[tuple[str, ...]] = ("a student's words", "the school's key")

    laptop: Laptop
    path: str
    uuid: str
    kind: str
    device: str = ""

    def opened_by(self) -> tuple[str, ...]:
        """The keys that open it."""
        test = ["cryptsetup", "open", "--test-passphrase", "--key-file", "-", self.device or self.path]
        return tuple(
            key for key in self.KEYS if self.laptop.run(test, input=key, check=False).returncode == 0
        )

    def digest(self) -> str:
        """Of every byte of it."""
        return hashlib.sha256(self.laptop.read_bytes(self.path)).hexdigest()

    def blocks(self) -> frozenset[bytes]:
        """What its key slots consist of, zeros left out. (It has no data yet.)"""
        data = self.laptop.read_bytes(self.path)
        found = (data[at : at + SECTOR] for at in range(FIRST[self.kind], len(data), SECTOR))
        return frozenset(block for block in found if block.strip(b"\0"))


def make(laptop: Laptop, name: str, *, kind: str = "luks2", device: bool = False) -> Volume:
    """A new container; the caller lists it (`record`). ``device``: on a loop device that `discard` frees."""
    path = f"{FOLDER}/{name}"
    laptop.run(["install", "-d", "-m", "700", FOLDER])
    laptop.run(["truncate", "--size=20M", path])
    laptop.run(["chmod", "600", path])
    quick = ["cryptsetup", "--batch-mode", "--pbkdf=pbkdf2", "--pbkdf-force-iterations=1000"]
    laptop.run([*quick, "luksFormat", f"--type={kind}", path, "-"], input=Volume.KEYS[0])
    laptop.write("/run/first-key", Volume.KEYS[0], mode=0o600)
    add = [*quick, "luksAddKey", "--key-file=/run/first-key", path, "-"]
    laptop.run(add, input=Volume.KEYS[1])
    uuid = laptop.run(["cryptsetup", "luksUUID", path]).stdout.strip()
    return Volume(laptop, path, uuid, kind, _looped(laptop, path, uuid) if device else "")


def record(*volumes: Volume) -> None:
    """List these, and no others, as the machine's own."""
    listed = [
        {"uuid": one.uuid, "holds": "/home", **({} if one.device else {"path": one.path})} for one in volumes
    ]
    laptop = volumes[0].laptop
    laptop.write(RECORD, json.dumps({"v": 1, "volumes": listed}))


def discard(volume: Volume) -> None:
    """Take the file away, and the device."""
    if volume.device:
        volume.laptop.run(["losetup", "--detach", volume.device], check=False)
        volume.laptop.run(["rm", "-f", f"/dev/disk/by-uuid/{volume.uuid}", volume.device])
    volume.laptop.run(["rm", "-f", volume.path])


def _looped(laptop: Laptop, path: str, uuid: str) -> str:
    """A loop device on the container, linked as udev would (which has nothing to do in an nspawn laptop)."""
    if not laptop.exists("/dev/loop-control"):
        laptop.run(["mknod", "-m", "660", "/dev/loop-control", "c", "10", "237"])
    device = laptop.run(["losetup", "--find"]).stdout.strip()
    if not laptop.exists(device):
        laptop.run(["mknod", "-m", "660", device, "b", "7", device.removeprefix("/dev/loop")])
    laptop.run(["losetup", device, path])
    laptop.run(["install", "-d", "/dev/disk/by-uuid"])
    laptop.run(["ln", "-s", f"../../{device.rpartition('/')[2]}", f"/dev/disk/by-uuid/{uuid}"])
    return device
