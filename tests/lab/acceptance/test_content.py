"""Learning content on a real laptop: each user does its part and no other, and a student reads what a teacher
had."""

from __future__ import annotations

import hashlib
import json
import shutil
import textwrap
from pathlib import Path

import pytest

from tests.content import real
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag, settled, status
from tests.lab.laptop import Laptop

STORE = "/var/lib/bookbag/content"
#: As the portal's user: every file of an item, hashed.
READS = textwrap.dedent("""
    import hashlib, json, sys
    from agent.content.library import Library
    library = Library(sys.argv[1])
    found = {}
    for page in library.pages(sys.argv[2]):
        digest = hashlib.sha256()
        with library.open(page) as stream:
            while data := stream.read(65536):
                digest.update(data)
        found[page.path] = digest.hexdigest()
    print(json.dumps(found))
""")
pytestmark = pytest.mark.needs("apt-get", "dpkg")


def items(laptop: Laptop) -> dict[str, str]:
    """Item → state, as `bookbag content` says."""
    told = json.loads(bookbag(laptop, "content", "--json", codes=(0, 2, 4)).stdout)
    return {row["key"]: row["state"] for row in told.get("items", [])}


def read(laptop: Laptop, key: str, user: str = "bookbag-portal") -> dict[str, str]:
    """What ``user`` reads of an item."""
    argv = ["/opt/bookbag/bin/python", "-c", READS, STORE, key]
    found: dict[str, str] = json.loads(laptop.run(argv, user=user, timeout=120).stdout)
    return found


def original(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def hasten(laptop: Laptop) -> None:
    """As IT writes it where the line is good."""
    path = "/etc/bookbag/agent.yaml"
    if "content-rate" not in laptop.read(path):
        laptop.write(path, laptop.read(path) + "content-rate: 500M\ncontent-per-day: 0\n")


@pytest.fixture
def offered(school: School) -> School:
    """The Farsi handbook for everybody, a film for year 9."""
    desk = school.desk
    book = ("--id", "handbook-fa", "--lang", "fa", "--without-links", "--licence", "CC-BY-SA-3.0")
    desk.fleet("content", "add", str(real.handbook("fa-IR")), *book)
    film = (
        "--id",
        "film",
        "--lang",
        "en",
        "--title",
        "en=Bunny",
        "--audience",
        "year=9",
        "--licence",
        "CC-BY-3.0",
    )
    desk.fleet("content", "add", str(real.film()), *film)
    desk.publish()
    return school


def test_it_comes_over_https_and_a_student_reads_what_the_teacher_had(offered: School) -> None:
    laptop = offered.lina
    hasten(laptop)
    bookbag(laptop, "sync")
    settled(laptop, lambda laptop: items(laptop) == {"ict.film": "ready", "ict.handbook-fa": "ready"}, 120)
    assert read(laptop, "ict.handbook-fa") == original(real.handbook("fa-IR"))
    film = hashlib.sha256(real.film().read_bytes()).hexdigest()
    assert read(laptop, "ict.film")["bigbuckbunny.mp4"] == film
    found = status(laptop)
    assert found["content"]["counts"] == {"ready": 2}
    assert not [error for error in found["errors"] if error["about"] == "content"]
    assert "✗" not in laptop.run(["bookbag", "doctor"], check=False).stdout


def test_each_user_may_do_its_part_and_no_other(offered: School) -> None:
    laptop = offered.lina
    pack = laptop.run(["find", f"{STORE}/packs", "-type", "f"]).stdout.splitlines()[0]
    assert laptop.run(["stat", "-c", "%U:%G %a", pack]).stdout == "bookbag-content:bookbag-portal 640\n"
    for user, path in (
        ("student", STORE),
        ("bookbag-sync", STORE),
        ("bookbag-content", "/var/lib/bookbag/keys"),
    ):
        assert laptop.run(["ls", path], user=user, check=False).returncode != 0, (user, path)
    laptop.run(["cat", pack], user="bookbag-portal")  # the control: who may, can
    spoiled = laptop.run(["sh", "-c", f": > {pack}"], user="bookbag-portal", check=False)
    assert spoiled.returncode != 0
    spool = "/var/lib/bookbag/spool"
    assert laptop.run(["ls", f"{spool}/mirror"], user="bookbag-content", check=False).returncode != 0
    laptop.run(["ls", f"{spool}/blobs"], user="bookbag-content")


def test_by_stick_where_no_network_ever_comes_and_only_what_is_meant_for_it(
    offered: School, tmp_path: Path
) -> None:
    laptop = offered.omar  # of year 3: the film is not for him
    laptop.set_cable(False)
    stick = tmp_path / "stick"
    stick.mkdir()
    offered.desk.fleet("stick", str(stick))
    laptop.write("/mnt/stick/readme.txt", "x")
    shutil.copytree(stick, laptop.path("/mnt/stick"), dirs_exist_ok=True)
    try:
        bookbag(laptop, "sync", "--from", "/mnt/stick", timeout=300)
    finally:
        shutil.rmtree(laptop.path("/mnt/stick"))
    assert items(laptop) == {"ict.handbook-fa": "ready"}
    assert read(laptop, "ict.handbook-fa") == original(real.handbook("fa-IR"))
    laptop.set_cable(True)


def test_damage_on_the_disk_is_found_told_and_mended(offered: School) -> None:
    laptop = offered.lina
    hasten(laptop)
    settled(laptop, lambda laptop: items(laptop).get("ict.film") == "ready", 120)
    packs = [Path(line) for line in laptop.run(["find", f"{STORE}/packs", "-size", "+200k"]).stdout.split()]
    victim = laptop.path(str(packs[0]))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    laptop.run(["touch", f"{STORE}/opened/damaged", f"{STORE}/opened/news"], user="bookbag-portal")
    settled(laptop, lambda _: hashlib.sha256(victim.read_bytes()).hexdigest() == victim.name, 120)
    settled(laptop, lambda laptop: set(items(laptop).values()) == {"ready"}, 120)
    assert "is damaged and is fetched again" in laptop.journal()


@pytest.mark.soak
def test_a_crash_in_the_middle_loses_nothing(offered: School) -> None:
    laptop = offered.lina
    hasten(laptop)
    bookbag(laptop, "sync", codes=(0, 2))
    settled(laptop, lambda laptop: items(laptop).get("ict.handbook-fa") == "ready", 120)
    before = read(laptop, "ict.handbook-fa")
    laptop.crash()
    laptop.boot()
    settled(laptop, lambda laptop: items(laptop).get("ict.handbook-fa") == "ready", 120)
    assert read(laptop, "ict.handbook-fa") == before


def test_what_the_school_withdraws_goes(offered: School) -> None:
    laptop = offered.lina
    offered.desk.fleet("content", "remove", "film")
    offered.desk.fleet("content", "remove", "handbook-fa")
    offered.desk.publish()
    bookbag(laptop, "sync")
    settled(laptop, lambda laptop: items(laptop) == {}, 60)
    settled(laptop, lambda laptop: not laptop.run(["find", f"{STORE}/packs", "-type", "f"]).stdout, 60)
