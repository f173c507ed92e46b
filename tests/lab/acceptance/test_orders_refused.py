"""Erasures that are not to be: each refused with a signed receipt that says why, and the same done right is
carried out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from agent.fleet import orders, publiclog
from agent.fleet.folder import Folder
from agent.trust import dsse, floors
from tests.lab.acceptance import attacker, volumes
from tests.lab.acceptance.ordering import DAY, MINUTE, Site, set_ahead
from tests.lab.acceptance.school import AGENT, bookbag, status
from tests.lab.acceptance.volumes import Volume
from tests.lab.fixtures import LAPTOPS
from tests.lab.laptop import Laptop

BOTH = ("ict-1", "head-1")
GONE = ("--reason", "not returned", "--yes")
#: What remembers how new the word was that this laptop took.
HIGH_WATER = ("/var/lib/bookbag/state/high-water.json", "/var/lib/bookbag/state/high-water.json.2")
#: Beyond the expiry of root and targets: neither the host's word nor a time server's is believed there.
FAR = 1000 * DAY


@pytest.fixture
def juma(site: Site, request: pytest.FixtureRequest) -> Iterator[Laptop]:
    """The laptop that is not to be erased, on a day without other orders."""
    laptop = site.laptops[1]
    request.node.stash[LAPTOPS] = [laptop]
    site.another_day()
    yield laptop
    laptop.run(["systemctl", "start", AGENT])
    set_ahead(laptop, site.ahead)


@pytest.fixture
def home(juma: Laptop) -> Iterator[Volume]:
    """A LUKS2 container of the laptop's."""
    volume = volumes.make(juma, "kept")
    volumes.record(volume)
    yield volume
    volumes.discard(volume)


def test_each_wipe_that_lacks_something_is_refused_with_a_receipt_and_the_same_whole_erases(
    site: Site, juma: Laptop, home: Volume
) -> None:
    desk = site.desk
    ict, head = (attacker.key_of(desk, person) for person in BOTH)
    alone = site.order("wipe", juma.name, *GONE)
    (file,) = [one for one in orders.read_orders(Folder(desk.folder), juma.name) if one.id == alone]
    twice = attacker.reordered(file.envelope, ict)
    hurried = attacker.reordered(file.envelope, ict, head, grace_s=MINUTE)
    unlogged = attacker.reordered(file.envelope, ict, head)
    braked = attacker.reordered(file.envelope, ict, head)
    log = publiclog.read(Folder(desk.folder))
    for one in (twice, hurried, b"of another laptop", braked):
        log = log.extended(digest(one), floors.ERASE, site.now)
    publiclog.write(Folder(desk.folder), log)
    offered = [file.envelope, attacker.signed_again(twice), hurried, unlogged, braked]
    whole = home.digest()
    attacker.file_mail(desk, juma.name, offered, now=site.now, log=log)
    site.sync(juma)
    refused = {
        alone: "under-signed",
        attacker.order_id(twice): "under-signed",
        attacker.order_id(hurried): "not-allowed",
        attacker.order_id(unlogged): "not-logged",
        attacker.order_id(braked): "brake",
    }
    for order, code in refused.items():
        assert site.until_told(juma, order, "refused") == [("refused", code)]

    late = attacker.reordered(file.envelope, ict, head)
    set_ahead(juma, site.ahead + FAR, without="sync")
    attacker.file_mail(desk, juma.name, [late], now=site.now)
    site.sync(juma)
    assert site.until_told(juma, attacker.order_id(late), "refused")[0][1] == "clock-suspect"
    set_ahead(juma, site.ahead)
    assert home.digest() == whole

    site.another_day()
    desk.fleet("approve", juma.name, "--as", "head-1")
    site.send(juma)
    site.until_told(juma, alone, "refused", "armed")
    assert home.digest() == whole
    site.pass_time(floors.GRACE + MINUTE)
    desk.fleet("refresh")
    site.sync(juma)
    site.until_told(juma, alone, "refused", "armed", "started", "done")
    assert home.opened_by() == (), "the very same order, once two had signed it"


def digest(envelope: bytes) -> str:
    """By which the public log names an order."""
    payload = dsse.parse(envelope).payload if envelope.startswith(b"{") else envelope
    return hashlib.sha256(payload).hexdigest()


@pytest.mark.soak
def test_a_laptop_that_lost_its_memory_is_erased_by_nobody_until_two_persons_readmit_it(
    site: Site, juma: Laptop, home: Volume
) -> None:
    whole = home.digest()
    juma.run(["systemctl", "stop", AGENT])
    juma.run(["rm", *HIGH_WATER])
    juma.run(["systemctl", "start", AGENT])
    site.desk.fleet("refresh")
    juma.wait_until(lambda: status(juma)["device"], 30, "the agent", unit=AGENT)
    site.sync(juma)
    assert status(juma)["recovering"], "it noticed"
    order = site.order("wipe", juma.name, *GONE, by=BOTH)
    site.send(juma)
    assert site.until_told(juma, order, "refused") == [("refused", "recovering")]
    assert home.digest() == whole

    site.desk.fleet("readmit", juma.name, "--as", "ict-1", "--as", "head-1")
    site.desk.publish(*BOTH)
    bookbag(juma, "sync", codes=(0, 2, 4, 6))
    juma.wait_until(lambda: not status(juma)["recovering"], 60, "its readmission", unit=AGENT)
    again = site.order("wipe", juma.name, *GONE, by=BOTH)
    site.send(juma)
    site.until_told(juma, again, "armed")
    site.order("cancel", again)
    site.send(juma)
    site.until_told(juma, again, "armed", "cancelled")
    assert home.digest() == whole
