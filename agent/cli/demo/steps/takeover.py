"""The server is taken over, with every key on it; a person's key is stolen; a wipe is hidden in a policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.cli.demo import attack, forging
from agent.cli.demo.laptop import Laptop
from agent.cli.demo.stage import OMAR, PEOPLE, Claim, Stage, sha256
from agent.cli.demo.steps.school import HOMEPAGE, LIBRARY, MOTD

DISK = "/dev/disk"
MIRROR = "/var/lib/bookbag/spool/mirror/metadata/timestamp.json"
TOOL = "/usr/local/bin/tidy-up"
#: A wipe in sheep's clothing: a program, beside a file that everybody may set.
HIDDEN = f"""\
policy: tools
rank: school
owner: ict@north.example
review-by: "2027-08-01"
resources:
  - file: {{path: {MOTD}, content: "Be kind to this laptop.\\n", mode: "0644"}}
  - file: {{path: {TOOL}, content: "#!/bin/sh\\nrm -rf /home\\n", mode: "0755"}}
"""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the judge needs to know of a laptop that was attacked."""

    name: str
    folder: str
    disk: str
    reached: str  #: SHA-256 of the forged timestamp
    since: int

    def value(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def take_over(stage: Stage, broken: bool) -> Iterator[Claim]:
    """Twelve wipes, signed with every key that the server has."""
    disks = {name: sha256(laptop.path(DISK)) for name, laptop in stage.laptops.items()}
    began = stage.now()
    forging.wipe_all(stage.desk, list(stage.laptops), stage.now())
    stage.everywhere(Laptop.sync)
    if broken:  # one of them was wiped after all
        stage.laptops[OMAR].write(DISK, "")
    forged = sha256(f"{stage.docroot}/metadata/timestamp.json")
    seen = [_Seen(name, laptop.folder, disks[name], forged, began) for name, laptop in stage.laptops.items()]
    yield Claim(
        "“wipe them all”, tried in many ways, with every key of the server",
        "refused_orders",
        {"laptops": [one.value() for one in seen], "mirror": MIRROR, "disk_path": DISK},
    )


def steal(stage: Stage, broken: bool) -> Iterator[Claim]:
    """The same with the key of one of the school's own persons."""
    laptop = stage.laptops[OMAR]
    persons = PEOPLE[:2] if broken else PEOPLE[:1]
    keys = [attack.steal_person_key(stage.desk, one, stage.passphrase) for one in persons]
    disk = sha256(laptop.path(DISK))
    began = stage.now()
    forging.wipe_one(stage.desk, OMAR, stage.now(), keys)
    laptop.sync()
    forged = sha256(f"{stage.docroot}/metadata/timestamp.json")
    seen = _Seen(OMAR, laptop.folder, disk, forged, began)
    yield Claim(
        f"and with the stolen key of {PEOPLE[0]} as well",
        "refused_orders",
        {"laptops": [seen.value()], "mirror": MIRROR, "disk_path": DISK},
    )


def hide(stage: Stage, broken: bool) -> Iterator[Claim]:
    """That person hides a program in a policy, past the desk's own check; then the school takes its server
    back."""
    laptop = stage.lina
    key = attack.steal_person_key(stage.desk, PEOPLE[0], stage.passphrase)
    with open(f"{stage.desk}/policies/ict/secondary.yaml", "rb") as file:
        documents = {"secondary.yaml": file.read(), "tools.yaml": HIDDEN.encode()}
    attack.publish_past_the_desk(stage.desk, documents, key, stage.now())
    if broken:
        laptop.stop()
    laptop.sync()
    yield Claim(
        "a wipe hidden in a policy: refused, the rest of that policy is in force",
        "beside",
        {"present": laptop.path(MOTD), "text": "Be kind to this laptop.", "absent": laptop.path(TOOL)},
    )
    take_back(stage)
    laptop.sync()
    yield Claim(
        "the school takes its server back, with new keys: laptops follow it again",
        "back",
        {
            "path": laptop.path(MOTD),
            "text": "Welcome to Debian.\n",
            "other": laptop.path(HOMEPAGE),
            "says": LIBRARY,
        },
    )


def take_back(stage: Stage) -> None:
    """New online keys, and everything of the folder published anew: two persons sign."""
    stage.fleet("rotate", "online")
    stage.fleet("publish", "--as", PEOPLE[0], "--as", PEOPLE[1])
