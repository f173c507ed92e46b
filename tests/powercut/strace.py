"""Running a program under strace, and reading what strace wrote as plain calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
Program = Callable[[Path], object] | Sequence[str]

#: Every call that can change a file, or says what a descriptor means. (A machine may lack some: ``?`` below.)
TRACED = (
    "open openat openat2 creat close close_range dup dup2 dup3 fcntl lseek chdir fchdir umask mmap",
    "write writev pwrite64 pwritev pwritev2 ftruncate truncate fallocate copy_file_range sendfile splice",
    "fsync fdatasync sync syncfs sync_file_range rename renameat renameat2 unlink unlinkat rmdir",
    "mkdir mkdirat link linkat symlink symlinkat mknod mknodat chmod fchmod fchmodat fchmodat2",
    "chown fchown lchown fchownat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr",
    "clone clone3 fork vfork execve",
)
_LINE = re.compile(r"(\d+) +(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?|0x[0-9a-f]+)(.*)", re.DOTALL)


class Unrecordable(Exception):
    """The program changes files in a way that cannot be replayed (a shared mapping, sendfile…)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One finished system call."""

    pid: int
    name: str
    args: tuple[str, ...]
    result: int
    injected: bool
    ordinal: int  #: the how-manieth call of that name in that process, from 1, failed ones included


@dataclass(frozen=True, slots=True)
class Run:
    """A program that ran: what it printed, how it ended, and its calls."""

    said: bytes
    errors: str
    code: int
    calls: tuple[Call, ...]


@cache
def _problem() -> str:
    program = shutil.which("strace")
    if program is None:
        return "needs strace (Debian package strace)"
    probe = subprocess.run(
        [program, "-f", "-o", os.devnull, "true"], capture_output=True, text=True, check=False
    )
    return "" if probe.returncode == 0 else f"strace may not trace here: {probe.stderr.strip()[:200]}"


def require() -> None:
    """Skip the running test where there is no working strace."""
    import pytest  # not at the top: the programs under test import this package too, hundreds of times

    if problem := _problem():
        pytest.skip(problem)


def run(program: Program, directory: Path, log: Path, *, inject: tuple[str, str] | None = None) -> Run:
    """Run ``program`` on ``directory``, traced into ``log``; ``inject`` a fault: (call, what and when)."""
    if inject is None:
        # Only the calls asked for stop the program, which makes it several times as fast.
        names = [f"?{name}" for line in TRACED for name in line.split()]
        options = ["--seccomp-bpf", "-e", "trace=" + ",".join(names)]
    else:
        # strace 6.1 injects no signal under --seccomp-bpf.
        name, fault = inject
        options = ["--seccomp-bpf"] if "error" in fault else []
        options += ["-e", f"trace={name}", "-e", f"inject={name}:{fault}"]
    argv = ["strace", "-f", *options, "-qq", "-xx", "-s", str(1 << 26), "-o", str(log)]
    fixed = {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [*argv, *_argv(program, directory)],
        cwd=REPOSITORY,
        env={**os.environ, **fixed},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    errors = done.stderr.decode("utf-8", "replace")
    return Run(done.stdout, errors, done.returncode, tuple(parse(log.read_text("ascii"))))


def _argv(program: Program, directory: Path) -> list[str]:
    if not callable(program):
        return [part.replace("{dir}", str(directory)) for part in program]
    module, name = program.__module__, program.__qualname__
    if "." in name or "<" in name:
        raise ValueError(
            f"{name} must be a function at the top of its module, for a child process imports it"
        )
    code = f"import pathlib, sys; from {module} import {name} as program; program(pathlib.Path(sys.argv[1]))"
    return [sys.executable, "-c", code, str(directory)]


def _value(result: str) -> int:
    """What a call returned: decimal, hexadecimal, or (a umask) octal; -1 if it never returned."""
    if result == "?":
        return -1
    octal = result.startswith("0") and result.isdigit()
    return int(result, 8) if octal else int(result, 0)


def parse(text: str) -> list[Call]:
    """strace's log as calls, in the order in which they finished."""
    calls: list[Call] = []
    begun: dict[int, str] = {}
    counts: dict[tuple[int, str], int] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        pid, rest = int(match[1]), match[2]
        if rest.endswith("<unfinished ...>"):
            begun[pid] = rest.removesuffix("<unfinished ...>").rstrip()
            continue
        if rest.startswith("<... "):
            rest = begun.pop(pid, "") + rest.partition(" resumed>")[2]
        found = _CALL.fullmatch(rest)
        if found is None:
            continue  # a signal, or an end
        name, args, result, tail = found.groups()
        counts[pid, name] = ordinal = counts.get((pid, name), 0) + 1
        value = _value(result)
        calls.append(Call(pid, name, split(args), value, "INJECTED" in tail, ordinal))
    return calls


def split(args: str) -> tuple[str, ...]:
    """Arguments at the outermost level. Strings are all ``\\xNN``, so that no comma or bracket hides in
    them."""
    parts: list[str] = []
    depth = begin = 0
    for at, sign in enumerate(args):
        if sign in "[{(":
            depth += 1
        elif sign in "]})":
            depth -= 1
        elif sign == "," and depth == 0:
            parts.append(args[begin:at].strip())
            begin = at + 1
    last = args[begin:].strip()
    return (*parts, last) if last else tuple(parts)


def text(arg: str) -> bytes:
    """The bytes of a string argument."""
    if not (arg.startswith('"') and arg.endswith('"')):
        raise Unrecordable(f"a string that strace did not show whole: {arg[:60]}")
    return bytes.fromhex(arg[1:-1].replace("\\x", ""))
