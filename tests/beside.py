"""Which tests run in one process, where several run beside each other (`pytest -n 2`).

pytest-xdist's own groups (3.8) do not reach its scheduler under pytest 9.2, whose node ids cannot be changed.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # untyped
    """A file's tests together, for they share fixtures; all that boot laptops, for there is one lab."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "lab" if is_of_the_lab(path) else path


def is_of_the_lab(path: str) -> bool:
    """Whether the tests of the file at ``path``, from the repository's top, boot laptops."""
    return path.startswith("tests/lab/") or path.endswith("_lab.py")
