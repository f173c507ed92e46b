"""The copy of a decided wipe on /boot, where whoever has the disk in hand can write."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from agent.commands.book import Book
from agent.commands.case import DECIDED, Case, Step
from agent.commands.staging import Signed
from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.store.statefile import StateFile
from agent.trust.identity import DeviceIdentity
from tests.commands.laptop import CommandLaptop

DECIDED_WIPE = Case(
    id="0f" * 16, kind="wipe", seq=2, digest="ab" * 32, persons=("ada", "bo"), issued=1, not_before=1,
    expires=1 << 39, grace_s=14400, args={}, reason="", step=Step.COMMITTED, since=1,
)  # fmt: skip


def put(laptop: CommandLaptop, case: Case, identity: DeviceIdentity | None = None) -> None:
    laptop.parts().staged.put(case, identity or laptop.trust.identity)


def read(laptop: CommandLaptop) -> Case | None:
    return laptop.parts().staged.read(laptop.trust.identity)


def boot_file(laptop: CommandLaptop) -> StateFile[Signed]:
    return StateFile(str(laptop.state / "boot" / "wipe.json"), Signed, "wipe")


def alter(laptop: CommandLaptop, **changes: object) -> None:
    """Somebody writes into the case that lies there, and makes the checksum of the file match."""
    file = boot_file(laptop)
    found = file.read()
    assert found is not None
    value = json.loads(found.copy)
    value["case"] |= changes
    file.write(replace(found, copy=jsontext.canonical(value).decode()))


@pytest.mark.parametrize("step", sorted(DECIDED))
def test_a_decided_wipe_that_this_laptop_wrote_is_read(laptop: CommandLaptop, step: Step) -> None:
    case = replace(DECIDED_WIPE, step=step)
    put(laptop, case)
    assert read(laptop) == case


def test_what_somebody_else_wrote_is_no_order(laptop: CommandLaptop) -> None:
    """Written into, or made up whole: an unlock, say, with which the laptop would open without a code."""
    put(laptop, DECIDED_WIPE)
    alter(laptop, kind="unlock", step="received")
    assert read(laptop) is None
    put(laptop, DECIDED_WIPE)
    alter(laptop, reason="another")
    assert read(laptop) is None
    put(laptop, DECIDED_WIPE)
    found = boot_file(laptop).read()
    assert found is not None
    for mac in ("", "\u00e9", found.mac[:-1], found.mac[::-1]):
        boot_file(laptop).write(replace(found, mac=mac))
        assert read(laptop) is None
    put(laptop, DECIDED_WIPE, DeviceIdentity.generate())
    assert read(laptop) is None


def test_no_other_order_and_no_undecided_one_comes_from_there(laptop: CommandLaptop) -> None:
    """Not even with the laptop's own word for it."""
    for case in (
        replace(DECIDED_WIPE, kind="unlock"),
        replace(DECIDED_WIPE, kind="made-up"),
        *(replace(DECIDED_WIPE, step=step) for step in Step if step not in DECIDED),
    ):
        put(laptop, case)
        assert read(laptop) is None, case


def test_an_unlock_on_boot_opens_nothing(laptop: CommandLaptop) -> None:
    laptop.obey(laptop.order("lock"))
    put(laptop, DECIDED_WIPE)
    alter(laptop, kind="unlock", step="received")
    laptop.hear()
    assert laptop.log_in() != ""
    assert laptop.told() == [("lock", "done", "")]


def test_what_nobody_can_read_there_holds_up_no_order(laptop: CommandLaptop) -> None:
    put(laptop, DECIDED_WIPE)
    path = laptop.state / "boot" / "wipe.json"
    record = json.loads(path.read_text()) | {"v": 99}
    record["sha256"] = hashlib.sha256(
        jsontext.canonical({key: record[key] for key in ("data", "kind", "v")})
    ).hexdigest()
    path.write_text(json.dumps(record))
    with pytest.raises(BookbagError) as caught:
        read(laptop)
    assert caught.value.code == "format-too-new"
    laptop.obey(laptop.order("lock"))
    assert laptop.log_in() != ""


def test_an_order_of_an_unknown_kind_in_the_book_is_refused_and_holds_up_no_other(
    laptop: CommandLaptop,
) -> None:
    """A newer version took it down, and this one was put in its place."""
    unknown = (
        replace(DECIDED_WIPE, id=f"{number:032x}", kind="made-up", step=step)
        for number, step in enumerate((Step.RECEIVED, Step.COMMITTED))
    )
    laptop.parts().book.write(Book(cases=tuple(unknown), device=laptop.trust.identity.id))
    laptop.obey(laptop.order("lock"))
    assert laptop.log_in() != ""
    refused = ("made-up", "refused", "not-supported")
    assert laptop.told() == [refused, refused, ("lock", "done", "")]
    assert laptop.book().cases == ()
