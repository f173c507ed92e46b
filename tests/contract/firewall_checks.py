"""What every firewall must do: all of a script or nothing, and no table but ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.host.network import Firewall
from agent.host.nft_table import chain, plain, rule, script
from tests.contract.subject import refused

LOOPBACK = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}}
OURS = {"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": "root"}}
STATES = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["related", "established"]}}
ACCEPT: dict[str, object] = {"accept": None}


@dataclass(frozen=True)
class Walled:
    """A firewall; and what makes a table of somebody else's, and tells whether it is still there, with all
    that was in it."""

    firewall: Firewall
    make_other: Callable[[], None]
    other_is_whole: Callable[[], bool]


def _port(number: int) -> dict[str, object]:
    left = {"payload": {"protocol": "tcp", "field": "dport"}}
    return {"match": {"op": "==", "left": left, "right": number}}


def _rules(*ports: int) -> tuple[object, ...]:
    return (
        chain("incoming", "input", "accept"),
        rule("incoming", LOOPBACK, ACCEPT),
        rule("incoming", STATES, ACCEPT),
        chain("outgoing", "output", "accept"),
        *(rule("incoming", _port(one), ACCEPT) for one in ports),
        rule("outgoing", OURS, ACCEPT),
    )


def _as_set(objects: Sequence[object]) -> list[str]:
    """Chains are listed before rules, whatever the order they came in."""
    return sorted(json.dumps(one, sort_keys=True) for one in objects)


def check_there_is_none_at_first(walled: Walled) -> None:
    assert walled.firewall.listed() is None
    walled.firewall.clear()
    assert walled.firewall.listed() is None


def check_what_is_loaded_is_listed(walled: Walled) -> None:
    walled.firewall.load(script(_rules(22, 8000)))
    listed = walled.firewall.listed()
    assert listed is not None
    assert _as_set(listed) == _as_set(plain(_rules(22, 8000)))


def check_loading_replaces_all_that_was_loaded(walled: Walled) -> None:
    walled.firewall.load(script(_rules(22, 8000)))
    walled.firewall.load(script(_rules(443)))
    walled.firewall.load(script(_rules(443)))
    assert _as_set(walled.firewall.listed() or ()) == _as_set(plain(_rules(443)))


def check_a_script_that_is_wrong_changes_nothing(walled: Walled) -> None:
    walled.firewall.load(script(_rules(22)))
    before = walled.firewall.listed()
    wrong = script((*_rules(443), rule("nowhere", ACCEPT)))
    refused("not-effective", walled.firewall.load, wrong)
    assert walled.firewall.listed() == before


def check_clearing_takes_all_of_it(walled: Walled) -> None:
    walled.firewall.load(script(_rules(22)))
    walled.firewall.clear()
    assert walled.firewall.listed() is None
    walled.firewall.clear()


def check_what_others_have_stays(walled: Walled) -> None:
    walled.make_other()
    walled.firewall.load(script(_rules(22)))
    assert walled.other_is_whole()
    walled.firewall.load(script(_rules(443)))
    walled.firewall.clear()
    assert walled.other_is_whole()
