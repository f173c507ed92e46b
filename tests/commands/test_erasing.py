"""What is erased of a laptop with several volumes, some of which cannot be reached."""

from __future__ import annotations

import dataclasses

import pytest

from agent.commands import erasing
from agent.commands.case import Step
from agent.core.errors import BookbagError
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


@pytest.fixture
def unproven(laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch) -> tuple[CommandLaptop, bytes]:
    """A laptop whose key slots are destroyed, which looking again could not prove; and the order."""
    wipe = laptop.order("wipe", *TWO)
    laptop.obey(wipe)
    laptop.later(floors.GRACE + 60)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxVolumes, "keyslots", unreadable)
        laptop.hear(erasing=True)
    assert laptop.diary(PASSPHRASES[0]) is None
    assert laptop.told()[1:] == [("wipe", "started", ""), ("wipe", "unconfirmed", "not-effective")]
    return laptop, wipe


def unreadable(*_: object) -> None:
    raise BookbagError("io-error", "cannot read: the disk failed")


def test_an_erasure_that_is_not_proven_is_overtaken_by_no_newer_one(
    unproven: tuple[CommandLaptop, bytes],
) -> None:
    laptop, first = unproven
    laptop.obey(first, laptop.order("wipe", *TWO), erasing=True)
    laptop.later(floors.GRACE + HOUR)
    laptop.hear(erasing=True)
    assert laptop.told()[3:] == [("wipe", "refused", "already-done"), ("wipe", "done", "")]
    (refused, done) = laptop.receipts()[3:]
    assert done.order == laptop.receipts()[0].order != refused.order
    assert refused.final and done.final and laptop.book().cases == ()


@pytest.mark.parametrize("step", [Step.COMMITTED, Step.KEYS, Step.UNPROVEN, Step.VERIFIED])
def test_a_newer_wipe_neither_undoes_nor_shadows_one_that_is_decided(
    laptop: CommandLaptop, step: Step
) -> None:
    """Whichever step it is at, the copy on /boot stays the decided one's, and its end is told as such."""
    first = laptop.order("wipe", *TWO)
    laptop.obey(first)
    laptop.later(floors.GRACE + 60)
    laptop.hear()
    parts = laptop.parts()
    (case,) = laptop.book().cases
    decided = case.to(step, laptop.at, memory=erasing.look(laptop.host, case.memory))
    parts.book.write(laptop.book().with_case(decided))
    parts.staged.put(decided, laptop.trust.identity)
    laptop.obey(first, laptop.order("wipe", *TWO))  # by who may not erase
    copy = parts.staged.read(laptop.trust.identity)
    assert copy is not None and copy.id == case.id
    assert laptop.told()[-1] == ("wipe", "refused", "already-done")
    laptop.later(HOUR)
    laptop.hear(erasing=True)
    assert laptop.receipts()[-1].order == case.id and laptop.told()[-1] == ("wipe", "done", "")
    assert laptop.book().cases == () and parts.staged.read(laptop.trust.identity) is None


@pytest.mark.parametrize("code", ["bad-config", "not-allowed", "io-error"])
def test_an_erasure_that_is_not_proven_is_ended_by_no_error(
    unproven: tuple[CommandLaptop, bytes], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """The list of volumes that somebody damaged, say."""
    laptop, first = unproven

    def broken(*_: object) -> None:
        raise BookbagError(code, "cannot tell which volumes there are")

    laptop.later(HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxVolumes, "names", broken)
        laptop.obey(first, erasing=True)
    assert [one.step for one in laptop.book().cases] == [Step.UNPROVEN]
    laptop.later(HOUR)
    laptop.hear(erasing=True)
    assert laptop.told()[3:] == [("wipe", "done", "")]
    assert laptop.book().cases == ()
