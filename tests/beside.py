"""Which tests run in one process, where several run beside each other (`pytest -n 2`).

pytest-xdist's own groups (3.8) do not reach its scheduler under pytest 9.2, whose node ids cannot be changed.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

#: The lab's tests of one school of theirs each; where the second begins, by the name of the file.
SCHOOLS, SECOND = "tests/lab/acceptance/", "tests/lab/acceptance/test_p"


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # untyped
    """A file's tests together, for they share fixtures; those that boot laptops in three labs, for a school
    with its laptops takes long to make and each lab often waits for its laptops.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return lab_of(path) or path


def lab_of(path: str) -> str:
    """Which lab the tests of the file at ``path``, from the repository's top, boot laptops in; "": none."""
    if path.startswith(SCHOOLS):
        return "one school" if path < SECOND else "another school"
    return "laptops" if path.startswith("tests/lab/") or path.endswith("_lab.py") else ""
