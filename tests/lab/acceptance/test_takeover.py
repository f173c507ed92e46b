"""Whoever takes over a school's service, with every key on it: each attack of the list on a real laptop.

After each the school's own word, published by those entitled, must be taken at once: the laptop was neither
led astray nor made deaf. What the list asks for is done by those entitled at the end.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from agent.trust import dsse, floors
from agent.trust.site.repository import SiteRepository
from agent.trust.site.staging import PolicyFile
from tests.lab.acceptance import volumes
from tests.lab.acceptance.attacker import Thief, now, order_id
from tests.lab.acceptance.attacks import ATTACKS, CANARY, PROGRAM, Attack
from tests.lab.acceptance.desk import Desk
from tests.lab.acceptance.forged import ORDERS, Forged
from tests.lab.acceptance.ordering import PUBLIC, Site, commands, locked
from tests.lab.acceptance.school import (
    assign,
    bookbag,
    enrol,
    homepage_of,
    install,
    settled,
    status,
    wait_for_request,
)
from tests.lab.acceptance.volumes import Volume
from tests.lab.fixtures import LAPTOPS
from tests.lab.image import Image
from tests.lab.lab import Lab
from tests.lab.laptop import Laptop

PORT = 8445
BOTH = ("ict-1", "head-1")
TOOL = {"path": "/usr/local/bin/hello", "content": "#!/bin/sh\necho hello\n", "mode": "0755"}


@dataclass
class Taken:
    """A school whose service was taken over, and the laptop that is attacked."""

    site: Site
    thief: Thief
    laptop: Laptop
    home: Volume

    def looks(self) -> tuple[dict[str, object], list[dict[str, str]]]:
        """What an attack could change on the laptop, and what it says that was refused."""
        laptop = self.laptop
        told = status(laptop)
        orders = told["commands"]
        rows = json.loads(laptop.read(f"{PUBLIC}/reports.json"))
        refused = [*told["refusals"], *told["errors"], *(row for row in rows if row["outcome"] == "refused")]
        looks = {
            "homepage": homepage_of(laptop),
            "locked": orders.get("locked"),
            "erase_at": orders.get("erase_at"),
            "groups": told["groups"],
            "recovering": told["recovering"],
            "enrolment": told["enrolment"],
            "his messages": self.messages() & self.thief.made,
            "disk": self.home.digest(),
            "program": laptop.exists(CANARY),
        }
        return looks, refused

    def messages(self) -> set[str]:
        """The ids of those that are shown."""
        found = json.loads(self.laptop.read(f"{PUBLIC}/messages.json"))["messages"]
        return {one["id"] for one in found}

    def sync(self) -> None:
        """The laptop looks at what the host has."""
        bookbag(self.laptop, "sync", codes=(0, 1, 2, 4, 6))

    def honest(self) -> str:
        """The school publishes a policy and a message by one person, and the laptop takes both; the message's
        id.
        """
        thief, desk = self.thief, self.thief.desk
        thief.put_back()
        repository = SiteRepository.open(str(desk.folder))
        beside = thief.beside_the_log()
        # Twice, so that every number is beyond those that the thief used.
        message = b""
        for homepage in (f"http://library.example/{secrets.token_hex(4)}" for _ in range(2)):
            message = thief.order("message", thief.stolen)
            thief.policies["everyone.yaml"] = policy(homepage)
            files = {name: PolicyFile(data, "school") for name, data in thief.policies.items()}
            repository.stage_documents("ict", files, at=now(), power=False)
            repository.sign("policy-ict", thief.stolen)
            for mailbox in (thief.mailbox, beside):
                repository.file_mail(mailbox, thief.box(message))
            repository.publish(thief.online, at=now())
        thief.made.discard(order_id(message))
        thief.keep()
        self.sync()
        assert homepage_of(self.laptop) == homepage
        return order_id(message)


def policy(homepage: str) -> bytes:
    """The school's policy."""
    lines = ("policy: everyone", "rank: school", "owner: ict@north.example", 'review-by: "2027-08-01"')
    return "\n".join((*lines, "settings:", f"  browser.homepage: {homepage}", "")).encode()


@pytest.fixture(scope="module")
def taken(lab: Lab, with_agent: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """The laptop has a policy, a program by two persons and a volume; it was locked and opened once. Then the
    thief comes.
    """
    desk = Desk(tmp_path_factory.mktemp("taken") / "north", lab.network, port=PORT)
    desk.publish(*BOTH)
    desk.open_service()
    laptop = lab.laptop(with_agent, "amal")
    laptop.boot()
    install(laptop)
    enrol(desk, laptop)
    wait_for_request(desk, laptop)
    assign(desk, laptop, school="north", year="9", class_="9b")
    desk.write("policies/ict/everyone.yaml", policy("http://library.example/").decode())
    desk.policy("hello", resources=({"file": TOOL},), power=True)
    desk.publish(*BOTH)
    site = Site(desk, [laptop])
    bookbag(laptop, "sync")
    settled(laptop, lambda laptop: status(laptop)["enrolment"] == "assigned")
    home = volumes.make(laptop, "home")
    volumes.record(home)
    for verb in ("lock", "unlock"):
        order = site.order(verb, laptop.name)
        site.send(laptop)
        site.until_told(laptop, order, "done")
    laptop.wait_until(lambda: laptop.exists(f"{PUBLIC}/messages.json"), 20, "messages")
    thief = Thief(desk, laptop.name, lab.network)
    desk.close_service()
    thief.open_host(thief.certificate)
    made = Taken(site, thief, laptop, home)
    made.honest()
    thief.made.clear()
    yield made
    thief.close_host()
    desk.close_service()
    laptop.discard()


@pytest.fixture(autouse=True)
def watched(taken: Taken, request: pytest.FixtureRequest) -> None:
    """For the report of a failure."""
    request.node.stash[LAPTOPS] = [taken.laptop]


@pytest.mark.parametrize(
    "one",
    # An eighth of them at every run, for each takes seconds of a real laptop; all of them in `make soak`.
    [
        pytest.param(one, id=one.name, marks=pytest.mark.soak if number % 16 else ())
        for number, one in enumerate(ATTACKS)
    ],
)
def test_it_is_refused_and_the_schools_own_word_is_taken(taken: Taken, one: Attack) -> None:
    thief = taken.thief
    before, refused = taken.looks()
    assert refused == [], "the school's own word was taken without reserve"
    try:
        one.play(thief)
        taken.sync()
        after, refused = taken.looks()
        assert after == before, one.says
        told = {row["code"] for row in refused}
        assert (told & set(one.codes)) if one.codes else not told, f"{one.says} {told}"
    finally:
        thief.open_host_again()
        taken.honest()


def test_of_all_orders_that_he_forges_none_is_obeyed_and_the_real_one_beside_them_is(taken: Taken) -> None:
    thief = taken.thief
    before, _ = taken.looks()
    made = [one.make(thief) for one in ORDERS]
    real = thief.order("message", thief.stolen)
    thief.made.discard(order_id(real))
    thief.mail(*made, real)
    taken.sync()
    after, refused = taken.looks()
    assert after == before
    found = {row["subject"].rpartition(" ")[2]: row["code"] for row in refused}
    told = {}
    for number, (one, envelope) in enumerate(zip(ORDERS, made, strict=True), 1):
        told[one.name] = found.get(order_id(envelope) if is_order(envelope) else str(number), "")
    assert told == {one.name: one.code for one in ORDERS}
    taken.laptop.wait_until(lambda: order_id(real) in taken.messages(), 20, "the real one")
    assert taken.looks()[0] == before
    shown = taken.honest()
    taken.laptop.wait_until(lambda: shown in taken.messages(), 20, "the school's own")


def is_order(envelope: bytes) -> bool:
    """Whether it says of itself that it is one."""
    return dsse.parse(envelope).payload_type == dsse.ORDER_TYPE


def test_the_lists_are_long_enough_and_say_what_each_hopes_for() -> None:
    every: list[Attack | Forged] = [*ATTACKS, *ORDERS]
    assert len(ATTACKS) >= 30 and len(every) >= 50
    assert len({one.name for one in every}) == len(every)
    assert all(one.says.endswith(".") for one in every)


def test_what_the_list_asks_for_is_done_by_those_entitled(taken: Taken) -> None:
    site, thief, laptop = taken.site, taken.thief, taken.laptop
    desk = site.desk
    thief.close_host()
    thief.put_back()
    desk.open_service()
    desk.fleet("rotate", "online")
    desk.write("power/ict/tools.yaml", PROGRAM)
    assign(desk, laptop, school="north", year="10", class_="10a")
    desk.publish(*BOTH)
    bookbag(laptop, "sync")
    assert laptop.exists(CANARY), "a program by two persons"
    assert status(laptop)["groups"]["year"] == "10"
    for verb in ("lock", "unlock"):
        site.order(verb, laptop.name)
        site.send(laptop)
        laptop.wait_until(lambda: locked(laptop) is (verb == "lock"), 30, verb)  # noqa: B023
    order = site.order("wipe", laptop.name, "--reason", "not returned", "--yes", by=BOTH)
    site.send(laptop)
    laptop.wait_until(lambda: commands(laptop)["erase_at"], 30, "that it is armed")
    assert abs(commands(laptop)["erase_at"] - now() - floors.GRACE) < 300
    site.order("cancel", order)
    site.send(laptop)
    laptop.wait_until(lambda: not commands(laptop)["erase_at"], 30, "that it is called off")
    said = desk.fleet_json("receipts", laptop.name, "--as", "ict-1", codes=(4,))
    assert any("is missing" in one for one in said["problems"]), "the desk notices what he swallowed"
    desk.close_service()
