"""A setting that takes root power, found as all are: by listing the folder. Bookbag itself has none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.policy import kinds
from agent.policy import settings as settings_folder

POWERFUL = """
from agent.policy.resources.file import File
from agent.policy.bases.setting import Merge, Setting
from agent.policy.syntax.values import Text


class Nightly(Setting):
    key = "test.nightly"
    about = "A program that runs every night."
    value = Text(most=100)
    merge = Merge.REPLACE
    why = {"en": "For a test."}
    example = "test.nightly: true"

    def compile(self, value):
        return (File("/etc/cron.d/nightly", content=f"0 3 * * * root {value}\\n", mode="0644"),)
"""


@contextmanager
def powerful_setting(folder: Path) -> Iterator[str]:
    """Its key, while the block runs; its module is written to ``folder``."""
    (folder / "test").mkdir()
    (folder / "test/__init__.py").touch()
    (folder / "test/nightly.py").write_text(POWERFUL)
    before = settings_folder.__path__
    settings_folder.__path__ = [*before, str(folder)]
    kinds.settings.cache_clear()
    try:
        yield "test.nightly"
    finally:
        settings_folder.__path__ = before
        for name in ("test", "test.nightly"):
            sys.modules.pop(f"{settings_folder.__name__}.{name}", None)
        kinds.settings.cache_clear()
