"""A lock by order: told at the desk, kept by the agent alone through crashes, opened by an order to the byte.

That each way in is closed and stays closed, whatever is done to the machine, is shown in
`tests/lab/test_locking.py`; here the orders, workers and receipts that bring it about are the real ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.lab import routes, sessions
from tests.lab.acceptance import tree
from tests.lab.acceptance.ordering import DAY, Site, commands, locked, notice, set_ahead
from tests.lab.acceptance.school import status
from tests.lab.fixtures import LAPTOPS
from tests.lab.laptop import Laptop

WORDS = (
    "--message",
    "en=Please bring it back",
    "--message",
    "ar=أعيدوه",
    "--contact",
    "office@north.example",
)
#: What systemd writes on a terminal when whatever ran there has ended.
GONE = "\x1b[3J"
#: Written by the lab, or by systemd at each start.
LEFT_OUT = ("/etc/lab-clock", "/etc/.pwd.lock")
VOLATILE = re.compile(r"^(bookbag-worker-|run-|session-|user-|user@|system-.*\.slice)")


@pytest.fixture(scope="module")
def ready(site: Site) -> Site:
    """A student who has every way into ``tala``."""
    tala = site.laptops[0]
    routes.prepare(tala)
    tala.run(["rm", "-r", "/etc/systemd/system/bookbag-worker-command@.service.d/90-lab.conf"])
    tala.run(["systemctl", "daemon-reload"])
    return site


@pytest.fixture
def tala(ready: Site, request: pytest.FixtureRequest) -> Iterator[Laptop]:
    """The laptop that is locked, open and on the network again after each test."""
    laptop = ready.laptops[0]
    request.node.stash[LAPTOPS] = [laptop]
    yield laptop
    if laptop.init_pid is None:
        laptop.boot()
    laptop.set_cable(True)
    laptop.wait_until(lambda: status(laptop)["device"], 30, "the agent")
    if commands(laptop).get("locked"):
        ready.until_told(laptop, unlock(ready, laptop), "done")


def lock(site: Site, laptop: Laptop) -> str:
    """Order it, and wait until it is locked; the order's id."""
    order = site.order("lock", laptop.name, *WORDS)
    site.send(laptop)
    laptop.wait_until(lambda: locked(laptop), 60, "the lock")
    return order


def unlock(site: Site, laptop: Laptop) -> str:
    order = site.order("unlock", laptop.name)
    site.send(laptop)
    laptop.wait_until(lambda: not commands(laptop)["locked"], 60, "the lock's end")
    return order


def running(laptop: Laptop) -> set[str]:
    """Units that run and do not come and go by themselves."""
    listed = ["systemctl", "list-units", "--state=active", "--plain", "--no-legend"]
    names = {line.split()[0] for line in laptop.run(listed).stdout.splitlines()}
    return {name for name in names if not VOLATILE.search(name)}


def until_running(laptop: Laptop, ran: set[str]) -> None:
    """Wait until exactly what ran runs again."""

    def same() -> bool:
        assert running(laptop) ^ ran == set()
        return True

    laptop.wait_until(same, 30, "what ran before")


def people_get_in(laptop: Laptop) -> set[bool]:
    """Whether people get in, by each way."""
    return {came for way, came in routes.tried(laptop).items() if way not in routes.OF_ROOT}


def test_a_lock_by_order_holds_by_itself_and_an_order_gives_everything_back(
    ready: Site, tala: Laptop
) -> None:
    site = ready
    assert people_get_in(tala) == {True}, "positive control"
    before, ran = tree.snapshot(tala, "/etc", LEFT_OUT), running(tala)
    sessions.log_in(tala, "student")

    order = lock(site, tala)
    assert people_get_in(tala) == {False}
    assert sessions.sessions(tala, "student") == []
    shown = notice(tala)
    assert (shown["order"], shown["contact"]) == (order, "office@north.example")
    assert shown["message"] == {"en": "Please bring it back", "ar": "أعيدوه"}
    routes.talk_to_the_locker(tala, ("Please bring it back", ""))
    told = tala.run(["bookbag", "status"], check=False)
    assert told.returncode == 0 and "nobody gets in" in told.stdout, told.stdout

    assert site.until_told(tala, order, "done") == [("done", "")]
    (row,) = [one for one in site.desk.fleet_json("status")["orders"] if one["id"] == order]
    assert (row["device"], row["kind"], row["persons"]) == ("tala", "lock", ["ict-1"])
    assert row["outcome"].startswith("done on ")
    page = site.desk.fleet_page()
    assert "lock done" in page and "done on " in page

    tala.set_cable(False)
    for way_down in (tala.crash, tala.power_off):
        way_down()
        tala.boot()
        tala.wait_until(lambda: locked(tala), 30, "the agent, which goes on with the lock by itself")
        assert people_get_in(tala) == {False}
        assert notice(tala)["order"] == order
    tala.set_cable(True)

    opened = unlock(site, tala)
    assert people_get_in(tala) == {True}
    assert tree.differences(before, tree.snapshot(tala, "/etc", LEFT_OUT)) == []
    until_running(tala, ran)
    assert site.until_told(tala, opened, "done") == [("done", "")]
    assert notice(tala) == {"v": 1, "locked": False, "erase_at": 0}
    assert "nobody gets in" not in tala.run(["bookbag", "status"]).stdout


def challenge(laptop: Laptop) -> str:
    return str(notice(laptop)["challenge"])


def answer(site: Site, laptop: Laptop) -> str:
    """What the desk reads back over the telephone to whoever reads it what the screen shows."""
    said = site.desk.fleet_json("answer", laptop.name, challenge(laptop), "--as", "head-1")
    return str(said["code"])


def typed(laptop: Laptop, code: str, user: str = "nobody") -> tuple[int, str]:
    """`bookbag unlock CODE` as somebody without rights: exit code and what was said."""
    done = laptop.run(["bookbag", "unlock", *code.split()], user=user, check=False)
    return done.returncode, done.stdout + done.stderr


def test_without_a_network_the_answer_opens_it_once(ready: Site, tala: Laptop) -> None:
    site = ready
    order = lock(site, tala)
    tala.set_cable(False)
    read_out = tala.run(["bookbag", "unlock"], user="nobody").stdout
    assert challenge(tala) in read_out
    code = answer(site, tala)
    assert typed(tala, f"{code[:5].lower()} {code[5:]}", "student") == (0, "this laptop is open again\n")
    assert people_get_in(tala) == {True}
    exit_code, said = typed(tala, code)
    assert exit_code == 4 and "not locked" in said

    tala.set_cable(True)
    second = lock(site, tala)
    assert second != order
    tala.set_cable(False)
    exit_code, said = typed(tala, code)
    assert exit_code == 4 and "not the code" in said, "it was good once"
    assert locked(tala)
    right = answer(site, tala)
    routes.talk_to_the_locker(
        tala,
        ("Please bring it back", "0000000000\r"),
        ("That was not the answer", f"{right[:5]}-{right[5:].lower()}\r"),
        (GONE, ""),
    )
    tala.wait_until(lambda: not commands(tala)["locked"], 60, "the lock's end")
    assert people_get_in(tala) == {True}
    tala.set_cable(True)
    tala.wait_until(lambda: told_by_code(site, tala) == 2, 60, "the receipts of both")


def told_by_code(site: Site, laptop: Laptop) -> int:
    """How many times the desk has heard that somebody opened the laptop by a code."""
    said = site.desk.fleet_json("receipts", laptop.name, "--as", "ict-1")["receipts"]
    return sum((one["kind"], one["state"]) == ("unlock-by-code", "done") for one in said)


@pytest.mark.soak
def test_wrong_codes_cost_time_that_no_restart_and_no_clock_gives_back(ready: Site, tala: Laptop) -> None:
    site = ready
    lock(site, tala)
    tala.set_cable(False)
    right = answer(site, tala)
    for number in range(5):
        assert typed(tala, f"0000{number}00000")[0] == 4
    refused = "wrong ones were entered"
    assert refused in typed(tala, right)[1], "not even the right one is looked at"
    left = notice(tala)["wait_s"]
    assert 30 < left <= 60

    for way_down in (tala.crash, tala.power_off):
        way_down()
        tala.boot()
        tala.wait_until(lambda: locked(tala), 30, "the lock")
        assert refused in typed(tala, right)[1], "a restart refunds nothing"
        assert notice(tala)["wait_s"] > 30, "all of it begins again"
    set_ahead(tala, site.ahead - 10 * DAY)
    assert refused in typed(tala, right)[1], "no clock on the wall is asked"
    site.pass_time(10 * DAY)  # for all of the site: what a laptop took for the time, it does not forget
    assert refused in typed(tala, right)[1], "no clock on the wall is asked"
    site.desk.fleet("refresh")
    assert people_get_in(tala) == {False}
    tala.wait_until(lambda: typed(tala, right)[0] == 0, 70, "the end of the wait")
    assert people_get_in(tala) == {True}
