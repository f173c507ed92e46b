"""A laptop of the lab, enrolled with a desk whose service runs, with the policies a school starts from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.rows import NotMeasured
from tests.lab import agent_layer, image, programs
from tests.lab.acceptance import school
from tests.lab.acceptance.desk import Desk
from tests.lab.errors import LabError
from tests.lab.lab import PROJECT, Lab
from tests.lab.laptop import Laptop

POLL = 900  #: seconds, what a laptop of a school has
DRIFT = "/usr/local/share/bookbag/bench"
DRIFT_FILES = 50
RIGHT = "right\n"


@dataclass(frozen=True, slots=True)
class LabSchool:
    """The laptop, at rest: policies in force, polling every 15 minutes."""

    desk: Desk
    laptop: Laptop


@contextmanager
def open_school(folder: Path) -> Iterator[LabSchool]:
    """Boot, install, enrol, assign, enforce. Raises `NotMeasured` where no laptop can be booted."""
    if reason := programs.missing():
        raise NotMeasured(reason.replace("the lab needs", "needs"))
    try:
        disk = agent_layer.install_agent(image.base_image(), PROJECT)
    except LabError as problem:
        raise NotMeasured(f"no laptop can be made: {problem}") from problem
    with Lab() as lab:
        (folder / "desk").mkdir()
        desk = Desk(folder / "desk" / "north", lab.network)
        write_policies(desk)
        desk.publish("ict-1", "head-1")
        desk.open_service()
        laptop = lab.laptop(disk, "bench")
        try:
            laptop.boot()
            school.install(laptop)
            school.enrol(desk, laptop)
            school.wait_for_request(desk, laptop)
            school.assign(desk, laptop, school="north", year="9", class_="9b")
            desk.publish()
            laptop.wait_until(
                lambda: laptop.read(f"{DRIFT}/00") == RIGHT, 60, "the policies", unit=school.AGENT
            )
            laptop.wait_until(lambda: _settled(laptop), 60, "its groups", unit=school.AGENT)
            school.set_poll(laptop, POLL)
            yield LabSchool(desk, laptop)
        finally:
            desk.close_service()
            laptop.discard()


def _settled(laptop: Laptop) -> bool:
    status = school.status(laptop)
    return bool(status["enrolment"] == "assigned" and status["groups"].get("year") == "9")


def write_policies(desk: Desk) -> None:
    """The templates that ship, for everyone and for year 9, and files to be tampered with."""
    for name in ("baseline", "secondary"):
        desk.write(f"policies/ict/{name}.yaml", (PROJECT / f"policies/{name}.yaml").read_text("utf-8"))
    files = ({"file": {"path": f"{DRIFT}/{number:02}", "content": RIGHT}} for number in range(DRIFT_FILES))
    desk.policy("drift", resources=tuple(files))
