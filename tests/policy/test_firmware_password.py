"""firmware.password: set by what IT gave, used for what it closes, changed with it, gone with the policy, and
told to nobody.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.core.model import Outcome
from agent.host.firmware import FOLDER, Kept
from agent.host.sandbox.firmware import SandboxFirmware
from agent.host.sandbox.notes import Notes
from agent.policy.enforcement.memory import EFFECT_PAUSE_S
from agent.policy.enforcement.plan import Run
from agent.policy.explain import explain
from tests.contract.firmware_trees import ADMIN, DELL, HP
from tests.fleet.test_secrecy import finds
from tests.policy.machine import Given, Machine, compiled, source
from tests.policy.test_firmware import IDS, WRITTEN, of, values

ID = "firmware-password:admin"
PASSWORD = compiled(source("settings: {firmware.password: firmware-admin}\n", power=True))
BOTH = compiled(
    source(
        "settings: {firmware.password: firmware-admin, firmware.usb-boot: off, firmware.network-boot: off}\n",
        power=True,
    )
)
FIRST, SECOND, THEIRS = "Recess4Two", "Lunch1For2", "Nobody0Knows"


def notes(machine: Machine) -> Notes:
    return Notes(f"{machine.laptop}/.sandbox/firmware.json")


def real(machine: Machine) -> object:
    return notes(machine).read().get("password", "")


def refusals(machine: Machine) -> object:
    return notes(machine).read().get("refusals", 0)


def by_hand(machine: Machine, password: str, maker: str = DELL) -> None:
    """Somebody sets one in the firmware's own setup."""
    notes(machine).put("password", password)
    place = f"{machine.laptop}{FOLDER}/{maker}/authentication/{ADMIN[maker]}/is_enabled"
    Path(place).write_text("1\n" if password else "0\n")


def give(machine: Machine, value: str | None) -> None:
    secrets = {} if value is None else {"firmware-admin": value}
    machine.host = replace(machine.host, secrets=Given(secrets))


def kept(machine: Machine) -> Kept | None:
    assert machine.host.firmware is not None
    return machine.host.firmware.kept()


def row(ran: Run, name: str = ID) -> tuple[Outcome, str, str]:
    (one,) = [one for one in ran.reports if one.resource == name]
    return one.outcome, one.code, one.message


def test_it_is_set_after_what_it_closes_and_goes_with_the_policy(machine: Machine) -> None:
    folder = of(machine, DELL)
    before, state = values(folder), machine.state()
    run = machine.apply(BOTH)
    assert [one.resource for one in run.done] == [*IDS, ID]
    assert {one.outcome for one in run.done} == {Outcome.CHANGED}
    assert (real(machine), kept(machine)) == (FIRST, Kept(FIRST, proved=True))
    assert machine.plan(BOTH).empty
    (folder / "UsbEmu/current_value").write_text("Enabled\n")
    assert row(machine.apply(BOTH), IDS[1])[0] is Outcome.HEALED, "with it, it is changed"
    assert values(folder) == before | WRITTEN[DELL]
    machine.apply(None)
    assert (values(folder), machine.state(), machine.undo.resources()) == (before, state, ())
    assert (real(machine), kept(machine), refusals(machine)) == ("", None, 0)


def test_a_new_one_that_it_gives_takes_the_place_of_the_old(machine: Machine) -> None:
    machine.apply(PASSWORD)
    give(machine, SECOND)
    assert row(machine.apply(PASSWORD))[0] in (Outcome.CHANGED, Outcome.HEALED)
    assert (real(machine), kept(machine)) == (SECOND, Kept(SECOND, proved=True))
    assert row(machine.apply(PASSWORD)) == (Outcome.IN_FORCE, "", "")
    give(machine, None)
    told = {(one.outcome, one.code) for one in machine.apply(PASSWORD).reports}
    assert told == {(Outcome.PENDING, "awaited"), (Outcome.RESTORED, "")}
    assert (real(machine), kept(machine)) == ("", None), "taken away, it is removed with what is kept"


def test_one_that_was_set_by_hand_is_used_if_it_is_the_same(machine: Machine) -> None:
    folder = of(machine, DELL)
    by_hand(machine, FIRST)
    outcome, code, message = row(machine.apply(PASSWORD))
    assert (outcome, code) == (Outcome.NOT_EFFECTIVE, "not-effective") and "by hand" in message
    assert kept(machine) == Kept(FIRST)
    machine.apply(BOTH)
    assert values(folder).items() >= WRITTEN[DELL].items()
    assert kept(machine) == Kept(FIRST, proved=True)
    assert row(machine.apply(BOTH)) == (Outcome.IN_FORCE, "", "")
    machine.apply(None)
    assert (real(machine), kept(machine)) == (FIRST, None), "it stays: it was not set from here"


def test_a_wrong_one_is_told_and_tried_once_in_each_start(machine: Machine) -> None:
    folder = of(machine, DELL)
    before = values(folder)
    by_hand(machine, THEIRS)
    machine.apply(PASSWORD)
    for starts in (1, 2):
        for _ in range(4):
            machine.now += EFFECT_PAUSE_S + 1
            run = machine.apply(BOTH)
            told = [row(run, one) for one in IDS]
            assert {(outcome, code) for outcome, code, _ in told} == {(Outcome.FAILED, "not-allowed")}
            assert row(run)[0] is Outcome.NOT_EFFECTIVE
        assert refusals(machine) == starts
        notes(machine).put("started", None)
    assert (values(folder), real(machine)) == (before, THEIRS)
    give(machine, THEIRS)
    machine.now += EFFECT_PAUSE_S + 1
    machine.apply(BOTH)
    machine.now += EFFECT_PAUSE_S + 1
    machine.apply(BOTH)
    assert values(folder).items() >= WRITTEN[DELL].items(), "the right one, as soon as it is given"


def test_where_the_kernel_cannot_set_one_it_is_said_and_one_set_by_hand_is_used(machine: Machine) -> None:
    folder = of(machine, HP)
    outcome, _, message = row(machine.apply(BOTH))
    assert outcome is Outcome.NOT_SUPPORTED and "by hand" in message
    (folder / "USB Storage Boot/current_value").write_text("Enable\n")
    by_hand(machine, FIRST, HP)
    for _ in range(2):
        machine.now += EFFECT_PAUSE_S + 1
        machine.apply(BOTH)
    assert values(folder).items() >= WRITTEN[HP].items()
    assert row(machine.apply(BOTH)) == (Outcome.IN_FORCE, "", "")


class Late(SandboxFirmware):
    """Shows a password, or that there is none any more, from the next start on."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.host.files, notes(machine))
        self._enabled = Path(f"{machine.laptop}{FOLDER}/{DELL}/authentication/Admin/is_enabled")
        self.changes = 0

    def put(self, path: str, data: bytes) -> str:
        before = self._enabled.read_text()
        why = super().put(path, data)
        if path.endswith("/new_password"):
            self.changes += 1
            self._enabled.write_text(before)
        return why


def restart(machine: Machine) -> None:
    notes(machine).put("started", None)
    by_hand(machine, str(real(machine)))


def test_what_shows_at_the_next_start_only_is_set_and_removed_once(machine: Machine) -> None:
    of(machine, DELL)
    late = Late(machine)
    machine.host = replace(machine.host, firmware=late)
    for _ in range(3):
        outcome, _, message = row(machine.apply(PASSWORD))
        assert outcome is Outcome.NOT_EFFECTIVE and "the next start" in message
        machine.now += EFFECT_PAUSE_S + 1
    assert (real(machine), late.changes) == (FIRST, 1)
    restart(machine)
    assert row(machine.apply(PASSWORD)) == (Outcome.IN_FORCE, "", "")
    for _ in range(3):
        assert row(machine.apply(None))[0] is Outcome.NOT_YET
    assert (real(machine), late.changes, kept(machine)) == ("", 2, Kept(FIRST, proved=True))
    restart(machine)
    assert row(machine.apply(None))[0] is Outcome.RESTORED
    assert (kept(machine), machine.undo.resources(), refusals(machine)) == (None, (), 0)


def test_one_that_does_not_show_yet_is_removed_all_the_same(machine: Machine) -> None:
    """Or the laptop would have one from the next start on that nobody keeps."""
    of(machine, DELL)
    machine.host = replace(machine.host, firmware=Late(machine))
    machine.apply(PASSWORD)
    assert real(machine) == FIRST
    machine.apply(None)
    assert (real(machine), kept(machine), machine.undo.resources()) == ("", None, ())


def test_nothing_of_it_is_told_or_kept_elsewhere(machine: Machine) -> None:
    said: list[object] = [machine.plan(BOTH).to_dict(), machine.apply(BOTH).to_dict()]
    give(machine, SECOND)
    said += [machine.plan(BOTH).to_dict(), machine.apply(BOTH).to_dict()]
    for key in ("firmware.password", ID):
        said.append(explain(BOTH, key, machine.undo, machine.host, machine.memory.read()).to_dict())
    told = repr(said) + repr(kept(machine))
    assert "firmware-admin" in told, "the control"
    assert finds(machine.folder, SECOND) == ["laptop/.sandbox/firmware.json"], "the control"
    for secret in (FIRST, SECOND):
        assert secret not in told
        assert {*finds(machine.folder, secret)} <= {"laptop/.sandbox/firmware.json"}
