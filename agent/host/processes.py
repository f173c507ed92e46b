"""Running one program to its end: the only place that does. Arguments in a list, a time limit, a clean
environment.

Workers, not the resident, import this (subprocess costs 10 ms).
"""

from __future__ import annotations

import os
import pwd
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from agent.core.errors import BookbagError

MAX_OUTPUT = 1 << 20  #: bytes of each of standard output and standard error
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. ``status`` is its exit status, or minus the signal that killed it."""

    status: int
    output: bytes
    errors: bytes

    @property
    def text(self) -> str:
        """Standard output as text, what is not UTF-8 replaced."""
        return self.output.decode("utf-8", errors="replace")

    @property
    def complaint(self) -> str:
        """The last line of standard error, to show to people; at most 300 characters."""
        lines = self.errors.decode("utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    input: bytes = b"",
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
    max_output: int = MAX_OUTPUT,
) -> Ended:
    """Run ``argv`` and wait. ``user`` runs it as that person with nothing of ours; it needs root.

    ``environment`` is added to PATH, LANG and, with ``user``, HOME, USER, LOGNAME and XDG_RUNTIME_DIR.
    Raises ``not-found`` (no such program or user), ``not-allowed`` (may not become the user),
    ``worker-timeout`` after ``timeout`` seconds and ``too-large`` beyond ``max_output`` bytes; the program
    and everything it started in its session is then dead.
    """
    surroundings = {"PATH": PATH, "LANG": "C.UTF-8"}
    identity: dict[str, Any] = {}
    if user is not None:
        identity, of_user = _as(user)
        surroundings.update(of_user)
    surroundings.update(environment or {})
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=surroundings,
            cwd="/",
            start_new_session=True,
            umask=0o022,
            **identity,
        )
    except FileNotFoundError as error:
        raise BookbagError("not-found", f"cannot run {argv[0]}: it is not installed") from error
    except OSError as error:
        raise BookbagError("not-allowed", f"cannot run {argv[0]}: {error.strerror}") from error
    with process:
        try:
            output, errors = _exchange(process, input, time.monotonic() + timeout, max_output)
        except BookbagError:
            _kill(process)
            raise
        return Ended(process.returncode, output, errors)


def _as(user: str) -> tuple[dict[str, Any], dict[str, str]]:
    """(what Popen needs to become ``user``, what belongs in that person's environment)."""
    try:
        entry = pwd.getpwnam(user)
    except (KeyError, ValueError) as error:
        raise BookbagError("not-found", f"cannot run as {user!r}: no such user") from error
    surroundings = {"HOME": entry.pw_dir, "USER": user, "LOGNAME": user}
    # Also while they are not logged in, when it is not there: else programs would leave files in their home.
    surroundings["XDG_RUNTIME_DIR"] = f"/run/user/{entry.pw_uid}"
    if (entry.pw_uid, entry.pw_gid) == (os.geteuid(), os.getegid()):
        return {}, surroundings
    groups = os.getgrouplist(user, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}, surroundings


def _exchange(process: subprocess.Popen[bytes], input: bytes, until: float, most: int) -> tuple[bytes, bytes]:
    """Feed ``input`` and gather both outputs until the program has ended."""
    program = str(process.args[0]) if isinstance(process.args, list) else ""
    stdin, stdout, stderr = _pipes(process)
    gathered = {stdout: bytearray(), stderr: bytearray()}
    ahead = memoryview(input)
    stream: IO[bytes]
    with selectors.DefaultSelector() as selector:
        for stream in gathered:
            selector.register(stream, selectors.EVENT_READ)
        os.set_blocking(stdin.fileno(), False)
        selector.register(stdin, selectors.EVENT_WRITE)
        while selector.get_map():
            for key, _ in selector.select(_left(until, program)):
                stream = key.fileobj  # type: ignore[assignment]  # only these three were registered
                if stream is stdin:
                    ahead = _feed(stdin, ahead)
                    done = not ahead
                else:
                    piece = os.read(stream.fileno(), 1 << 16)
                    gathered[stream] += piece
                    done = not piece
                    if len(gathered[stream]) > most:
                        raise BookbagError(
                            "too-large", f"cannot take what {program} says: beyond {most} bytes"
                        )
                if done:
                    selector.unregister(stream)
                    with suppress(OSError):
                        stream.close()
    try:
        process.wait(_left(until, program))
    except subprocess.TimeoutExpired as error:
        raise _late(program) from error
    return bytes(gathered[stdout]), bytes(gathered[stderr])


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    pipes = (process.stdin, process.stdout, process.stderr)
    if pipes[0] is None or pipes[1] is None or pipes[2] is None:
        raise BookbagError("internal", "cannot talk to a program that was started without pipes")
    return pipes[0], pipes[1], pipes[2]


def _feed(pipe: IO[bytes], ahead: memoryview) -> memoryview:
    try:
        return ahead[os.write(pipe.fileno(), ahead) :]
    except BrokenPipeError:
        return ahead[len(ahead) :]  # it does not want to hear the rest


def _left(until: float, program: str) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise _late(program)
    return left


def _late(program: str) -> BookbagError:
    return BookbagError("worker-timeout", f"cannot wait longer for {program}: it was stopped")


def _kill(process: subprocess.Popen[bytes]) -> None:
    # Not yet waited for, so the id is still its own, and its group's.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
