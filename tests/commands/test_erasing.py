"""What is erased of a laptop with several volumes, some of which cannot be reached."""

from __future__ import annotations

import dataclasses

import pytest

from agent.host.sandbox import trying
from agent.host.sandbox import volumes as simulated
from agent.host.sandbox.facts import DISK
from agent.host.sandbox.laptop import PASSPHRASES
from agent.host.sandbox.volumes import SandboxVolumes
from agent.trust import floors
from tests.commands.laptop import TWO, CommandLaptop

HOUR = 3600
SECOND = "/dev/second"  #: taken out of the laptop when it is looked for


@pytest.fixture
def split(laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch) -> CommandLaptop:
    """A laptop with another volume, listed before its own."""
    folder = str(laptop.machine_folder)
    both = dataclasses.replace(laptop.host, volumes=SandboxVolumes(folder, (SECOND, DISK)))
    monkeypatch.setattr(CommandLaptop, "host", both)
    return laptop


def test_a_volume_that_is_not_here_keeps_no_other_from_being_erased(split: CommandLaptop) -> None:
    split.obey(split.order("wipe", *TWO))
    split.later(floors.GRACE + 60)
    split.hear(erasing=True)
    assert split.diary(PASSPHRASES[0]) is None
    assert split.told()[1:] == [("wipe", "started", ""), ("wipe", "unconfirmed", "not-effective")]
    assert "second" in split.receipts()[-1].message and not split.receipts()[-1].final

    simulated.make(f"{split.machine_folder}{SECOND}", ("other words",))
    split.later(HOUR)
    split.hear(erasing=True)
    assert trying.open_volume(str(split.machine_folder), "other words", SECOND) is None
    assert split.told()[-1] == ("wipe", "done", "")
    found = split.receipts()[-1].evidence["volumes"]
    assert isinstance(found, list)
    assert {one["name"]: one["format"] for one in found} == {"disk": "luks2", "second": "not seen"}
