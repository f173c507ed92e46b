"""One school for all of these tests: a desk with its service, and two laptops enrolled by tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import leaks
from tests.lab.acceptance import tree
from tests.lab.acceptance.desk import Desk
from tests.lab.acceptance.ordering import Site
from tests.lab.acceptance.school import (
    AGENT,
    assign,
    bookbag,
    enrol,
    homepage_of,
    install,
    settled,
    status,
    up,
    wait_for_request,
)
from tests.lab.fixtures import LAPTOPS
from tests.lab.image import Image
from tests.lab.lab import Lab
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER

#: What the programs that keep accounts leave beside the files that they change.
BACKUPS = ("/etc/passwd-", "/etc/shadow-", "/etc/group-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-")
#: Not the laptop's own settings, or the lab's way of making clocks wrong.
LEFT_OUT = ("/etc/bookbag", "/etc/lab-clock", "/etc/systemd/system", *BACKUPS)
HOME = "http://library.example/"
#: Names that the laptops know, all at the school's server.
SITES = ("library.example", "casino.example", "www.casino.example")
BASE = ("everyone", "older", "younger", "motd")


@dataclass(frozen=True, slots=True)
class School:
    """``lina`` is in year 9, ``omar`` in year 3. ``before``: /etc of each as it was without any policy."""

    desk: Desk
    lina: Laptop
    omar: Laptop
    before: dict[str, dict[str, str]]

    @property
    def laptops(self) -> tuple[Laptop, Laptop]:
        """Both."""
        return self.lina, self.omar


def write_base(desk: Desk) -> None:
    """The policies that are in force between tests: `BASE`."""
    desk.policy(
        "everyone", {"browser.homepage": HOME, "browser.blocked-sites": ["*.casino.example"]}, rank="district"
    )
    desk.policy("older", {"screen-lock.after": "10m"}, applies={"year": [9]})
    desk.policy("younger", {"screen-lock.after": "5m"}, applies={"year": [3]})
    motd = {"path": "/etc/motd", "content": "Be kind to this laptop.\n", "mode": "0644"}
    desk.policy("motd", resources=({"file": motd},))


def prepare(laptop: Laptop) -> None:
    """What was on a laptop before the school came: files that policies will replace, with all that clings
    to a file.
    """
    laptop.write("/etc/motd", "Lina's own words\n", mode=0o640, owner=(1000, 1001))
    laptop.run(["setfacl", "-m", "u:teacher:r--,m::r--", "/etc/motd"])
    laptop.run(["setfattr", "-n", "user.note", "-v", "mine", "/etc/motd"])
    laptop.write("/etc/chromium/policies/managed/bookbag-homepage.json", "{}\n", mode=0o600)
    hosts = laptop.read("/etc/hosts")
    laptop.write("/etc/hosts", hosts + "".join(f"{SERVER} {name}\n" for name in SITES))


@pytest.fixture(scope="package")
def asked(lab: Lab, with_agent: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A desk whose service runs, and two laptops whose requests have come back to it."""
    desk = Desk(tmp_path_factory.mktemp("desk") / "north", lab.network)
    desk.publish("ict-1", "head-1")
    desk.open_service()
    laptops, before = [], {}
    for name in ("lina", "omar"):
        laptop = lab.laptop(with_agent, name)
        laptop.boot()
        laptops.append(laptop)
        install(laptop)
        prepare(laptop)
        before[name] = tree.snapshot(laptop, "/etc", LEFT_OUT)
        enrol(desk, laptop)
    for laptop in laptops:
        wait_for_request(desk, laptop)
    yield School(desk, laptops[0], laptops[1], before)
    desk.close_service()
    for laptop in laptops:
        laptop.discard()


@pytest.fixture(scope="package")
def joined(asked: School) -> School:
    """Both assigned by a person, the base policies published and in force."""
    assign(asked.desk, asked.lina, school="north", year="9", class_="9b")
    assign(asked.desk, asked.omar, school="north", year="3", class_="3a")
    write_base(asked.desk)
    asked.desk.publish()
    for laptop in asked.laptops:
        settled(laptop, lambda laptop: homepage_of(laptop) == HOME)
    return asked


@pytest.fixture(autouse=True)
def nothing_left_behind(lab: Lab) -> Iterator[None]:
    """As in all other tests, but for laptops, and a thief's host, that outlive a test: a restarted one is a
    new process.
    """
    before = leaks.snapshot()
    yield
    lasting = (f"--machine=bb{lab.identifier}", "/evil_host.py ")
    late = [what for what in leaks.settle(before) if not any(one in what for one in lasting)]
    if late:
        pytest.fail(f"left behind: {'; '.join(late)}", pytrace=False)


@pytest.fixture
def school(joined: School, request: pytest.FixtureRequest) -> Iterator[School]:
    """The school, in good order again after each test: cables in, base policies alone in force."""
    request.node.stash[LAPTOPS] = list(joined.laptops)
    yield joined
    desk = joined.desk
    changed = put_back(desk)
    if changed:
        desk.publish("ict-1", "head-1")
    for laptop in joined.laptops:
        if laptop.init_pid is None:
            laptop.boot()
        laptop.set_cable(True)
        laptop.run(["systemctl", "start", AGENT])
        up(laptop)
        if changed:
            settled(laptop, lambda laptop: bookbag(laptop, "sync", codes=(0, 2)))


def put_back(desk: Desk) -> bool:
    """Let the desk's folder hold the base policies alone; whether that changed anything."""
    there = sorted((*desk.folder.glob("policies/ict/*.yaml"), *desk.folder.glob("power/ict/*.yaml")))
    before = {path: path.read_bytes() for path in there}
    for path in there:
        path.unlink()
    write_base(desk)
    return before != {path: path.read_bytes() for path in sorted(desk.folder.glob("policies/ict/*.yaml"))}


@pytest.fixture
def spare(lab: Lab, with_agent: Image, request: pytest.FixtureRequest) -> Iterator[list[Laptop]]:
    """Two more laptops, with the agent installed, not enrolled; forgotten after the test."""
    made = [lab.laptop(with_agent, name) for name in ("sami", "nour")]
    request.node.stash[LAPTOPS] = made
    for laptop in made:
        laptop.boot()
        install(laptop)
    yield made
    for laptop in made:
        laptop.discard()


@pytest.fixture(scope="package")
def site(lab: Lab, with_agent: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Another school, whose laptops get orders: a desk, its service, and `tala` and `juma`, assigned."""
    desk = Desk(tmp_path_factory.mktemp("orders") / "north", lab.network, port=8444)
    desk.publish("ict-1", "head-1")
    desk.open_service()
    made = Site(desk)
    for name in ("tala", "juma"):
        laptop = lab.laptop(with_agent, name)
        laptop.boot()
        made.laptops.append(laptop)
        install(laptop)
        enrol(desk, laptop)
    for laptop in made.laptops:
        wait_for_request(desk, laptop)
        assign(desk, laptop, school="north", year="9", class_="9b")
    desk.publish()
    for laptop in made.laptops:
        bookbag(laptop, "sync")
        settled(laptop, lambda laptop: status(laptop)["enrolment"] == "assigned")
    yield made
    desk.close_service()
    for laptop in made.laptops:
        laptop.discard()


@pytest.fixture
def output() -> Path:
    """Where measurements and pictures are kept for people."""
    from tests.lab.lab import output_folder

    return output_folder()
