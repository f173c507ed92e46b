"""Whoever reads the host, every byte of it, learns no laptop's name, serial, group or order (I-6)."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from pathlib import Path

from agent.trust.identity import mailbox_name
from agent.trust.mailbox import open_mailbox
from tests.fleet.desk import PASSPHRASE, Desk, Laptop, deliver, make_desk

NAME, SERIAL, SCHOOL, YEAR, CLASS = "lap-canary", "SN-CANARY-77", "canary-school", "canary-9", "canary-9b"
REASON = "canary: her father took it"


def forms(secret: str) -> Iterator[bytes]:
    """How a text may lie in a file: plain, in hex, in base64 at any offset."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).rstrip(b"=")
        yield text[4 if offset else 0 : -1]


def finds(folder: Path, secret: str) -> list[str]:
    """The files that hold it, or are named for it."""
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        data = path.read_bytes()
        if any(form.lower() in data.lower() for form in forms(secret)) or secret.lower() in path.name.lower():
            found.append(path.relative_to(folder).as_posix())
    return found


def assigned(desk: Desk, folder: Path) -> Laptop:
    """A laptop with a telling name, serial, groups and reason."""
    file = Path(desk.run("device", NAME, "--serial", SERIAL).value["file"])
    laptop = Laptop(folder, serial=SERIAL)
    deliver(desk, *laptop.enrol(desk, file))
    groups = (f"school={SCHOOL}", f"year={YEAR}", f"class={CLASS}")
    desk.run("assign", NAME, *groups, "--reason", REASON, "--as", "ict-1")
    return laptop


def test_nothing_of_a_laptop_is_readable_on_the_host(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "desk")
    desk.publish()
    laptop = assigned(desk, tmp_path / "lap")
    desk.publish("ict-1")
    published = desk.root / "published"
    sign, seal = laptop.identity.public
    secrets = [NAME, SERIAL, SCHOOL, YEAR, CLASS, REASON, laptop.identity.id, sign.hex, seal.hex, PASSPHRASE]
    assert not {secret: found for secret in secrets if (found := finds(published, secret))}
    assert not finds(published, '"kind":"assign"')
    assert not finds(desk.root / "returns", SERIAL)

    # Positive controls: the search finds them where they may be, and the mailbox does carry them.
    assert finds(desk.root, NAME) and finds(desk.root / "orders", REASON)
    view = laptop.verify(published, desk.now)
    assert view.assignment is not None and view.assignment.class_ == CLASS
    name = mailbox_name("north", laptop.identity.id)
    (mailbox,) = published.rglob(f"*.{name}")
    (envelope,) = open_mailbox(mailbox.read_bytes(), laptop.identity)
    assert any(form in envelope for form in forms(REASON))


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"b64-{number}").write_bytes(base64.b64encode(b"x" * number + b"a lap-canary here"))
    (tmp_path / "hex").write_bytes(NAME.encode().hex().encode())
    (tmp_path / "zip").write_bytes(zlib.compress(NAME.encode() * 3))  # nothing published is compressed
    assert finds(tmp_path, NAME) == ["b64-0", "b64-1", "b64-2", "hex"]


def test_persons_are_ids_and_keys_only(tmp_path: Path) -> None:
    """trust.json has to say whose signature counts; it says `ict-1`, and a school should leave it at that."""
    desk = make_desk(tmp_path / "desk")
    desk.publish()
    (trust,) = (desk.root / "published" / "targets").glob("*.trust.json")
    assert finds(desk.root / "published", "head-1")
    assert b'"kinds":{}' in trust.read_bytes(), "no verb is named either"


def test_mailboxes_look_alike(tmp_path: Path) -> None:
    """One size, whoever it is about and however much is said."""
    desk = make_desk(tmp_path / "desk")
    desk.publish()
    assigned(desk, tmp_path / "lap")
    file = Path(desk.run("device", "b").value["file"])
    other = Laptop(tmp_path / "b", serial="1")
    deliver(desk, *other.enrol(desk, file))
    desk.run("assign", "b", "school=s", "--as", "ict-1")
    desk.publish("ict-1")
    mail = list((desk.root / "published" / "targets" / "mail").iterdir())
    assert len(mail) == 2
    assert len({path.stat().st_size for path in mail}) == 1
