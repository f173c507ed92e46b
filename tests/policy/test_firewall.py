"""Rules of the firewall: what is always open, what a list opens, and that they are held and given back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from agent.core.model import Outcome
from agent.host.nft_table import added
from agent.policy import kinds
from agent.policy.resources.firewall import IN, OUT, PATH, SYNC_USER, Firewall
from tests.policy.machine import Machine, compiled, outcomes, source

SETTING = kinds.settings()["network.firewall"]
CLOSED = "settings:\n  network.firewall: {value: {incoming: closed, outgoing: closed}}\n"
OPEN = "settings:\n  network.firewall: {value: {incoming: [ssh]}}\n"


def made(firewall: Firewall, kind: str) -> list[dict[str, Any]]:
    """The chains, or the rules, of the script that is written."""
    state = firewall.desired()
    assert state is not None
    file = state["file"]
    assert isinstance(file, dict)
    return [one[kind] for one in added(file["content"].decode()) if isinstance(one, dict) and kind in one]


def rules(firewall: Firewall, chain: str) -> list[str]:
    """Each rule of one chain, in words."""
    found = [one["expr"] for one in made(firewall, "rule") if one["chain"] == chain]
    return [" ".join(map(said, one)) for one in found]


def said(statement: dict[str, dict[str, object]]) -> str:
    if "match" not in statement:
        return next(iter(statement))
    left, right = statement["match"]["left"], statement["match"]["right"]
    assert isinstance(left, dict)
    what = next(iter(left.values()))
    return f"{what.get('protocol', '')} {what.get('field', what.get('key'))} {shown(right)}".strip()


def shown(right: object) -> str:
    if isinstance(right, dict) and "prefix" in right:
        return f"{right['prefix']['addr']}/{right['prefix']['len']}"
    if isinstance(right, dict):
        return "-".join(map(str, next(iter(right.values()))))
    return ",".join(right) if isinstance(right, list) else str(right)


def policies(firewall: Firewall) -> dict[str, str]:
    return {one["name"]: one["policy"] for one in made(firewall, "chain")}


def test_incoming_is_closed_but_for_what_the_laptop_needs_and_what_is_listed() -> None:
    firewall = Firewall(["ssh from 10.2.0.0/16", "ping from 10.2.0.9/32", "tcp 8000-8010"])
    assert policies(firewall) == {IN: "drop"}, "and nothing is said of what goes out"
    assert rules(firewall, IN) == [
        "iifname lo accept",
        "state established,related accept",
        "icmpv6 type mld-listener-query-nd-neighbor-advert-nd-neighbor-solicit-nd-router-advert accept",
        "udp sport 67 udp dport 68 accept",
        "udp sport 547 udp dport 546 accept",
        "ip saddr 10.2.0.0/16 tcp dport 22 accept",
        "ip saddr 10.2.0.9 icmp type echo-request accept",
        "tcp dport 8000-8010 accept",
    ]


def test_outgoing_is_closed_but_for_what_bookbag_and_every_laptop_need() -> None:
    firewall = Firewall([], ["web", "ping", "tcp 8443 to 2001:db8::/32"])
    assert policies(firewall) == {IN: "drop", OUT: "drop"}
    assert rules(firewall, OUT) == [
        "oifname lo accept",
        "state established,related accept",
        f"skuid {SYNC_USER} accept",
        "icmpv6 type mld-listener-report-mld2-listener-report-nd-neighbor-advert-nd-neighbor-solicit"
        "-nd-router-solicit accept",
        *(f"udp dport {one} accept" for one in (67, 547, 53)),
        *(f"tcp dport {one} accept" for one in (53, 853)),
        "udp dport 123 accept",
        *("tcp dport 80 accept", "tcp dport 443 accept", "udp dport 443 accept"),
        *("icmp type echo-request accept", "icmpv6 type echo-request accept"),
        "ip6 daddr 2001:db8::/32 tcp dport 8443 accept",
        "reject",
    ]


def test_reopened_it_lets_out_what_no_person_sends_and_nothing_of_persons() -> None:
    tight, reopened = Firewall(["ssh"], ["web"]), Firewall(["ssh"], ["web"], reopened=True)
    assert policies(reopened) == {IN: "drop", OUT: "accept"}
    assert rules(reopened, IN) == rules(tight, IN)
    *same, persons, their_name_spaces = rules(reopened, OUT)
    assert same == rules(tight, OUT)[:-1]
    assert (persons, their_name_spaces) == ("skuid 1000-59999 reject", "skuid 65536-4294967294 reject")


def test_rules_that_somebody_took_away_or_changed_are_loaded_again(machine: Machine) -> None:
    wanted = compiled(source(OPEN, power=True))
    assert machine.host.firewall is not None
    machine.apply(wanted)
    loaded = machine.host.firewall.listed()
    assert loaded
    machine.host.firewall.clear()
    assert outcomes(machine.apply(wanted)) == {"firewall:bookbag": Outcome.HEALED}
    assert machine.host.firewall.listed() == loaded
    notes = machine.laptop / ".sandbox/firewall.json"
    table = json.loads(notes.read_text())["table"]
    notes.write_text(json.dumps({"table": table[:-1]}))
    ran = machine.apply(wanted)
    assert outcomes(ran) == {"firewall:bookbag": Outcome.HEALED}
    assert machine.host.firewall.listed() == loaded
    assert machine.plan(wanted).empty


def test_withdrawn_nothing_of_it_is_loaded_or_lies_there(machine: Machine) -> None:
    assert machine.host.firewall is not None
    before = machine.state()
    machine.apply(compiled(source(OPEN, power=True)))
    machine.apply(compiled(source(CLOSED, power=True)))
    assert machine.host.firewall.listed()
    machine.apply(None)
    assert machine.host.firewall.listed() is None
    assert machine.state() == before
    assert machine.read(PATH) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"incoming": "closed"}, {"incoming": ["ssh"]}),
        ({"incoming": "closed", "outgoing": ["web"]}, {"incoming": "closed"}),
        ({"incoming": "closed", "outgoing": "closed"}, {"incoming": "closed", "outgoing": ["web"]}),
        ({"incoming": ["ssh"], "outgoing": ["web"]}, {"incoming": ["ping", "ssh"], "outgoing": "open"}),
    ],
)
def test_less_is_tighter(one: object, other: object) -> None:
    assert SETTING.tighter(one, other)
    assert not SETTING.tighter(other, one)
    assert not SETTING.tighter(one, one)


def test_what_opens_one_and_closes_another_is_neither() -> None:
    one, other = {"incoming": "closed"}, {"incoming": ["ssh"], "outgoing": "closed"}
    assert not SETTING.tighter(one, other)
    assert not SETTING.tighter(other, one)


def test_it_is_told_in_words() -> None:
    assert SETTING.show({"incoming": ["ssh", "ping"]}) == "incoming ssh, ping; outgoing open"
    assert SETTING.show({"incoming": "closed", "outgoing": "closed"}) == "incoming closed; outgoing closed"


EVERY = """
import agent.policy.resources.firewall as module
from agent.host.linux.firewall import LinuxFirewall
from agent.host.nft_table import plain
from agent.policy.syntax.openings import SERVICES

module.SYNC_USER = "games"  # a user that is there
kernel = LinuxFirewall()
every = [*SERVICES, *(f"{one} from {whom}" for one in SERVICES for whom in ("10.0.0.0/8", "fe80::/10"))]
every += ["tcp 1-65535", "udp 7 from 10.0.0.1/32", "udp 8 from 2001:db8::1/128", "tcp 9 from 0.0.0.0/0"]
for outgoing, reopened in ((None, False), ([], False), (every, False), (every, True)):
    made = module.Firewall(every, outgoing, reopened)
    kernel.load(made._script())
    assert kernel.listed() == plain(tuple(made._objects())), made
"""


@pytest.mark.needs("nft", "unshare")
@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root")
def test_the_kernel_takes_every_rule_and_lists_it_as_it_was_asked() -> None:
    inside = ["unshare", "--net", sys.executable, "-c", EVERY]
    run = subprocess.run(inside, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
