"""Real LUKS containers in regular files, for the contract: made with cryptsetup, opened with nothing else."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.host.linux import volume_record
from agent.host.linux.volume_record import Recorded
from agent.host.linux.volumes import LinuxVolumes
from tests.contract.volumes_checks import FIRST, SECOND, Vault

PBKDF = ("--pbkdf-force-iterations", "1000")
TYPES = {"luks1": ("--type", "luks1", *PBKDF), "luks2": ("--type", "luks2", "--pbkdf", "pbkdf2", *PBKDF)}


def cryptsetup(*words: str, secret: str = "") -> bool:
    argv = ["cryptsetup", "--batch-mode", *words]
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    done = subprocess.run(argv, input=secret.encode(), capture_output=True, check=False, env={"PATH": path})
    return done.returncode == 0


@cache
def container(kind: str) -> bytes:
    """A LUKS container of 40 MB that both passphrases open: made once, copied for each check."""
    with TemporaryDirectory() as folder:
        path, first, second = (f"{folder}/{name}" for name in ("luks", "first", "second"))
        for name, words in ((first, FIRST), (second, SECOND)):
            Path(name).write_text(words, encoding="utf-8")
        os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), 40 << 20)
        assert cryptsetup("luksFormat", *TYPES[kind], path, first)
        assert cryptsetup("luksAddKey", *TYPES[kind][2:], "--key-file", first, path, second)
        return Path(path).read_bytes()


def real(folder: Path, kind: str, content: bytes = b"") -> Vault:
    """A container file of this machine, recorded as one of its volumes."""
    path = folder / "luks"
    path.write_bytes(content or container(kind))
    path.chmod(0o600)
    dumped = subprocess.run(
        ["/usr/sbin/cryptsetup", "luksUUID", path], capture_output=True, text=True, check=True
    )
    record = folder / "volumes.json"
    volume_record.write([Recorded(dumped.stdout.strip(), path=str(path))], str(record))

    def opens(passphrase: str) -> bool:
        return cryptsetup("open", "--test-passphrase", "--key-file", "-", str(path), secret=passphrase)

    return Vault(LinuxVolumes(str(record)), str(path), str(path), opens, (kind,))
