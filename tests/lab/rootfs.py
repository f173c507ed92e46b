"""Run programs inside a disk that is not booted, to build it: no service starts, nothing stays mounted
afterwards.

nspawn rather than chroot: /proc, /dev and the like are mounted in a namespace that dies with the program, so
even a killed build leaves no mount behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab import programs
from tests.lab.cache import Workshop

#: How nspawn behaves, in both uses: cgroup 2 alone as on a real Debian 12, and no filter of system calls,
#: which a real laptop has not either (Landlock, BPF firewalls and the browser's sandbox would notice).
NSPAWN_ENVIRONMENT = {
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
    "SYSTEMD_SECCOMP": "0",
    "SYSTEMD_NSPAWN_LOCK": "0",
}
NSPAWN = (
    "systemd-nspawn",
    "--quiet",
    "--register=no",
    "--keep-unit",
    "--link-journal=no",
    "--timezone=off",
)
PROPAGATED = Path("/run/systemd/nspawn/propagate")


def inside(
    shop: Workshop,
    root: Path,
    argv: Sequence[str],
    *,
    network: bool = False,
    binds: Mapping[Path, str] | None = None,
) -> None:
    """Run a program as root inside ``root``, which is or lies in the workshop's part.

    ``network`` lends it the machine's network and name servers; ``binds`` are folders of the machine → where
    they appear inside. Raises `LabError` with the end of the log.
    """
    machine = f"lb{shop.group.name[-8:]}"
    options = [f"--machine={machine}", f"--directory={root}", "--as-pid2", "--console=pipe"]
    options += ["--resolv-conf=copy-host"] if network else ["--private-network", "--resolv-conf=off"]
    options += [f"--bind={where}:{appears}" for where, appears in (binds or {}).items()]
    options += ["--setenv=DEBIAN_FRONTEND=noninteractive", "--setenv=LC_ALL=C.UTF-8"]
    try:
        shop.run([*NSPAWN, *options, *argv], programs.environment(**NSPAWN_ENVIRONMENT))
    finally:
        forget_machine(machine)


def forget_machine(machine: str) -> None:
    """Remove the folders of /run that nspawn leaves behind for a machine, where /run is not a tmpfs."""
    for folder in PROPAGATED.parent.glob(f"*/{machine}"):
        if folder.is_dir() and not os.listdir(folder):
            folder.rmdir()


@contextmanager
def no_services(root: Path) -> Iterator[None]:
    """While packages are installed into ``root``: they start no service and do not wait for the disk."""
    deny = root / "usr/sbin/policy-rc.d"
    fast = root / "etc/dpkg/dpkg.cfg.d/90lab"
    deny.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    deny.chmod(0o755)
    fast.write_text(
        "force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n", encoding="ascii"
    )
    try:
        yield
    finally:
        deny.unlink()
        fast.unlink()
