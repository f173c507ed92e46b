"""A printer by policy, as paper comes out of it: what the student prints arrives at a listener on the
school's network, also what was printed while it was off; and withdrawn, CUPS has what it had.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag, laptop_reports
from tests.lab.guest import end
from tests.lab.lab import Lab
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER, Network

PLACE, KEPT = "/etc/cups", "/root/cups-before"
UNITS = ("cups.socket", "cups.path", "cups.service")
#: cupsd's own memory, which it writes anew as a whole, with the time of the last job.
ITS_OWN = re.compile(r"/etc/cups/(printers|classes|subscriptions)\.conf(\.O)?")
#: Writes down what is printed on it, one line a job.
PRINTER = """
import socket, sys
port = socket.create_server((sys.argv[1], 9100))
while True:
    job, _ = port.accept()
    with job:
        print(b"".join(iter(lambda: job.recv(65536), b"")), flush=True)
"""


@contextmanager
def switched_on(network: Network, log: Path) -> Iterator[None]:
    """A printer that takes what comes."""
    with log.open("ab") as out:
        process = network.in_lab_ns([sys.executable, "-c", PRINTER, SERVER], stdout=out)
    try:
        yield
    finally:
        end(process)


@contextmanager
def spooler(laptop: Laptop) -> Iterator[None]:
    """CUPS runs, with a printer that its owner set up; afterwards nothing is left of it, nor of what it does
    to its own folders when it starts for the first time.
    """
    before = tree.snapshot(laptop, PLACE)
    laptop.run(["cp", "-a", PLACE, KEPT])
    laptop.run(["systemctl", "start", *UNITS[:2]])
    laptop.run(["lpadmin", "-p", "home", "-v", "socket://127.0.0.1:9", "-m", "raw", "-E"])
    laptop.run(["lpadmin", "-d", "home"])
    try:
        yield
    finally:
        laptop.run(["systemctl", "stop", *UNITS])
        laptop.run(["rm", "-r", PLACE])
        laptop.run(["mv", KEPT, PLACE])
        assert tree.differences(before, tree.snapshot(laptop, PLACE)) == []


def written(laptop: Laptop) -> tuple[dict[str, str], str]:
    """What lies in CUPS's place, without its own memory; and what that says of printers, but the times."""
    laptop.run(["systemctl", "restart", "cups.service"])  # it writes when it stops
    there = tree.snapshot(laptop, PLACE)
    printers = "\n".join(re.findall(r"^<.*?^</.*?>$", laptop.read(f"{PLACE}/printers.conf"), re.M | re.S))
    return {path: line for path, line in there.items() if not ITS_OWN.fullmatch(path)}, printers


def student(laptop: Laptop, *argv: str, input: str = "") -> str:
    """What a program says to the student, whatever it ends with."""
    done = laptop.run(list(argv), user="student", input=input, check=False)
    return (done.stdout + done.stderr).strip()


def test_the_students_paper_comes_out_of_the_schools_printer(
    school: School, lab: Lab, tmp_path: Path
) -> None:
    laptop, desk, paper = school.lina, school.desk, tmp_path / "paper"
    paper.touch()
    with spooler(laptop):
        before, queues = written(laptop)
        assert "does not exist" in student(laptop, "lp", "-d", "library", input="Control\n")
        assert student(laptop, "lpstat", "-d") == "system default destination: home"

        library = {"name": "library", "address": f"socket://{SERVER}:9100", "speaks": "pdf"}
        about = {"description": "Teacher's library", "place": "مكتبة", "default": True}
        desk.policy("printers", {"devices.printers": [{**library, **about}]}, power=True)
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync")
        stands = {row["resource"]: row for row in laptop_reports(laptop) if "printer" in row["resource"]}
        assert {row["outcome"] for row in stands.values()} == {"in-force"}, stands
        assert stands.keys() == {"printer:library", "default-printer:queue"}
        assert student(laptop, "lpstat", "-d") == "system default destination: library"
        assert "Teacher's library" in student(laptop, "lpoptions", "-p", "library")

        # It is off: nothing failed, and what is printed waits.
        assert "request id is library-" in student(laptop, "lp", "-t", "Homework", input="Homework\n")
        assert "library-" in student(laptop, "lpstat", "-o")
        assert paper.read_text() == ""
        with switched_on(lab.network, paper):
            laptop.wait_until(lambda: "Homework" in paper.read_text(), 60, "paper", unit="cups.service")
            assert "%PDF-" in paper.read_text()

            laptop.run(["lpadmin", "-x", "library"])
            laptop.wait_until(
                lambda: "library" in student(laptop, "lpstat", "-v"),
                30,
                "the printer",
                unit="bookbag.service",
            )
            laptop.wait_until(lambda: student(laptop, "lpstat", "-d").endswith(" library"), 30, "the default")
            student(laptop, "lp", "-t", "Essay", input="Essay\n")
            laptop.wait_until(lambda: "Essay" in paper.read_text(), 60, "paper", unit="cups.service")

        desk.withdraw("printers")
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync")
        assert student(laptop, "lpstat", "-v") == "device for home: socket://127.0.0.1:9"
        assert student(laptop, "lpstat", "-d") == "system default destination: home"
        assert "does not exist" in student(laptop, "lp", "-d", "library", input="Control\n")
        after, left = written(laptop)
        assert tree.differences(before, after) == []
        assert left == queues
