"""The firewall by what passes, on a real laptop; and what cuts a laptop off takes itself back."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.lab import clock
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.desk import PORT
from tests.lab.acceptance.school import POLL, bookbag, set_poll, settled, status, up
from tests.lab.errors import CommandFailed
from tests.lab.guest import end
from tests.lab.lab import Lab
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER

KEY = "network.firewall"
ENFORCE = "bookbag-worker-enforce@.service"
STICK = "/mnt/stick"
RULES = "/etc/bookbag/firewall.json"
TABLE = ["nft", "list", "table", "inet", "bookbag"]
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).close()"
LISTEN = ["python3", "-m", "http.server", "--bind", "0.0.0.0"]  # noqa: S104  # a laptop of the lab's
#: What a VPN or a relay does: the agent's own connection is taken up by somebody else's, who goes on with it.
RELAY_PORT = 9443
RELAY = """
import socket, sys, threading
def pipe(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    for end in (one, other):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
def serve(one):
    try:
        other = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
    except OSError:
        return one.close()
    threading.Thread(target=pipe, args=(one, other), daemon=True).start()
    pipe(other, one)
listener = socket.create_server(("", int(sys.argv[3])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
#: The rules of somebody else's that lead there, which are none of ours to touch.
THEIRS = """table ip relay {{
    chain out {{
        type nat hook output priority -100; policy accept;
        meta skuid bookbag-sync ip daddr {server} tcp dport {port} redirect to :{relay}
    }}
}}
"""


def reaches(lab: Lab, laptop: Laptop, port: int) -> bool:
    """Whether a machine of the network gets through to a port of the laptop's."""
    try:
        lab.network.run([sys.executable, "-c", CONNECT, laptop.address, str(port)])
    except CommandFailed:
        return False
    return True


def gets_out(laptop: Laptop, port: int, user: str = "student") -> bool:
    """Whether a program of the student's gets through to a port of the school's server."""
    argv = ["python3", "-c", CONNECT, SERVER, str(port)]
    return laptop.run(argv, user=user, check=False).returncode == 0


def answers(laptop: Laptop, port: int) -> bool:
    """Whether somebody listens at a port, asked in the laptop itself."""
    return laptop.run(["python3", "-c", CONNECT, "127.0.0.1", str(port)], check=False).returncode == 0


@contextmanager
def listening(laptop: Laptop, *ports: int) -> Iterator[None]:
    """Somebody answers at these ports of the laptop's."""
    running = [laptop.start([*LISTEN, str(port)]) for port in ports]
    try:
        for port in ports:
            laptop.wait_until(partial(answers, laptop, port), 20, "a port")
        yield
    finally:
        for one in running:
            end(one)


def write(school: School, value: object) -> None:
    """Signed by two."""
    school.desk.policy("walls", {KEY: {"value": value}}, rank="class", applies={"class": ["9b"]}, power=True)
    school.desk.publish("ict-1", "head-1")


def decide(school: School, value: object) -> None:
    """Signed, fetched, applied."""
    write(school, value)
    bookbag(school.lina, "sync", codes=(0, 2))


def loaded(laptop: Laptop) -> str:
    """Our rules as the kernel has them; nothing if there are none."""
    return laptop.run(TABLE, check=False).stdout


def test_only_what_is_listed_passes_and_all_of_it_goes_again(lab: Lab, school: School) -> None:
    laptop, others = school.lina, "table ip others {\n\tchain theirs {\n\t}\n}\n"
    laptop.run(["nft", "-f", "-"], input=others)
    with listening(laptop, 8000, 8001):
        assert reaches(lab, laptop, 8000) and reaches(lab, laptop, 8001), "the control: all is open"
        assert gets_out(laptop, PORT)
        decide(school, {"incoming": [f"tcp 8000 from {SERVER}"]})
        assert reaches(lab, laptop, 8000)
        assert not reaches(lab, laptop, 8001)
        assert gets_out(laptop, PORT), "what goes out is not spoken of"
        decide(school, {"incoming": "closed", "outgoing": ["tcp 81"]})
        assert not reaches(lab, laptop, 8000)
        assert not gets_out(laptop, PORT)
        assert gets_out(laptop, PORT, user="bookbag-sync"), "the agent's own way stays open"
        bookbag(laptop, "sync", codes=(0, 2))
        laptop.run(["nft", "delete", "table", "inet", "bookbag"])
        bookbag(laptop, "apply", codes=(0, 2))
        assert not gets_out(laptop, PORT), "what somebody with root takes away comes back"
    rules = loaded(laptop)
    laptop.run(["systemctl", "disable", "--quiet", "bookbag.service"])
    laptop.reboot()
    assert loaded(laptop) == rules, "before and without the agent"
    laptop.run(["systemctl", "enable", "--quiet", "--now", "bookbag.service"])
    up(laptop)
    laptop.run(["nft", "-f", "-"], input=others)
    school.desk.withdraw("walls")
    school.desk.publish("ict-1", "head-1")
    bookbag(laptop, "sync", codes=(0, 2))
    assert loaded(laptop) == "" and not laptop.exists(RULES)
    assert laptop.run(["nft", "list", "table", "ip", "others"]).stdout == others
    laptop.run(["nft", "delete", "table", "ip", "others"])


@pytest.fixture
def relayed(school: School) -> Iterator[School]:
    """The laptop has a router, and reaches its service through somebody else's program."""
    laptop = school.lina
    laptop.run(["ip", "route", "replace", "default", "via", SERVER])
    laptop.run(["nft", "-f", "-"], input=THEIRS.format(server=SERVER, port=PORT, relay=RELAY_PORT))
    relay = laptop.start(["python3", "-c", RELAY, SERVER, str(PORT), str(RELAY_PORT)], user="games")
    try:
        bookbag(laptop, "sync", codes=(0, 2))
        yield school
    finally:
        end(relay)
        clock.set_fake_time(laptop, ENFORCE, None)
        laptop.set_cable(True)
        laptop.run(["nft", "delete", "table", "ip", "relay"], check=False)  # a restart took it away
        laptop.run(["ip", "route", "del", "default"], check=False)


def waiting(laptop: Laptop) -> int:
    """How many things wait for the service to be reached."""
    found = status(laptop)["confirm"]["waiting"]
    assert isinstance(found, int)
    return found


def code(laptop: Laptop) -> str:
    """What is said of the firewall."""
    rows = [one for one in status(laptop)["exceptions"] if one["resource"] == "firewall:bookbag"]
    return str(rows[0]["code"]) if rows else ""


def later(laptop: Laptop, seconds: float) -> None:
    """Let the enforce worker's clock be ahead by so much."""
    when = datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    clock.set_fake_time(laptop, ENFORCE, when)


@pytest.mark.soak
def test_rules_that_cut_the_laptop_off_are_taken_back_by_themselves(relayed: School) -> None:
    laptop = relayed.lina
    decide(relayed, {"incoming": "closed", "outgoing": ["tcp 81"]})
    assert "reject" in loaded(laptop)
    assert waiting(laptop) == 1
    settled(laptop, lambda laptop: status(laptop)["sync"]["good_ago_s"] > 45, 120)
    assert code(laptop) == "", "it has its five minutes"
    later(laptop, 400)
    settled(laptop, lambda laptop: code(laptop) == "cut-off", 120)
    settled(laptop, lambda laptop: status(laptop)["sync"]["good_ago_s"] < 10, 60)
    assert not gets_out(laptop, PORT), "nothing of a person's is let out by that"
    laptop.reboot()
    up(laptop)
    assert "policy accept" in loaded(laptop) and not gets_out(laptop, PORT)


@pytest.mark.soak
def test_who_pulls_the_cable_takes_back_nothing(relayed: School, tmp_path: Path) -> None:
    laptop = relayed.lina
    set_poll(laptop, 3600)
    bookbag(laptop, "sync", codes=(0, 2))
    relayed.desk.freeze_service()  # so that it cannot be confirmed before the cable is out
    try:
        write(relayed, {"incoming": "closed", "outgoing": [f"tcp {PORT}"]})
        (tmp_path / "stick").mkdir()
        relayed.desk.fleet("stick", str(tmp_path / "stick"))
        shutil.copytree(tmp_path / "stick", laptop.path(STICK))
        bookbag(laptop, "sync", "--from", STICK, codes=(0, 2))
        rules = loaded(laptop)
        assert "reject" in rules and waiting(laptop) == 1
        laptop.set_cable(False)
    finally:
        relayed.desk.thaw_service()
        set_poll(laptop, POLL)
    later(laptop, 4000)
    settled(laptop, lambda laptop: status(laptop)["sync"]["good_ago_s"] > 60, 120)
    assert (loaded(laptop), code(laptop), waiting(laptop)) == (rules, "", 1)
    laptop.set_cable(True)
    laptop.run(["ip", "route", "replace", "default", "via", SERVER])
    settled(laptop, lambda laptop: waiting(laptop) == 0, 120)
    assert (loaded(laptop), code(laptop)) == (rules, "")
