"""The formats of trust, byte for byte: golden files are written again from fixed keys, and read back by the
code.

`python -m tests.trust.test_formats` writes them anew: do so only for a change of format that
docs/formats.md tells of.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust import asks, choices, drafts, dsse, mailbox, orders, receipts
from agent.trust.catalogue import Catalogue
from agent.trust.commandlog import CommandLog, read_log
from agent.trust.enrolment import EnrolFile, Token, make_request, open_request, return_name
from agent.trust.generation import load_generation
from agent.trust.identity import DeviceIdentity, serial_hash
from agent.trust.index import read_index, write_index
from agent.trust.keys import SealKey, SigningKey
from agent.trust.persons import KindRule, TrustDocument
from agent.trust.sealing import ORDER_BLOCK, seal, unseal
from agent.trust.site.online import Online
from agent.trust.site.repository import SiteRepository
from agent.trust.teachers import Teacher
from tests.trust.offers import offer
from tests.trust.school import START, Human, Laptop, School

GOLDEN = Path(__file__).parent.parent / "cases" / "formats" / "trust"
#: Written by a version that knew nothing of learning content; never written anew.
BEFORE = GOLDEN.parent / "trust-before-content"
TOKEN = Token("00112233445566778899aabbccddeeff", bytes(range(16)))


def seed(name: str) -> bytes:
    return hashlib.sha256(b"golden " + name.encode()).digest()


def signing(name: str) -> SigningKey:
    return SigningKey.from_raw(seed(name))


def human(name: str) -> Human:
    return Human(name, signing(name), signing(f"{name} second"), SealKey.from_raw(seed(f"{name} seal")))


@dataclass
class Run:
    """Whose fixed keys the golden school is run with."""

    people: dict[str, Human]
    online: Online
    returns: SealKey


KEYS = Run(
    people={name: human(name) for name in ("ada", "bo", "cy")},
    online=Online(signing("timestamp"), signing("snapshot"), signing("mail")),
    returns=SealKey.from_raw(seed("returns")),
)
DEVICE = DeviceIdentity(signing("device"), SealKey.from_raw(seed("device seal")), seed("unlock"))

RECEIPT = receipts.Receipt(
    "north", DEVICE.id, 3, "11" * 32, "a" * 32, "22" * 32, "lock", "done", True, START, "good", "b-1"
)  # fmt: skip
TOLD = receipts.return_name("north", DEVICE.id, 3)
ASKED = asks.Request(
    "b" * 32, "north", DEVICE.id, drafts.SITE, "", "casino.example", "للرياضيات", START
)  # fmt: skip
ASK = asks.return_name("north", DEVICE.id, ASKED.id)
CHOICE = choices.Choice("1000", "tuxpaint", wanted=True)
DRAFT = drafts.Draft(ASKED.id, "1000", ASKED.kind, ASKED.about, ASKED.address, ASKED.words)


def school_in(folder: Path) -> School:
    made = School(folder, like=KEYS)
    made.policy(home="policy: home\n")
    made.power("ada", "bo", service="policy: service\n")
    made.content(offer("fractions", "Fractions", pin=True, audience={"year": ("9",)}), offer("rivers"))
    made.publish()
    return made


def assign(persons: tuple[str, ...] = ("ada",)) -> bytes:
    payload = {
        "v": 1,
        "kind": "assign",
        "id": "a" * 32,
        "site": "north",
        "device": DEVICE.id,
        "serial_sha256": serial_hash("north", "SN-1"),
        "epoch": 1,
        "seq": 1,
        "issued": START,
        "not_before": START,
        "expires": START + 86400,
        "reason": "new laptop",
        "args": {
            "school": "north-high",
            "year": "9",
            "class": "9b",
            "sign_key": DEVICE.public[0].hex,
            "seal_key": DEVICE.public[1].hex,
        },
    }
    keys = [KEYS.people[name].key for name in persons]
    return dsse.sign(jsontext.canonical(payload), dsse.ORDER_TYPE, keys)


LEE = Teacher("lee", (signing("lee").public,), "north-high", ("9b", "9c"), START, START + 300 * 86400)


def log() -> CommandLog:
    """Two orders that were given on one day."""
    first = CommandLog().extended("11" * 32, "hold", START)
    return first.extended("22" * 32, "erase", START)


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every format whose bytes follow from its content, written now."""
    school = school_in(folder)
    for path in sorted(school.mirror.rglob("*")):
        if path.is_file():
            yield f"published/{path.relative_to(school.mirror)}", path.read_bytes()
    trust = school.trust(wipe=KindRule(3, ("ada", "bo", "cy")))
    yield "trust.json", trust.to_bytes()
    yield "trust-teachers.json", replace(trust, teachers=(LEE,)).to_bytes()
    yield "repository.json", (folder / "repository.json").read_bytes()
    yield "order.dsse.json", assign(("ada", "bo"))
    yield "ask.dsse.json", asks.sign(ASKED, DEVICE)
    yield "ask-draft.json", drafts.draft_bytes(DRAFT)
    yield CHOICE.file, choices.choice_bytes(CHOICE)
    yield "mailbox.json", mailbox.make_mailbox([assign()])
    yield from log().segments("north").items()
    yield "identity.json", DEVICE.to_bytes()
    root = (school.mirror / "metadata" / "1.root.json").read_bytes()
    yield "enrol.json", EnrolFile("north", ("https://bookbag.north.example/",), "", root, TOKEN).to_bytes()


def sealed(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Formats with fresh randomness in them: golden files are read, never compared."""
    yield "mailbox.sealed", seal(mailbox.make_mailbox([assign()]), DEVICE.seal_key.public)
    yield "order.sealed", mailbox.seal_order(assign(), DEVICE.seal_key.public)
    trust = school_in(folder).trust()
    yield return_name(TOKEN.id) + ".sealed", make_request(DEVICE, TOKEN, trust, serial_hash("north", "SN-1"))
    envelope = receipts.sign(RECEIPT, DEVICE)
    yield f"{TOLD}.returned", receipts.make_return(envelope, TOLD, DEVICE, trust.returns_key)
    request = asks.sign(ASKED, DEVICE)
    yield f"{ASK}.returned", receipts.make_return(request, ASK, DEVICE, trust.returns_key)


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def test_written_now_as_written_then(tmp_path: Path) -> None:
    for name, data in written(tmp_path / "desk"):
        assert golden(name) == data, name


def test_the_log_of_then_is_read_now() -> None:
    assert read_log([golden("log-0.json")], "north") == log()


def test_the_sealed_order_of_then_is_opened_now() -> None:
    key = DEVICE.seal_key
    box = seal(mailbox.make_mailbox([golden("order.sealed")]), key.public)
    (inside,) = mailbox.open_mailbox(box, DEVICE)
    assert unseal(inside, key, purpose=mailbox.SEALED_ORDER, block=ORDER_BLOCK) == assign()


def test_nothing_golden_is_left_over(tmp_path: Path) -> None:
    names = {name for name, _ in written(tmp_path / "desk")} | {
        name for name, _ in sealed(tmp_path / "again")
    }
    found = {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*") if path.is_file()}
    assert found == names | {str(path) for path in generation_files()}


def generation_files() -> list[Path]:
    return [path.relative_to(GOLDEN) for path in (GOLDEN / "generation").rglob("*") if path.is_file()]


def test_the_repository_of_then_is_accepted_now(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    shutil.copytree(GOLDEN / "published", mirror)
    laptop = Laptop(tmp_path / "laptop", SimpleNamespace(site="north", mirror=mirror))
    view = laptop.verify(mirror)
    assert [(one.path, one.persons) for one in view.documents] == [
        ("policy/ict/home.yaml", ("ada",)),
        ("power/ict/service.yaml", ("ada", "bo")),
    ]
    assert view.refusals == ()
    (media,) = view.catalogues
    assert (media.role, media.persons) == ("media", ("cy",))
    assert [item.id for item in media.catalogue.items] == ["fractions", "rivers"]


def test_the_generation_of_then_is_read_now(tmp_path: Path) -> None:
    folder = tmp_path / "gen"
    shutil.copytree(GOLDEN / "generation", folder)
    folder.chmod(0o700)
    view = load_generation(str(folder)).value
    assert [one.path for one in view.documents] == ["policy/ict/home.yaml", "power/ict/service.yaml"]
    assert view.assignment is not None
    assert view.assignment.school == "north-high"
    assert [view.assignment.epoch, *(one.epoch for one in view.orders)] == [1, 1]
    assert [one.role for one in view.catalogues] == ["media"]


def test_what_was_written_before_there_was_content_is_read_now(tmp_path: Path) -> None:
    folder = tmp_path / "gen"
    shutil.copytree(BEFORE / "generation", folder)
    folder.chmod(0o700)
    view = load_generation(str(folder)).value
    assert view.catalogues == ()
    assert view.assignment is not None and view.assignment.epoch == 0, "nobody noted it then"
    assert not any(role.content for role in view.trust.roles.values())
    old = (BEFORE / "trust.json").read_bytes()
    assert TrustDocument.from_bytes(old).to_bytes() == old, "nobody has to sign trust anew"


def test_the_desks_folder_of_then_opens_now(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "published", tmp_path / "published")
    shutil.copy(GOLDEN / "repository.json", tmp_path)
    repository = SiteRepository.open(str(tmp_path))
    assert repository.trust().site == "north"
    assert repository.documents("ict", power=True) == {"service.yaml": b"policy: service\n"}
    repository.refresh(KEYS.online, at=START + 3600)


def test_small_formats_read_back() -> None:
    trust = TrustDocument.from_bytes(golden("trust.json"))
    assert trust.to_bytes() == golden("trust.json")
    assert trust.needed("wipe") == 3
    employed = TrustDocument.from_bytes(golden("trust-teachers.json"))
    assert (employed.teachers, trust.teachers) == ((LEE,), ())
    persons = dsse.open_envelope(golden("order.dsse.json"), trust.persons, 2, dsse.ORDER_TYPE).persons
    assert persons == ("ada", "bo")
    assert orders.parse_order(golden("order.dsse.json")).order.reason == "new laptop"
    assert DeviceIdentity.from_bytes(golden("identity.json")).id == DEVICE.id
    file = EnrolFile.from_bytes(golden("enrol.json"))
    assert file.to_bytes() == golden("enrol.json")
    assert file.token == TOKEN
    (index,) = (GOLDEN / "published" / "targets" / "power" / "ict").glob("*.index.json")
    entries = read_index(index.read_bytes(), "north", "power", "ict")
    assert write_index(entries, "north", "power", "ict") == index.read_bytes()
    (catalogue,) = (GOLDEN / "published" / "targets" / "content" / "media").glob("*.catalogue.json")
    told = Catalogue.from_bytes(catalogue.read_bytes())
    assert told.to_bytes() == catalogue.read_bytes()
    assert (told.items[0].audience, told.items[0].pin) == ({"year": ("9",)}, True)


def test_sealed_formats_open() -> None:
    plain = unseal(golden("mailbox.sealed"), DEVICE.seal_key)
    assert plain == golden("mailbox.json")
    assert mailbox.open_mailbox(golden("mailbox.sealed"), DEVICE) == (assign(),)
    name = return_name(TOKEN.id)
    request = open_request(golden(f"{name}.sealed"), name, KEYS.returns, {TOKEN.id: TOKEN.secret}.get)
    assert (request.device, request.serial_sha256) == (DEVICE.id, serial_hash("north", "SN-1"))
    opened = {
        person: unseal(box, KEYS.people[person].seal, purpose="escrow") for person, box in request.escrow
    }
    assert set(opened.values()) == {DEVICE.unlock_key}


def test_a_return_of_then_is_believed_now() -> None:
    key = DEVICE.sign_key.public
    data = golden(f"{TOLD}.returned")
    assert data[:4] == b"BBR1" and len(data) == 68 + 4096
    assert receipts.verify(receipts.open_return(data, TOLD, key, KEYS.returns), key) == RECEIPT


def test_a_choice_of_then_is_read_now() -> None:
    assert choices.parse_choice(golden(CHOICE.file), CHOICE.file) == CHOICE


def test_a_request_of_then_is_read_now() -> None:
    key = DEVICE.sign_key.public
    assert drafts.parse_draft(golden("ask-draft.json"), ASKED.id) == DRAFT
    assert asks.verify(golden("ask.dsse.json"), key) == ASKED
    opened = receipts.open_return(golden(f"{ASK}.returned"), ASK, key, KEYS.returns)
    assert opened == golden("ask.dsse.json")


@pytest.mark.parametrize("name", ["trust.json", "identity.json", "enrol.json", "repository.json"])
def test_a_newer_major_is_refused_and_an_unknown_field_is_not(tmp_path: Path, name: str) -> None:
    def read(data: bytes) -> object:
        if name == "trust.json":
            return TrustDocument.from_bytes(data)
        if name == "identity.json":
            return DeviceIdentity.from_bytes(data)
        if name == "enrol.json":
            return EnrolFile.from_bytes(data)
        (tmp_path / "repository.json").write_bytes(data)
        return SiteRepository.open(str(tmp_path))

    value: dict[str, Any] = json.loads(golden(name))
    assert read(json.dumps({**value, "of_tomorrow": [1]}).encode())
    with pytest.raises(BookbagError) as error:
        read(json.dumps({**value, "v": 2}).encode())
    assert error.value.code == "format-too-new"


def write_all() -> None:
    """Write every golden file anew."""
    shutil.rmtree(GOLDEN, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in [*written(Path(folder) / "a"), *sealed(Path(folder) / "b")]:
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_bytes(data)
        school = school_in(Path(folder) / "c")
        laptop = Laptop(Path(folder) / "laptop", school)
        laptop.identity = DEVICE
        school.mail(laptop, assign())
        school.publish()
        shutil.copytree(laptop.verify(school.mirror).generation, GOLDEN / "generation")


if __name__ == "__main__":
    write_all()
    sys.stdout.write(f"written: {GOLDEN}\n")
