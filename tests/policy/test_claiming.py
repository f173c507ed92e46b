"""What policy comes to want and finds done already: from then on it is policy's, so undo gives back what was
there before; and what policy leaves as found stays whoever's it is.
"""

from __future__ import annotations

import pytest

from agent.core.model import Outcome
from agent.policy.compiled import Compiled
from tests.policy.machine import Machine, compiled, outcomes, source

MOTD = "file:/etc/motd"
PROFILE = "/etc/dconf/profile/user"
FIREFOX = "/etc/firefox/policies"


def motd(keys: str) -> Compiled:
    return compiled(source(f"resources:\n  - file: {{path: /etc/motd, {keys}}}\n"))


@pytest.mark.parametrize("news", [False, True], ids=["same-policy", "another-document-changed"])
def test_a_line_beside_ours_stays_its_owners(machine: Machine, news: bool) -> None:
    locks = source("settings:\n  screen-lock.after: 10m\n", name="locks")
    pages = [source(f"settings:\n  browser.homepage: https://{n}.example/\n", name="pages") for n in "ab"]
    machine.write(PROFILE, "user-db:user\nsystem-db:local\n")
    machine.apply(compiled(locks, pages[0]))
    machine.write(PROFILE, "user-db:user\nsystem-db:bookbag\nsystem-db:local\nsystem-db:admin\n")
    machine.apply(compiled(locks, pages[news]))
    assert outcomes(machine.apply(None))["dconf-profile:user"] is Outcome.KEPT
    assert machine.read(PROFILE) == "user-db:user\nsystem-db:local\nsystem-db:admin\n"


def test_what_was_fought_over_is_claimed_by_the_policy_that_wants_it_otherwise(machine: Machine) -> None:
    """Left alone for flapping; what another policy wants of it does not wait for that."""
    machine.write("/etc/motd", "prior")
    machine.apply(motd("content: ours"))
    for _ in range(31):
        machine.write("/etc/motd", "theirs")
        machine.apply(motd("content: ours"))
    assert outcomes(machine.apply(motd("content: ours"))) == {MOTD: Outcome.BACKED_OFF}, "the control"
    assert outcomes(machine.apply(motd("absent: true"))) == {MOTD: Outcome.CHANGED}
    assert outcomes(machine.apply(motd("absent: true"))) == {MOTD: Outcome.IN_FORCE}
    assert outcomes(machine.apply(None)) == {MOTD: Outcome.RESTORED}
    assert machine.read("/etc/motd") == "prior"


def test_what_was_written_but_not_effective_is_claimed_when_it_is(machine: Machine) -> None:
    def pop_ups(word: str) -> Compiled:
        return compiled(source(f"settings:\n  browser.pop-ups: {word}\n"))

    path, folder = f"{FIREFOX}/policies.json", machine.laptop / FIREFOX[1:]
    machine.apply(pop_ups("allowed"))
    allowed = machine.read(path) or ""
    machine.apply(None)
    machine.write(path, "the administrator's own")
    machine.apply(pop_ups("blocked"))
    machine.write(path, allowed)
    folder.chmod(0o700)
    assert outcomes(machine.apply(pop_ups("allowed")))["firefox:policies"] is Outcome.NOT_EFFECTIVE
    folder.chmod(0o755)
    assert outcomes(machine.apply(pop_ups("allowed")))["firefox:policies"] is Outcome.IN_FORCE
    machine.apply(None)
    assert machine.read(path) == "the administrator's own"


def test_a_look_at_something_else_leaves_it_to_be_claimed(machine: Machine) -> None:
    machine.write("/etc/motd", "prior")
    machine.apply(motd("content: ours"))
    machine.remove("/etc/motd")
    machine.engine.audit(motd("absent: true"), ["/etc/hosts"])
    machine.apply(motd("absent: true"))
    machine.apply(None)
    assert machine.read("/etc/motd") == "prior"
