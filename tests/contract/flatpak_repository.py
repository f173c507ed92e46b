"""A signed repository of flatpak's, made by its own programs: two applications on one runtime."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.host.linux.flatpak_tree import architecture

RUNTIME = "org.example.Platform"
APPLICATIONS = ("org.example.Hello", "org.example.Other")
_QUIET = ("--batch", "--yes", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")


@dataclass(frozen=True)
class Made:
    """``folder`` is what is served; ``key`` has signed all of it, and ``wrong_key`` nothing."""

    folder: Path
    key: bytes
    wrong_key: bytes


@contextmanager
def made(folder: Path) -> Iterator[Made]:
    """Such a repository below ``folder``, which is empty."""
    homes = [folder / name for name in ("signs", "other")]
    try:
        keys = [_key(home) for home in homes]
        signed = ("--gpg-sign=lab@lab.example", f"--gpg-homedir={homes[0]}")
        served = folder / "repository"
        _tree(folder / "runtime", f"[Runtime]\nname={RUNTIME}\n", "shared")
        _run(
            "flatpak", "build-export", *signed, "--runtime", "--files=files", served, folder / "runtime", "1"
        )
        for one in APPLICATIONS:
            _tree(folder / one, f"[Application]\nname={one}\ncommand=hello\n", f"echo {one}")
            _run("flatpak", "build-export", *signed, served, folder / one, "stable")
        _run("flatpak", "build-update-repo", *signed, served)
        yield Made(served, keys[0], keys[1])
    finally:
        for home in homes:
            _run("gpgconf", "--homedir", home, "--kill", "all")


def _tree(place: Path, metadata: str, content: str) -> None:
    (place / "files/bin").mkdir(parents=True)
    (place / "export").mkdir()
    on = f"{RUNTIME}/{architecture()}/1"
    (place / "metadata").write_text(f"{metadata}runtime={on}\nsdk={on}\n")
    (place / "files/bin/hello").write_text(f"#!/bin/sh\n{content}\n")


def _key(home: Path) -> bytes:
    home.mkdir(mode=0o700)
    new = ("--quick-generate-key", f"{home.name} <lab@lab.example>", "rsa2048", "sign", "never")
    _run("gpg", "--homedir", home, *_QUIET, *new)
    return _run("gpg", "--homedir", home, *_QUIET, "--export", "--armor")


def _run(*words: object) -> bytes:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "FLATPAK_USER_DIR": "/nonexistent"}
    done = subprocess.run(
        list(map(str, words)), check=False, capture_output=True, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout
