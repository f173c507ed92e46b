"""A part of root power in a file that ordinary settings share: each keeps the power of whoever signed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.policy.bases.managed import Managed
from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.desk.check import check_documents
from agent.policy.desk.preview import needs_power
from agent.policy.document import Source
from tests.policy.machine import DEVICE, source

SCHOOL = "{name: Reader, chromium: aaaabbbbccccddddeeeeffffgggghhhh, firefox: reader@north.example}"
SPY = "{name: Spy, chromium: bbbbbbbbccccddddeeeeffffgggghhhh, firefox: spy@evil.example}"
FORCE = "settings:\n  browser.forced-extensions: [{}]\n"


def named(text: str, name: str, *, power: bool = False, rank: str = "school") -> Source:
    one = source(text, power=power)
    data = one.data.decode()
    head = data.splitlines()
    head[0] = f"policy: {name}"
    lines = [f"rank: {rank}" if line.startswith("rank:") else line for line in head]
    folder = "power" if power else "policies"
    return replace(one, file=f"{folder}/ict/{name}.yaml", data="\n".join(lines).encode())


def files(policy: Compiled) -> dict[str, Mapping[str, Any]]:
    """Path → what the browser finds there."""
    found = {}
    for item in policy.items():
        resource = item.resource()
        if isinstance(resource, Managed):
            found[resource.path] = resource.written()
    return found


def compiled(*sources: Source) -> Compiled:
    return compile_site(sources, DEVICE)


ORDINARY = "settings:\n  browser.extensions: blocked\n  browser.pop-ups: blocked\n"


def test_beside_what_two_persons_signed_the_ordinary_holds_and_the_other_way_round() -> None:
    both = files(compiled(named(ORDINARY, "a"), named(FORCE.format(SCHOOL), "b", power=True)))
    firefox = both["/etc/firefox/policies/policies.json"]["policies"]
    assert set(firefox["ExtensionSettings"]) == {"*", "reader@north.example"}
    assert firefox["PopupBlocking"]["Default"] is True
    assert "ExtensionInstallForcelist" in both["/etc/opt/chrome/policies/managed/bookbag.json"]


def test_a_part_that_is_refused_takes_nothing_along() -> None:
    alone = files(compiled(named(ORDINARY, "a")))
    hostile = compiled(named(ORDINARY, "a"), named(FORCE.format(SPY), "b"))
    assert files(hostile) == alone and "evil" not in str(hostile.data["items"])
    (refused,) = hostile.refusals
    assert refused["code"] == "root-power" and refused["subject"] == "browser.forced-extensions"
    same = compiled(named(ORDINARY + FORCE.format(SPY).removeprefix("settings:\n"), "a"))
    assert files(same) == alone, "in one document too"


@pytest.mark.parametrize("rank", ["ministry", "school", "device"])
@pytest.mark.parametrize("final", [False, True])
def test_an_ordinary_policy_changes_nothing_of_the_list_of_two_persons(rank: str, *, final: bool) -> None:
    """Not by adding to it, not by giving an id of it another address, not by a final list of its own."""
    swapped = SCHOOL.replace(
        "}", ", chromium-url: 'https://evil.example/u', firefox-url: 'https://evil.example/x'}"
    )
    value = f"{{value: [{swapped}, {SPY}], final: {str(final).lower()}}}"
    mine = f"settings:\n  browser.forced-extensions: {value}\n"
    if rank == "device":
        mine = f"applies-to: {{device: {DEVICE.device}}}\n{mine}"
    school = named(FORCE.format(SCHOOL), "b", power=True)
    hostile = compiled(named(mine, "a", rank=rank), school)
    assert files(hostile) == files(compiled(school))
    assert [row["code"] for row in hostile.refusals] == ["root-power"]
    strong = compiled(named(mine, "a", rank=rank, power=True), school)
    assert "evil" in str(files(strong)), "the control"


def test_ordinary_settings_alone_cannot_come_to_it() -> None:
    """The control of the joint: nothing that one person may write reaches a key of an extension."""
    wild = "settings:\n  browser.extensions: {'spy@evil.example': force_installed}\n"
    refused = compiled(named(wild, "a"))
    assert not files(refused) and refused.refusals


def test_the_desk_says_so_before() -> None:
    found = check_documents([named(FORCE.format(SPY), "b")])
    assert {one.code for one in found} == {"root-power"} and "two persons sign" in found[0].remedy
    assert needs_power(named(FORCE.format(SCHOOL), "b", power=True))
    assert not check_documents([named(FORCE.format(SCHOOL), "b", power=True), named(ORDINARY, "a")])


def test_of_two_addresses_for_one_id_the_farther_ranks_holds() -> None:
    near = named(
        f"applies-to: {{device: {DEVICE.device}}}\n" + FORCE.format(SCHOOL.replace("}", ", firefox-url: 'https://x.example/'}")),
        "near", power=True, rank="device",
    )  # fmt: skip
    policy = files(compiled(near, named(FORCE.format(SCHOOL), "far", power=True)))
    (one,) = policy["/etc/firefox/policies/policies.json"]["policies"]["ExtensionSettings"].values()
    assert one["install_url"].startswith("https://addons.mozilla.org/")
