"""Enrol files: a one-time token for each laptop, its secret kept sealed to the site's returns key.

What is written, in this order: the tokens (and the end of those that they replace), the laptops' records, the
enrol files. So an enrol file that exists works, whenever the desk's machine died.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet.enrolments import is_waiting
from agent.fleet.folder import Folder, replace
from agent.fleet.laptoplist import Row
from agent.fleet.records import DeviceRecord, SiteRecord, TokenRecord
from agent.trust.enrolment import EnrolFile, make_token
from agent.trust.identity import serial_hash
from agent.trust.keys import SealPublicKey
from agent.trust.sealing import seal

TOKEN_DAYS = 30
AT_ONCE = 100  #: laptops whose files are written together
#: What a row of a list came to: an enrol file was made; the one made before can still be used; the laptop
#: came back, is assigned, or is retired, and needs none.
Came = Literal["made", "kept", "pending", "assigned", "retired"]
_MOST_FILE = 512 << 10


@dataclass(frozen=True, slots=True)
class Kit:
    """What every enrol file of a site carries, read once. ``root``: the newest published root metadata."""

    site: SiteRecord
    ca: str
    root: bytes


@dataclass(frozen=True, slots=True)
class Invitation:
    """A fresh token for one laptop. ``former``: the token that it replaces, silent from now on."""

    record: DeviceRecord
    token: TokenRecord
    enrol: EnrolFile
    out: Path  #: where the enrol file goes
    former: str | None


def read_kit(folder: Folder) -> Kit:
    """Raises ``not-found`` before the first publication."""
    metadata = folder.published / "metadata"
    versions = sorted(int(name.split(".")[0]) for name in folder.names(metadata, ".root.json"))
    if not versions:
        raise BookbagError(
            "not-found",
            "cannot make an enrol file: the site was not published yet",
            remedy="bookbag-fleet publish --as PERSON --as SECOND",
        )
    ca = folder.read(folder.root / "ca.pem")
    root = folder.read(metadata / f"{versions[-1]}.root.json", most=_MOST_FILE)
    return Kit(folder.site(), ca.decode("ascii"), root)


def place(folder: Folder, name: str) -> Path:
    """Where the enrol file of a laptop lies unless somebody says otherwise."""
    return folder.root / "enrol" / f"enrol-{name}.json"


def invite(
    kit: Kit, name: str, known: DeviceRecord | None, *, serial: str, days: int, out: Path, now: int
) -> Invitation:
    """A fresh token for laptop ``name``, ``known`` if there is one of that name already; nothing is written.

    ``serial`` may be empty when it is not known beforehand. Raises ``bad-argument`` for what is no name.
    """
    check_name(name, "the name of a laptop")
    token = make_token()
    box = seal(token.secret, SealPublicKey.from_hex(kit.site.returns_key), purpose="token")
    record = known or DeviceRecord(name=name, state="invited", token=token.id)
    kept = TokenRecord(
        id=token.id,
        device=name,
        secret=base64.b64encode(box).decode("ascii"),
        created=now,
        expires=now + days * DAY,
        serial_sha256=serial_hash(kit.site.site, serial) if serial else None,
    )
    url = kit.site.telemetry_url or ""
    enrol = EnrolFile(kit.site.site, kit.site.urls, kit.ca, kit.root, token, url)
    return Invitation(replace(record, token=token.id), kept, enrol, out, known.token if known else None)


def keep(folder: Folder, made: Sequence[Invitation]) -> None:
    """Write them. Safe to repeat with other tokens after a crash."""
    spent = [one.former for one in made if one.former and folder.has_token(one.former)]
    over = [replace(folder.token(one), used=True) for one in spent]
    folder.write_many([folder.token_file(one) for one in (*over, *(one.token for one in made))])
    folder.write_many([folder.device_file(one.record) for one in made])
    folder.write_many([(one.out, one.enrol.to_bytes()) for one in made], mode=0o600)


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of one row. ``out``: its enrol file, if it has one. ``again``: a former one works no
    longer."""

    row: Row
    came: Came
    out: Path | None = None
    token: str = ""
    again: bool = False


def hand_out(
    folder: Folder, rows: Sequence[Row], to: Path, *, days: int, now: int, step: Callable[[int], None]
) -> Iterator[Handed]:
    """An enrol file below ``to`` for each laptop of a list that needs one, told once it is on the disk.

    The same list can be given again, after a crash or with more rows. ``step`` hears how many more rows are
    done.
    """
    kit = read_kit(folder)
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        made: list[Invitation] = []
        handed: list[Handed] = []
        for row in part:
            out, known = to / f"enrol-{row.name}.json", folder.known_device(row.name)
            came = _needs_none(folder, row, known, out, days, now)
            if came is None:
                made.append(invite(kit, row.name, known, serial=row.serial, days=days, out=out, now=now))
                handed.append(Handed(row, "made", out, made[-1].token.id, known is not None))
            else:
                token = known.token if known else ""
                handed.append(Handed(row, came, out if came == "kept" else None, token))
        keep(folder, made)
        step(len(part))
        yield from handed


def _needs_none(
    folder: Folder, row: Row, known: DeviceRecord | None, out: Path, days: int, now: int
) -> Came | None:
    if known is None:
        return None
    if is_waiting(folder, known):
        return "pending"
    if known.state != "invited":
        return known.state
    return "kept" if _still_good(folder, known, row.serial, out, days, now) else None


def _still_good(folder: Folder, known: DeviceRecord, serial: str, out: Path, days: int, now: int) -> bool:
    """Whether the enrol file at ``out`` can still be used for this laptop: made with its present token, for
    this ``serial``, with half of ``days`` before it."""
    try:
        token = folder.token(known.token)
        enrol = EnrolFile.from_bytes(folder.read(out, most=_MOST_FILE))
    except BookbagError:
        return False
    wanted = serial_hash(enrol.site, serial) if serial else token.serial_sha256
    return (
        enrol.token.id == token.id
        and not token.used
        and token.serial_sha256 == wanted
        and token.expires - now >= days * DAY // 2
    )
