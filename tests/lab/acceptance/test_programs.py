"""Programs that policy closes, as people start them: a student cannot, an administrator can, also of the next
version and of what is installed later; and withdrawn, each is as its package had it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import programs
from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import LEFT_OUT, School
from tests.lab.acceptance.school import bookbag, laptop_reports
from tests.lab.laptop import Laptop

GAME, OLD, LATE = "/usr/games/lab-solitaire", "/usr/bin/lab-old-place", "/usr/games/lab-late"
NAMES = ("lab-solitaire", "lab-late")
CHAGE = "/usr/bin/chage"
SAW = "/run/lab-saw"
#: What the student gets in the middle of an upgrade, before anybody could put anything right.
LOOKS = f"runuser -u student -- {GAME} >{SAW} 2>&1 || true"


def bring(laptop: Laptop, folder: Path, version: str, *files: str, name: str = NAMES[0]) -> None:
    """Install a package with these programs, the last of which runs as root."""
    root = folder / "package"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Lab <lab@lab.example>\n"
        "Description: for tests\n"
    )
    (root / "DEBIAN/postinst").write_text(f"#!/bin/sh\n{LOOKS}\n")
    (root / "DEBIAN/postinst").chmod(0o755)
    for path in files:
        program = root / path.removeprefix("/")
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o4755 if path == files[-1] else 0o755)
    deb = folder / f"{name}.deb"
    programs.run(["dpkg-deb", "--root-owner-group", "--build", str(root), str(deb)])
    shutil.rmtree(root)
    laptop.write(f"/root/{name}.deb", deb.read_bytes())
    laptop.run(["dpkg", "--install", f"/root/{name}.deb"])


def says(laptop: Laptop, path: str, user: str = "student") -> str:
    """What comes of starting it."""
    done = laptop.run(["sh", "-c", path], user=user, check=False)
    denied = "Permission denied" in done.stderr and done.returncode != 0
    return "denied" if denied else (done.stdout + done.stderr).strip()


def known(laptop: Laptop) -> tuple[str, str]:
    """What dpkg is told, and how the files are."""
    told = laptop.run(["dpkg-statoverride", "--list"], check=False).stdout
    stat = laptop.run(["stat", "-c", "%n %U:%G %a", GAME, OLD], check=False).stdout
    return "".join(sorted(told.splitlines(keepends=True))), stat


@contextmanager
def cleaned(laptop: Laptop) -> Iterator[None]:
    """Afterwards nothing of this test is on the laptop."""
    try:
        yield
    finally:
        laptop.run(["dpkg", "--purge", *NAMES], check=False)
        laptop.run(["gpasswd", "--delete", "teacher", "sudo"], check=False)
        laptop.run(["rm", "-f", SAW, *(f"/root/{name}.deb" for name in NAMES)])


def test_only_administrators_start_it_whatever_becomes_of_its_package(school: School, tmp_path: Path) -> None:
    laptop, desk = school.lina, school.desk
    with cleaned(laptop):
        laptop.run(["usermod", "--append", "--groups", "sudo", "teacher"])
        # A package of old knows /usr/bin as /bin.
        bring(laptop, tmp_path, "1.0", OLD.removeprefix("/usr"), GAME)
        before, files = known(laptop), tree.snapshot(laptop, "/etc", LEFT_OUT)
        assert GAME + " root:root 4755" in before[1]
        assert [says(laptop, one) for one in (GAME, OLD)] == ["1.0", "1.0"], "the control"

        desk.policy("closed", {"software.blocked-programs": [GAME, OLD, LATE, CHAGE]})
        desk.publish("ict-1")
        bookbag(laptop, "sync")
        bookbag(laptop, "apply")
        stands = {row["resource"]: row for row in laptop_reports(laptop)}
        closed = [stands[f"blocked-program:{one}"]["outcome"] for one in (GAME, OLD, LATE)]
        assert closed == ["in-force"] * 3
        refused = stands[f"blocked-program:{CHAGE}"]
        assert refused["outcome"] == "not-supported" and "the package passwd" in refused["message"]
        assert "denied" not in says(laptop, f"{CHAGE} --list student")
        assert [says(laptop, one) for one in (GAME, OLD)] == ["denied", "denied"]
        assert [says(laptop, one, "teacher") for one in (GAME, OLD)] == ["1.0", "1.0"]
        assert says(laptop, f"sh {GAME}") != "1.0", "it cannot be read either"

        bring(laptop, tmp_path, "2.0", OLD.removeprefix("/usr"), GAME)
        assert "Permission denied" in laptop.read(SAW), "by dpkg, and not only put right later"
        assert [says(laptop, one) for one in (GAME, OLD)] == ["denied", "denied"]
        assert [says(laptop, one, "teacher") for one in (GAME, OLD)] == ["2.0", "2.0"]

        bring(laptop, tmp_path, "1.0", LATE, name=NAMES[1])
        laptop.wait_until(lambda: says(laptop, LATE) == "denied", 60, "a program that came later")
        laptop.run(["chmod", "0755", GAME])
        laptop.wait_until(lambda: says(laptop, GAME) == "denied", 60, "a program that was opened")
        laptop.run(["dpkg", "--purge", NAMES[1]])

        desk.withdraw("closed")
        desk.publish("ict-1")
        bookbag(laptop, "sync")
        assert known(laptop) == before
        assert [says(laptop, one) for one in (GAME, OLD)] == ["2.0", "2.0"]
        assert tree.differences(files, tree.snapshot(laptop, "/etc", LEFT_OUT)) == []
