"""axe-core, the checker of accessibility: fetched once as part of a package that carries it, for tests alone.

axe-core is under the Mozilla Public License 2.0. It is not part of Bookbag, and no laptop ever has it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.lab import cache

REQUIREMENT = Path(__file__).with_name("axe-requirements.txt")
_INSIDE = "axe_playwright_python/axe.min.js"


def script() -> str:
    """The whole checker, to be run in a page."""
    folder = cache.folder() / f"axe-{cache.key(REQUIREMENT.read_bytes())}"
    kept = folder / "axe.min.js"
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
            subprocess.run(
                [*pip, "--no-deps", "--require-hashes", "--dest", place, "--requirement", str(REQUIREMENT)],
                check=True,
                timeout=300,
            )
            (wheel,) = Path(place).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                (Path(place) / "axe.min.js").write_bytes(archive.read(_INSIDE))
            (Path(place) / "axe.min.js").rename(kept)
    return kept.read_text(encoding="utf-8")
