"""Packages by policy, as the student starts them: what is wanted comes from a signed source as soon as that
is reached, what is not goes, what is held stays at its version; and withdrawn, all is as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import LEFT_OUT, School
from tests.lab.acceptance.school import bookbag, laptop_reports
from tests.lab.lab import Lab
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER, Network
from tests.lab.repository import SUITE, Repository

PORT, VENDOR_PORT = 8091, 8092
UNITS = "bookbag-packages*.service"
OURS = ("lab-typing", "lab-words", "lab-game", "lab-writer", "lab-vendor")
#: As a person at the laptop has it, who waits for others to end.
APT = ("apt-get", "-qy", "-o", "DPkg::Lock::Timeout=60")
#: What the unit that installs remembers, its patience too.
NOTES = "/var/lib/bookbag/packages/work.json"


@contextmanager
def sources(folder: Path) -> Iterator[tuple[Repository, Repository]]:
    """What the distribution has, and what a vendor has."""
    made = [Repository(folder / name, folder / f"{name}-keys", name) for name in ("Debian", "Vendor")]
    for one in made:
        one.begin()
    try:
        yield made[0], made[1]
    finally:
        for one in made:
            one.end()


def teach(laptop: Laptop, name: str, repository: Repository, port: int) -> None:
    """A source of the laptop's own, as its maker set it up."""
    key = f"/etc/apt/keyrings/{name}.asc"
    laptop.write(key, repository.key())
    laptop.write(
        f"/etc/apt/sources.list.d/{name}.sources", repository.source(f"http://{SERVER}:{port}/", key)
    )


def answers(laptop: Laptop, port: int) -> bool:
    return laptop.run(["bash", "-c", f"exec 3<>/dev/tcp/{SERVER}/{port}"], check=False).returncode == 0


def served(network: Network, laptop: Laptop, distribution: Repository, vendor: Repository) -> None:
    """From now on both answer."""
    for repository, port in ((distribution, PORT), (vendor, VENDOR_PORT)):
        network.serve_folder(repository.folder, port)
        laptop.wait_until(partial(answers, laptop, port), 30, "the source")


def says(laptop: Laptop, program: str) -> str:
    """What the student gets who starts it; "": there is none."""
    done = laptop.run(
        ["sh", "-c", f"command -v {program} >/dev/null && {program}"], user="student", check=False
    )
    return done.stdout.strip()


def outcome(laptop: Laptop, resource: str) -> str:
    rows = {row["resource"]: row["outcome"] for row in laptop_reports(laptop)}
    return str(rows.get(resource, ""))


def stands(laptop: Laptop, name: str) -> str:
    return outcome(laptop, f"package:{name}")


def message(laptop: Laptop, name: str) -> str:
    rows = {row["resource"]: row.get("message", "") for row in laptop_reports(laptop)}
    return str(rows.get(f"package:{name}", ""))


def gave_up(laptop: Laptop) -> bool:
    asked = ["systemctl", "is-active", "bookbag-packages-lists.service"]
    return laptop.run(asked, check=False).stdout.strip() == "failed"


def ended(laptop: Laptop) -> bool:
    """Nobody installs or removes anything."""
    asked = ["systemctl", "is-active", "bookbag-packages.service", "bookbag-packages-fetch.service"]
    return set(laptop.run(asked, check=False).stdout.split()) == {"inactive"}


def known(laptop: Laptop) -> list[str]:
    """What dpkg and apt know of ours, configuration that was left behind too."""
    listed = laptop.run(["dpkg-query", "-W", "-f=${Package} ${Version} ${db:Status-Abbrev}\n"]).stdout
    marked = laptop.run(["apt-mark", "showmanual", *OURS], check=False).stdout
    return [*(line for line in listed.splitlines() if line.startswith("lab-")), *sorted(marked.split())]


@contextmanager
def cleaned(laptop: Laptop) -> Iterator[None]:
    """Afterwards nothing of this test is on the laptop."""
    try:
        yield
    finally:
        laptop.run(["apt-mark", "unhold", *OURS], check=False)
        for _ in range(2):  # what is given back, and that it is: what is purged now would come again
            laptop.run(["bookbag", "apply"], check=False)
            laptop.wait_until(lambda: ended(laptop), 60, "the end", unit=UNITS)
        laptop.run(["dpkg", "--purge", *OURS])  # apt would refuse all for one that it never heard of
        for name in ("lab", "vendor"):
            laptop.run(
                ["rm", "-f", f"/etc/apt/sources.list.d/{name}.sources", f"/etc/apt/keyrings/{name}.asc"]
            )


def test_a_program_comes_another_goes_and_both_are_as_before(
    school: School, lab: Lab, tmp_path: Path
) -> None:
    laptop, desk, network = school.lina, school.desk, lab.network
    with sources(tmp_path) as (distribution, vendor), network.forgetful(), cleaned(laptop):
        distribution.add("lab-game", "1.0")
        distribution.add("lab-typing", "1.0", postinst="read -r x && exit 1; true")
        distribution.publish()
        teach(laptop, "lab", distribution, PORT)
        served(network, laptop, distribution, vendor)
        laptop.run(["apt-get", "-q", "update", "--error-on=any"])
        laptop.run([*APT, "install", "lab-game"])
        before = known(laptop)
        assert (says(laptop, "lab-typing"), says(laptop, "lab-game")) == ("", "lab-game 1.0")

        wanted = {"present": ["lab-typing"], "absent": ["lab-game"]}
        desk.policy("packages", {"software.packages": {"value": wanted}})
        desk.publish()
        bookbag(laptop, "sync")
        laptop.wait_until(lambda: stands(laptop, "lab-typing") == "in-force", 60, "the program", unit=UNITS)
        assert (says(laptop, "lab-typing"), says(laptop, "lab-game")) == ("lab-typing 1.0", "")
        laptop.wait_until(lambda: ended(laptop), 60, "the end", unit=UNITS)

        desk.withdraw("packages")
        desk.publish()
        bookbag(laptop, "sync")
        laptop.wait_until(lambda: says(laptop, "lab-game"), 60, "the game", unit=UNITS)
        laptop.wait_until(lambda: ended(laptop), 60, "the end", unit=UNITS)
        assert known(laptop) == before


def source_of(key: str) -> list[dict[str, object]]:
    """What is served as the vendor's, as a policy names it."""
    place = {"uris": [f"http://{SERVER}:{VENDOR_PORT}/"], "suites": [SUITE], "components": ["main"]}
    return [{"name": "lab-vendor", **place, "key": key}]


@pytest.mark.soak  # beside the one before, which is shorter
def test_a_vendors_program_comes_by_the_key_that_two_persons_signed(
    school: School, lab: Lab, tmp_path: Path
) -> None:
    laptop, desk, network = school.lina, school.desk, lab.network
    with sources(tmp_path) as (distribution, vendor), network.forgetful(), cleaned(laptop):
        vendor.add("lab-vendor", "1.0")
        distribution.add("lab-typing", "1.0")
        for repository in (distribution, vendor):
            repository.publish()
        teach(laptop, "lab", distribution, PORT)
        served(network, laptop, distribution, vendor)
        etc, before = tree.snapshot(laptop, "/etc", LEFT_OUT), known(laptop)

        def wish(key: str) -> None:
            listed = {"foreign": ["lab-vendor"], "present": ["lab-typing"]}
            settings = {"software.packages": {"value": listed}, "software.sources": source_of(key)}
            desk.policy("vendor", settings, power=True)
            desk.publish("ict-1", "head-1")
            bookbag(laptop, "sync", codes=(0, 2))

        laptop.run(["apt-get", "-q", "update", "--error-on=any"])
        unknown = laptop.run(["apt-get", "-s", "install", "lab-vendor"], check=False).stderr
        assert "Unable to locate" in unknown, "the control: without the source nothing has it"
        laptop.run(["rm", "-rf", "/var/lib/apt/lists"])

        wish(distribution.key())
        laptop.wait_until(lambda: says(laptop, "lab-typing"), 60, "what the good source has", unit=UNITS)
        assert gave_up(laptop), "the vendor's could not be believed"
        laptop.wait_until(lambda: "does not fit" in message(laptop, "lab-vendor"), 60, "why", unit=UNITS)
        assert (stands(laptop, "lab-vendor"), says(laptop, "lab-vendor")) == ("not-yet", "")
        assert f"http://{SERVER}:{VENDOR_PORT}/" in message(laptop, "lab-vendor")
        assert outcome(laptop, "apt-source:lab-vendor") == "in-force", "apt looks for it"

        wish(vendor.key())
        laptop.wait_until(lambda: says(laptop, "lab-vendor"), 60, "the vendor's", unit=UNITS)
        laptop.wait_until(lambda: stands(laptop, "lab-vendor") == "in-force", 30, "the end", unit=UNITS)

        desk.withdraw("vendor")
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync")
        both = ("lab-vendor", "lab-typing")
        laptop.wait_until(lambda: not any(says(laptop, one) for one in both), 60, "the end", unit=UNITS)
        laptop.wait_until(lambda: ended(laptop), 60, "the end", unit=UNITS)
        assert known(laptop) == before
        assert tree.differences(etc, tree.snapshot(laptop, "/etc", LEFT_OUT)) == []


@pytest.mark.soak
def test_the_student_has_the_programs_that_the_school_lists_and_no_other(
    school: School, lab: Lab, tmp_path: Path
) -> None:
    laptop, desk, network = school.lina, school.desk, lab.network
    with sources(tmp_path) as (distribution, vendor):
        for name in ("lab-game", "lab-writer", "lab-words"):
            distribution.add(name, "1.0")
        distribution.add("lab-typing", "1.0", depends="lab-words", postinst="read -r x && exit 1; true")
        vendor.add("lab-vendor", "1.0")
        for repository in (distribution, vendor):
            repository.publish()
        teach(laptop, "lab", distribution, PORT)
        teach(laptop, "vendor", vendor, VENDOR_PORT)
        with network.forgetful():
            served(network, laptop, distribution, vendor)
            laptop.run(["apt-get", "-q", "update", "--error-on=any"])
            laptop.run(["apt-get", "-qy", "install", "lab-game", "lab-writer"])
        laptop.run(["rm", "-rf", "/var/lib/apt/lists"])
        with cleaned(laptop):
            etc, before = tree.snapshot(laptop, "/etc", LEFT_OUT), known(laptop)
            assert (says(laptop, "lab-typing"), says(laptop, "lab-game")) == ("", "lab-game 1.0")

            wanted = {"present": ["lab-typing", "lab-vendor"], "absent": ["lab-game"]}
            desk.policy("packages", {"software.packages": {"value": wanted}})
            desk.policy("held", {"software.packages": {"value": {"held": ["lab-writer"]}}}, power=True)
            desk.publish("ict-1", "head-1")
            bookbag(laptop, "sync")
            # No source answers: it waits, and nothing is wrong.
            assert stands(laptop, "lab-typing") == "not-yet"
            laptop.wait_until(lambda: not says(laptop, "lab-game"), 30, "the game's end", unit=UNITS)
            laptop.wait_until(lambda: stands(laptop, "lab-writer") == "in-force", 30, "the hold", unit=UNITS)
            assert stands(laptop, "lab-typing") == "not-yet" and not says(laptop, "lab-typing")

            laptop.wait_until(lambda: gave_up(laptop), 60, "the end of the search", unit=UNITS)

            distribution.add("lab-writer", "2.0")
            distribution.publish()
            with network.forgetful():
                served(network, laptop, distribution, vendor)
                laptop.run(["rm", "-f", NOTES])  # or it would be tried again in five minutes
                bookbag(laptop, "apply", codes=(0, 2, 4, 6))
                laptop.wait_until(
                    lambda: stands(laptop, "lab-typing") == "in-force", 60, "the program", unit=UNITS
                )
                assert says(laptop, "lab-typing") == "lab-typing 1.0"
                laptop.run([*APT, "upgrade"])
                assert says(laptop, "lab-writer") == "lab-writer 1.0", "held, with a newer one in the source"

                # A vendor's takes two persons, however it is listed.
                laptop.wait_until(
                    lambda: stands(laptop, "lab-vendor") == "failed", 30, "the refusal", unit=UNITS
                )
                (row,) = [row for row in laptop_reports(laptop) if row["resource"] == "package:lab-vendor"]
                assert "comes from Vendor" in row["message"]
                assert not says(laptop, "lab-vendor")
                desk.policy(
                    "packages", {"software.packages": {"value": {**wanted, "present": ["lab-typing"]}}}
                )
                both = {"held": ["lab-writer"], "foreign": ["lab-vendor"]}
                desk.policy("held", {"software.packages": {"value": both}}, power=True)
                desk.publish("ict-1", "head-1")
                bookbag(laptop, "sync")
                laptop.wait_until(lambda: says(laptop, "lab-vendor"), 60, "the vendor's", unit=UNITS)

                # Whoever takes it away has it again.
                laptop.run([*APT, "remove", "lab-typing"])
                assert not says(laptop, "lab-typing")
                laptop.wait_until(lambda: says(laptop, "lab-typing"), 60, "it again", unit=UNITS)
                laptop.wait_until(
                    lambda: stands(laptop, "lab-typing") == "in-force", 30, "the end", unit=UNITS
                )

                desk.withdraw("packages", "held")
                desk.publish("ict-1", "head-1")
                bookbag(laptop, "sync")
                laptop.wait_until(lambda: says(laptop, "lab-game"), 60, "the game", unit=UNITS)
                laptop.wait_until(lambda: ended(laptop), 60, "the end", unit=UNITS)
                assert known(laptop) == before
                assert says(laptop, "lab-game") == "lab-game 1.0"
                left = tree.differences(etc, tree.snapshot(laptop, "/etc", LEFT_OUT))
                assert left == []
                bookbag(laptop, "apply")
                laptop.run([*APT, "upgrade"])
                assert says(laptop, "lab-writer") == "lab-writer 2.0", "the control: nothing holds it"
