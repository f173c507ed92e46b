"""network.wifi: joined by what IT gave, waited for where it gave nothing yet, and told to nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Outcome
from agent.host.wireless import FOLDER, LEAST, Profile, path_of, uuid_of
from agent.policy.enforcement.confirm import PAUSE_S, REVERTS
from agent.policy.enforcement.plan import Run
from agent.policy.explain import explain
from agent.policy.settings.network.wifi import NetworkWifi
from tests.fleet.test_secrecy import finds
from tests.policy.machine import Machine, compiled, outcomes, source
from tests.policy.test_trials import Tried

ID, PATH = "wifi:pupils", path_of("pupils")
THEIRS = f"{FOLDER}/Home.nmconnection"
PUPILS = compiled(
    source(
        "settings:\n  network.wifi:\n"
        "    - {name: pupils, ssid: North, security: wpa-personal, secret: pupils-wifi, priority: 10}\n",
        power=True,
    )
)
NOW = "four random little words"


def known(machine: Machine, name: str = "pupils") -> Profile | None:
    assert machine.host.wireless is not None
    return machine.host.wireless.known(uuid_of(name))


def row(ran: Run, outcome: Outcome | None = None) -> tuple[Outcome, str, str]:
    (one,) = [one for one in ran.reports if one.resource == ID and outcome in (None, one.outcome)]
    return one.outcome, one.code, one.message


def test_it_is_joined_and_withdrawn_without_a_trace(machine: Machine) -> None:
    machine.write(THEIRS, "[connection]\nid=Home\n", 0o600)
    before = machine.state()
    machine.apply(PUPILS)
    assert known(machine) == Profile("North", "wpa-personal", priority=10, secret=NOW)
    node = machine.host.files.read(PATH)
    assert node is not None and (node.mode, node.owner) == (0o600, "root")
    assert machine.plan(PUPILS).empty
    machine.apply(None)
    assert (machine.state(), known(machine)) == (before, None)
    assert machine.undo.resources() == ()


def test_whatever_is_done_to_it_is_mended(machine: Machine) -> None:
    machine.apply(PUPILS)
    whole, wireless = machine.read(PATH), machine.host.wireless
    assert whole is not None and wireless is not None

    def rewritten(text: str, mode: int = 0o600) -> None:
        machine.write(PATH, text, mode)
        wireless.take_in(PATH)

    tampers: tuple[Callable[[], None], ...] = (
        lambda: machine.remove(PATH),
        lambda: rewritten(whole.replace(NOW, "another pass-phrase")),
        lambda: rewritten(whole.replace("[wifi]", "[wifi]\nmac-address-randomization=2")),
        lambda: rewritten(whole.replace("autoconnect-priority=10", "autoconnect=false")),
        lambda: rewritten(whole, 0o644),
        lambda: wireless.take_in("/nowhere"),
    )
    for tamper in tampers[:-1]:
        tamper()
        machine.now += 3600
        assert row(machine.apply(PUPILS))[0] is Outcome.HEALED
        assert machine.read(PATH) == whole
        assert known(machine) is not None
    tampers[-1]()
    assert row(machine.apply(PUPILS))[0] is Outcome.IN_FORCE, "the control: nothing was done to it"


def test_what_was_not_given_is_waited_for_and_then_joined_at_once(machine: Machine) -> None:
    value = machine.secrets.pop("pupils-wifi")
    ran = machine.apply(PUPILS)
    assert row(ran) == (
        Outcome.PENDING,
        "awaited",
        "waits for the secret pupils-wifi, which IT gives this laptop",
    )
    assert (ran.exit_code, ran.failed, machine.read(PATH)) == (0, (), None)
    machine.secrets["pupils-wifi"] = value
    item = next(iter(PUPILS.items()))
    assert Layout().secrets_file in item.resource().watches(), "what is looked at once it changes"
    ran = machine.engine.audit(PUPILS, [Layout().secrets_file])
    assert row(ran)[0] is Outcome.CHANGED
    assert known(machine) is not None


def test_another_secret_takes_the_place_of_the_old_one(machine: Machine) -> None:
    machine.apply(PUPILS)
    machine.secrets["pupils-wifi"] = "quite another one"
    assert len(machine.plan(PUPILS).steps) == 1
    machine.engine.audit(PUPILS, [Layout().secrets_file])
    found = known(machine)
    assert found is not None and found.secret == "quite another one"
    assert machine.plan(PUPILS).empty


def test_who_loses_the_secret_loses_the_network(machine: Machine) -> None:
    before = machine.state()
    machine.apply(PUPILS)
    del machine.secrets["pupils-wifi"]
    ran = machine.apply(PUPILS)
    assert row(ran, Outcome.RESTORED)[0] is Outcome.RESTORED and row(ran, Outcome.PENDING)[1] == "awaited"
    assert (machine.state(), known(machine)) == (before, None)
    assert row(machine.apply(PUPILS))[:2] == (Outcome.PENDING, "awaited")


class _Damaged:
    def find(self, name: str) -> str | None:
        raise BookbagError("state-corrupt", f"cannot tell what {name} is")

    def names(self) -> tuple[str, ...]:
        raise BookbagError("state-corrupt", "cannot tell which there are")


def test_secrets_that_cannot_be_read_take_nothing_away(machine: Machine) -> None:
    machine.apply(PUPILS)
    machine.host = replace(machine.host, secrets=_Damaged())
    assert row(machine.apply(PUPILS))[:2] == (Outcome.FAILED, "state-corrupt")
    assert known(machine) is not None


def test_a_network_of_a_persons_in_our_place_stays_theirs(machine: Machine) -> None:
    machine.apply(PUPILS)
    theirs = "[connection]\nid=Theirs\nuuid=0d3f1d5e-6a43-4d5c-9c2c-5f6d1e6f0a11\ntype=wifi\n"
    machine.write(PATH, theirs, 0o600)
    outcome, _, message = row(machine.apply(PUPILS))
    assert outcome is Outcome.NOT_SUPPORTED and "somebody else's network is in it" in message
    machine.apply(None)
    assert machine.read(PATH) == theirs


def test_where_it_cuts_the_laptop_off_every_other_network_comes_first(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        before = machine.state()
        machine.run(PUPILS)

        def priority() -> int:
            found = known(machine)
            assert found is not None, "where it was the way after all, it still is"
            return found.priority

        for reverts in range(1, REVERTS + 1):
            assert priority() == 10
            ran = machine.cut_off(PUPILS)
            assert priority() == LEAST
            contested = reverts == REVERTS
            assert row(ran)[1] == ("contested" if contested else "cut-off")
            machine.good = True
            machine.run(PUPILS, PAUSE_S * reverts + 1)
            machine.run(PUPILS, heard=False)
        assert priority() == LEAST
        machine.run(None)
        assert machine.state() == before


def test_who_pulls_the_cable_changes_nothing(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.run(PUPILS)
        machine.linked = False
        machine.cut_off(PUPILS)
        found = known(machine)
        assert found is not None and found.priority == 10


def test_ranks_join_and_the_nearer_one_knows_better() -> None:
    far = [{"name": "a", "ssid": "A"}, {"name": "b", "ssid": "B"}]
    near = [{"name": "b", "ssid": "New B"}, {"name": "c", "ssid": "C"}]
    assert NetworkWifi().join(far, near) == [far[0], *near]


def test_nothing_of_a_secret_is_told_kept_or_written_but_in_its_own_file(machine: Machine) -> None:
    """Canaries, looked for in every output: plan, run, explain, report, ledger, undo journal, memory."""
    password, who = "canary-radius-4711", "canary-lina"
    machine.secrets.update({"radius": password, "who": who})
    case = Path(__file__).parents[1] / "cases/network.wifi/enterprise.yaml"
    body = case.read_text().split("policy: |\n")[1].split("expect:")[0]
    body = "\n".join(line[2:] for line in body.split("\n")).replace(
        "identity: laptops", "identity-secret: who"
    )
    staff = compiled(source(body, power=True))
    said: list[object] = []

    def ask() -> None:
        state = machine.memory.read()
        for key in ("network.wifi", "wifi:staff"):
            said.append(explain(staff, key, machine.undo, machine.host, state).to_dict())
        said.append(machine.plan(staff).to_dict())

    ask()
    assert outcomes(machine.apply(staff)) == {"wifi:staff": Outcome.CHANGED}
    found = known(machine, "staff")
    assert found is not None and (found.secret, found.identity) == (password, who), "the control"
    assert password not in repr(found) and who not in repr(found)
    for value in (f"{password}2", "5" * 300):
        machine.secrets["radius"] = value
        ask()
        said.append(machine.apply(staff).to_dict())
    machine.secrets["radius"] = password
    said.append(machine.apply(staff).to_dict())
    machine.write(path_of("staff"), (machine.read(path_of("staff")) or "") + "#", 0o600)
    ask()
    machine.now += 3600
    said.append(machine.apply(staff).to_dict())
    del machine.secrets["who"]
    said.append(machine.apply(staff).to_dict())
    machine.secrets["who"] = who
    said.append(machine.apply(staff).to_dict())
    said += [(entry.message, dict(entry.detail)) for entry in machine.ledger.entries()]
    told = json.dumps(said)
    assert "wifi:staff" in told and "canary" not in told
    assert finds(machine.folder, who) == finds(machine.folder, password)
    assert finds(machine.folder, password) == [f"laptop{path_of('staff')}"]
