"""Programs of the machine that runs the lab: run them quietly, fail loudly."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab.errors import CommandFailed, LabError, last_lines

#: Programs the lab starts → the Debian package that brings them, as debian-packages.txt lists them.
NEEDED = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
    "gpg": "gnupg",
}
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str | None:
    """Why no laptop can be booted on this machine, in one sentence, or None when one can."""
    if os.geteuid() != 0:
        return "the lab needs root"
    absent = sorted(
        {package for program, package in NEEDED.items() if not shutil.which(program, path=SYSTEM_PATH)}
    )
    if absent:
        return f"the lab needs Debian packages that are not installed: {', '.join(absent)}"
    if not Path("/proc/self/ns/cgroup").exists():
        return "the lab needs cgroup namespaces, which this kernel has not"
    return None


def environment(**more: str) -> dict[str, str]:
    """The surroundings for programs of the machine: a path that finds sbin, English messages."""
    return {**os.environ, "PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", **more}


def run(argv: Sequence[str], *, timeout: float = 60, check: bool = True) -> str:
    """Run a program to its end and return what it printed.

    ``timeout`` is in seconds. Raises `CommandFailed` with its last words, unless ``check`` is off.
    """
    done = subprocess.run(
        argv,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )
    if check and done.returncode:
        raise CommandFailed(argv, done.returncode, done.stdout, done.stderr)
    return done.stdout


def run_logged(
    argv: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 1800,
) -> None:
    """Run a long program with its words going to the end of the file ``log``.

    ``timeout`` is in seconds. Raises `LabError` that names the log and shows its end.
    """
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv,
            env=environment() if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            code = process.wait(timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if code:
        raise LabError(
            f"cannot run {' '.join(argv)}: exit code {code}; all of it in {log}\n{last_lines(log)}"
        )
