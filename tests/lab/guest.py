"""A running laptop seen from outside: run commands in it, read and write its files, wait."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO, Any

from tests.lab.cgroups import Group
from tests.lab.errors import CommandFailed, LabError, TimedOut, last_lines
from tests.lab.paths import resolve

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Guest:
    """Access to one laptop. ``disk`` is its root folder as this machine sees it while the laptop is off."""

    def __init__(self, name: str, group: Group, disk: Path) -> None:
        self.name = name
        self.group = group
        self.disk = disk
        self._lent = Group(f"{group.name}/payload/lab")  #: what this machine has running in it
        self.init_pid: int | None = None  #: its process 1, as this machine numbers it; None while it is off

    # --- files ---

    @property
    def root(self) -> Path:
        """Its root folder seen from outside, with /run, /tmp and other mounts while it runs."""
        return self.disk if self.init_pid is None else Path(f"/proc/{self.init_pid}/root")

    def path(self, inside: str | Path) -> Path:
        """Where a file of the laptop lies for this machine. Links mean what they mean inside the laptop."""
        return resolve(self.root, str(inside))

    def exists(self, inside: str | Path) -> bool:
        """Whether there is such a file or folder (or what a link points to)."""
        return self.path(inside).exists()

    def read(self, inside: str | Path) -> str:
        """A file's text. Raises FileNotFoundError and the like."""
        return self.read_bytes(inside).decode("utf-8", errors="replace")

    def read_bytes(self, inside: str | Path) -> bytes:
        """A file's bytes. Raises FileNotFoundError and the like."""
        return self.path(inside).read_bytes()

    def write(
        self, inside: str | Path, data: str | bytes, *, mode: int = 0o644, owner: tuple[int, int] = (0, 0)
    ) -> None:
        """Write a file, with its parent folders, in place; ``owner`` is (uid, gid)."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        path.chmod(mode)
        os.chown(path, *owner)

    # --- commands ---

    def command(
        self, argv: Sequence[str], *, user: str | None = None, env: Mapping[str, str] | None = None
    ) -> list[str]:
        """The command line of this machine that runs ``argv`` in the laptop, as root or as ``user``.

        Nothing of this machine's environment goes along. No PAM is asked: it works on a locked laptop too.
        Raises `LabError` while the laptop is off.
        """
        if self.init_pid is None:
            raise LabError(f"cannot run {' '.join(argv)}: {self.name} is off")
        uid, gid, home = self.account(user or "root")
        values = {
            "HOME": home,
            "USER": user or "root",
            "LOGNAME": user or "root",
            "PATH": PATH,
            "LANG": "C.UTF-8",
        }
        if self.exists(f"/run/user/{uid}/bus"):
            values["XDG_RUNTIME_DIR"] = f"/run/user/{uid}"
            values["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path=/run/user/{uid}/bus"
        pairs = [f"{name}={value}" for name, value in {**values, **(env or {})}.items()]
        become = (
            [] if user is None else ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--init-groups", "--"]
        )
        enter = ["nsenter", "--target", str(self.init_pid), "--all", "--wd", "--"]
        return [*enter, "env", "--ignore-environment", *pairs, *become, *argv]

    def start(
        self,
        argv: Sequence[str],
        *,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[Any] | None = subprocess.DEVNULL,
        stdout: int | IO[Any] | None = subprocess.DEVNULL,
        stderr: int | IO[Any] | None = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a command in the laptop and return at once; the caller ends it (`end`)."""
        command = self.command(argv, user=user, env=env)
        return subprocess.Popen(
            self._lent.make().entered(command),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    def run(
        self,
        argv: Sequence[str],
        *,
        user: str | None = None,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        check: bool = True,
    ) -> CompletedProcess[str]:
        """Run a command in the laptop to its end, as root or as ``user``; ``timeout`` is in seconds.

        Raises `CommandFailed` for another exit code than 0 unless ``check`` is off, `TimedOut`, and
        `LabError` while the laptop is off.
        """
        process = self.start(
            argv, user=user, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            out, err = process.communicate(input.encode() if isinstance(input, str) else input, timeout)
        except subprocess.TimeoutExpired:
            end(process)
            out, err = process.communicate()
            said = last_lines((out + err).decode("utf-8", errors="replace"))
            raise TimedOut(
                f"cannot wait for {' '.join(argv)} in {self.name} beyond {timeout} s\n{said}"
            ) from None
        except BaseException:
            end(process)
            raise
        stdout, stderr = (data.decode("utf-8", errors="replace") for data in (out, err))
        if check and process.returncode:
            raise CommandFailed([self.name + ":", *argv], process.returncode, stdout, stderr)
        return CompletedProcess(list(argv), process.returncode, stdout, stderr)

    def account(self, name: str) -> tuple[int, int, str]:
        """A person's uid, gid and home folder in the laptop. Raises `LabError` for a stranger."""
        for line in self.read("/etc/passwd").splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2]), int(fields[3]), fields[5]
        raise LabError(f"cannot act as {name}: {self.name} has no such account")

    # --- waiting ---

    def journal(self, *, unit: str | None = None, lines: int = 200) -> str:
        """The end of its journal, of this boot while it runs, else of the last."""
        words = ["journalctl", "--no-pager", "--output=short-monotonic", f"--lines={lines}"]
        words += [f"--unit={unit}"] if unit else []
        if self.init_pid is not None:
            return self.run([*words, "--boot"], check=False).stdout
        offline = [*words, f"--directory={self.disk / 'var/log/journal'}"]
        return subprocess.run(offline, capture_output=True, text=True, check=False).stdout

    def wait_until(
        self, predicate: Callable[[], object], timeout: float = 30, what: str = "", *, unit: str | None = None
    ) -> None:
        """Return when ``predicate()`` is true; errors of commands and files in it count as false meanwhile.

        Raises `TimedOut` after ``timeout`` seconds, showing the last error and the end of the journal (of
        ``unit``).
        """
        until = time.monotonic() + timeout
        pause, last = 0.02, "it was false each time"
        while True:
            try:
                if predicate():
                    return
            except (LabError, OSError, AssertionError, ValueError, KeyError) as error:
                last = f"{type(error).__name__}: {error}"
            if time.monotonic() > until:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        goal = what or getattr(predicate, "__name__", "it")
        with contextlib.suppress(LabError):
            last += f"\n--- journal of {self.name}\n{self.journal(unit=unit, lines=40)}"
        raise TimedOut(f"{self.name}: waited {timeout} s for {goal}; {last}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a command of `Guest.start`, with the children that stayed in its session, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
