"""Run the contract over the real machine that this stands on: ``python3 -m tests.contract.run [CHECK…]``,
as root.

For a laptop that is there to be tested: it makes /etc/bookbag-contract and needs the standard library only.
Prints one line per check; exits 1 if one failed.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from agent.core.layout import Layout
from agent.host.choose import check_real
from agent.host.linux.files import LinuxFiles
from agent.host.linux.machine import open_machine
from tests.contract import checks
from tests.contract.subject import LeftOut, Subject, clear

T = TypeVar("T")
AREA = "/etc/bookbag-contract"


@contextmanager
def machine_files() -> Iterator[Subject]:
    """The machine's own files, in an area below /etc."""
    host = open_machine()
    assert isinstance(host.files, LinuxFiles)
    clear(AREA)
    host.files.make_parents(f"{AREA}/file")
    with tempfile.TemporaryDirectory() as outside:
        try:
            yield Subject(host.files, "", AREA, outside, real=True)
        finally:
            host.files.close()
            clear(AREA)


def run(named: Mapping[str, Callable[[T], None]], subject: Callable[[], T], wanted: set[str]) -> int:
    """Run each check over a fresh subject; the number that failed."""
    raise NotImplementedError(named, subject, wanted)


def main(wanted: list[str]) -> int:
    """Exit status."""
    check_real(Layout("/"), enrolling=True)
    failed = 0
    for name, check in checks.FILES.items():
        if wanted and name not in wanted:
            continue
        outcome = "ok"
        try:
            with machine_files() as subject:
                check(subject)
        except LeftOut as reason:
            outcome = f"left out: {reason}"
        except Exception:
            failed += 1
            outcome = f"FAILED\n{traceback.format_exc()}"
        print(f"{name}: {outcome}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
