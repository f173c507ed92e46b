"""Whom a laptop's programs ask for names, by who is asked; NetworkManager is there as long as that takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import network_manager
from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag, laptop_reports
from tests.lab.guest import end
from tests.lab.image import Image
from tests.lab.lab import Lab
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER, Network

RESOLV = "/etc/resolv.conf"
#: It says whom programs ask, as it does on a laptop that a school bought.
SAYS = "[main]\ndns=default\nrc-manager=file\n"
#: Writes down which name was asked for, and by whom.
LISTENER = """
import socket, sys
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.bind((sys.argv[1], 53))
while True:
    data, (whom, _) = asked.recvfrom(600)
    print(whom, data[12:].partition(bytes(1))[0], flush=True)
"""


@contextmanager
def name_server(network: Network, log: Path) -> Iterator[Path]:
    """Somebody who is asked for names, and never answers."""
    with log.open("ab") as out:
        process = network.in_lab_ns([sys.executable, "-c", LISTENER, SERVER], stdout=out)
    try:
        yield log
    finally:
        end(process)


def ask(laptop: Laptop, name: str) -> None:
    """A program of the student's wants to know where ``name`` is."""
    laptop.run(
        ["env", "RES_OPTIONS=timeout:1 attempts:1", "getent", "hosts", name], user="student", check=False
    )


def test_programs_ask_whom_two_persons_named_and_then_the_networks_own(
    school: School, lab: Lab, debian: Image, tmp_path: Path
) -> None:
    laptop, desk = school.lina, school.desk
    was = laptop.read_bytes(RESOLV)
    with network_manager.running(laptop, debian), name_server(lab.network, tmp_path / "asked") as log:
        laptop.write("/etc/NetworkManager/conf.d/zz-names.conf", SAYS)
        laptop.run(["systemctl", "restart", network_manager.UNIT])
        before = tree.snapshot(laptop, "/etc", (RESOLV,))
        ask(laptop, "control")
        desk.policy(
            "names",
            {"network.dns": {"value": {"servers": [SERVER], "search": ["north.example"]}}},
            power=True,
        )
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync", codes=(0, 2))
        (row,) = [row for row in laptop_reports(laptop) if row["resource"] == "resolvers:everywhere"]
        assert row["outcome"] in ("in-force", "changed"), row
        ask(laptop, "lesson")
        told = log.read_text()
        assert f"{laptop.address} b'\\x06lesson\\x05north\\x07example'" in told
        assert "control" not in told, "the control: before, nobody was asked"

        laptop.run(["rm", "/etc/NetworkManager/conf.d/90-bookbag-dns.conf"])
        laptop.run(["systemctl", "reload", network_manager.UNIT])
        bookbag(laptop, "apply", codes=(0, 2))
        assert SERVER in laptop.read(RESOLV), "what somebody with root takes away comes back"

        desk.withdraw("names")
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync", codes=(0, 2))
        assert "nameserver" not in laptop.read(RESOLV)
        assert tree.differences(before, tree.snapshot(laptop, "/etc", (RESOLV,))) == []
    laptop.write(RESOLV, was)
