"""The contract of printers over the simulated ones; a real CUPS keeps it in the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.printing import Queue
from agent.host.sandbox.laptop import open_sandbox
from agent.host.sandbox.printing import SandboxPrinting
from tests.contract.checks import PRINTING
from tests.contract.printing_checks import Printable


@pytest.mark.parametrize("name", PRINTING)
def test_simulated(name: str, tmp_path: Path) -> None:
    host = open_sandbox(str(tmp_path))
    printing = host.printing
    assert isinstance(printing, SandboxPrinting)

    def person_makes(queue: str) -> None:
        printing.note(queue, Queue("usb://HP/LaserJet", "", open=True, shared=True, ours=False))

    PRINTING[name](Printable(printing, host.files, person_makes, printing.choose, lambda: None))
