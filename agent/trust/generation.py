"""A generation: root's own immutable copy of exactly the bytes that one verification accepted, with what it
concluded.

``metadata/`` and ``targets/`` as in a mirror, and ``view.json``, written last: a folder without it was
never finished. Only root can write there, so reading it back checks hashes (a damaged disk), not
signatures.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from agent.core import durable, jsontext
from agent.core.errors import BookbagError
from agent.trust.catalogue import Catalogue, catalogue_path
from agent.trust.fields import Fields
from agent.trust.mirror import Mirror
from agent.trust.paths import KINDS, MOST_NUMBER, TRUST_TARGET, target_place
from agent.trust.persons import TrustDocument
from agent.trust.verified import Verified, mint
from agent.trust.view import Assignment, Order, Refusal, SignedCatalogue, SignedDocument, SiteView

VERSION = 1
VIEW = "view.json"
_MOST_TIME = 1 << 40
_MOST_VIEW = 4 << 20


def write_generation(folder: str, view: SiteView, files: Mapping[str, bytes]) -> None:
    """Make ``folder`` hold ``files`` (names as in a mirror) and ``view``, durably; ``view.json`` comes last.

    ``folder`` may exist from an attempt that was cut short; a finished one is never written again
    (``already-done``).
    """
    if os.path.exists(f"{folder}/{VIEW}"):
        raise BookbagError("already-done", "cannot write generation: it is finished", place=folder)
    durable.make_directories(folder)
    for name, data in sorted(files.items()):
        path = f"{folder}/{name}"
        durable.make_directories(os.path.dirname(path))
        durable.write(path, data, mode=0o600)
    body = jsontext.canonical(_to_json(view, _trust_sha256(files)))
    told = jsontext.canonical({"sha256": hashlib.sha256(body).hexdigest(), "view": body.decode()})
    with Mirror(folder, owner=os.geteuid()) as mirror:
        _from_bytes(told, mirror)  # what could not be read back must not become the last good one
    durable.write(f"{folder}/{VIEW}", told, mode=0o600)


def load_generation(folder: str) -> Verified[SiteView]:
    """What a finished generation says. Raises ``not-found`` (absent, unfinished) or ``state-corrupt``
    (damaged, or not this user's private folder)."""
    return mint(_read(folder).at(folder))


def read_file(folder: str, name: str, most: int) -> bytes | None:
    """One file of a generation. Raises ``state-corrupt``."""
    try:
        with Mirror(folder, owner=os.geteuid()) as mirror:
            return mirror.read(name, most)
    except BookbagError as error:
        raise _corrupt(folder, error.message) from None


def _read(folder: str) -> SiteView:
    try:
        found = os.stat(folder, follow_symlinks=False)
    except FileNotFoundError:
        raise BookbagError("not-found", "cannot load generation: it is not there", place=folder) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise _corrupt(folder, "others can write there")
    try:
        with Mirror(folder, owner=os.geteuid()) as mirror:
            data = mirror.read(VIEW, _MOST_VIEW)
            if data is None:
                raise BookbagError("not-found", "cannot load generation: it was never finished", place=folder)
            return _from_bytes(data, mirror)
    except BookbagError as error:
        if error.code in ("not-found", "format-too-new"):
            raise
        raise _corrupt(folder, error.message) from None


def _corrupt(folder: str, why: str) -> BookbagError:
    return BookbagError("state-corrupt", f"cannot load generation: {why}", place=folder)


def _from_bytes(data: bytes, mirror: Mirror) -> SiteView:
    outer = Fields(jsontext.parse(data, what=VIEW, max_bytes=_MOST_VIEW), VIEW)
    body = outer.text("view", _MOST_VIEW).encode()
    if hashlib.sha256(body).hexdigest() != outer.hex("sha256", 32).hex():
        raise BookbagError("state-corrupt", "cannot load generation: view.json is damaged")
    top = Fields(jsontext.parse(body, what=VIEW, max_bytes=_MOST_VIEW, max_nodes=100_000), VIEW)
    top.version(VERSION)
    versions = top.inside("versions")
    return SiteView(
        site=top.name("site"),
        epoch=top.integer("epoch", 1, 1 << 31),
        signed_at=top.integer("signed_at", 0, _MOST_TIME),
        root_expires=top.integer("root_expires", 0, _MOST_TIME),
        targets_expires=top.integer("targets_expires", 0, _MOST_TIME),
        expires=top.integer("expires", 0, _MOST_TIME),
        trust=TrustDocument.from_bytes(_target(mirror, TRUST_TARGET, top.hex("trust", 32).hex())),
        documents=tuple(_document(one, mirror) for one in top.objects("documents", 4096)),
        refusals=tuple(
            Refusal(
                one.text("subject", 200),
                one.text("code", 40),
                one.text("message", 2000),
                one.boolean("kept", False),
                one.text("order", 32, ""),
                one.text("kind", 32, ""),
                one.text("digest", 64, ""),
            )
            for one in top.objects("refusals", 4096)
        ),
        assignment=_assignment(top.inside("assignment")) if top.has("assignment") else None,
        orders=tuple(_order(one) for one in top.objects("orders", 64)),
        versions=MappingProxyType({name: versions.integer(name, 0, MOST_NUMBER) for name in versions}),
        contested=top.texts("contested", 64, 32),
        log_head=(top.integer("log_n", 0, 1 << 31, 0), top.text("log_hash", 64, "")),
        recovering_since=top.integer("recovering_since", 0, _MOST_TIME),
        time_keys=top.text("time_keys", 1024, ""),
        device=top.text("device", 32, ""),
        catalogues=tuple(_catalogue(one, mirror) for one in top.objects("catalogues", 64)),
    )


def _target(mirror: Mirror, path: str, sha256: str) -> bytes:
    data = mirror.read(target_place(path, sha256))
    if data is None or hashlib.sha256(data).hexdigest() != sha256:
        raise BookbagError("state-corrupt", f"cannot load generation: {path} is damaged")
    return data


def _document(one: Fields, mirror: Mirror) -> SignedDocument:
    targeted = one.inside("targeted")
    name, role, power, sha256 = (
        one.text("name", 64),
        one.name("role"),
        one.boolean("power", False),
        one.hex("sha256", 32),
    )
    path = f"{KINDS[power]}/{role}/{name}"
    return SignedDocument(
        name=name,
        role=role,
        power=power,
        ranks=one.names("ranks", 16),
        persons=one.names("persons", 64),
        sha256=sha256.hex(),
        data=_target(mirror, path, sha256.hex()),
        rank=one.text("rank", 16),
        targeted=MappingProxyType({key: targeted.texts(key, 64, 64) for key in targeted}),
    )


def _catalogue(one: Fields, mirror: Mirror) -> SignedCatalogue:
    role, sha256 = one.name("role"), one.hex("sha256", 32).hex()
    data = _target(mirror, catalogue_path(role), sha256)
    return SignedCatalogue(role, one.names("persons", 64), sha256, Catalogue.from_bytes(data))


def _assignment(one: Fields) -> Assignment:
    return Assignment(
        school=one.name("school"),
        year=one.text("year", 32),
        class_=one.text("class", 32),
        order=one.id("order"),
        seq=one.integer("seq", 1, 1 << 62),
        persons=one.names("persons", 64),
        issued=one.integer("issued", 0, _MOST_TIME),
        epoch=one.integer("epoch", 0, MOST_NUMBER, 0),
    )


def _order(one: Fields) -> Order:
    return Order(
        id=one.id("id"),
        kind=one.name("kind"),
        seq=one.integer("seq", 1, 1 << 62),
        issued=one.integer("issued", 0, _MOST_TIME),
        not_before=one.integer("not_before", 0, _MOST_TIME),
        expires=one.integer("expires", 0, _MOST_TIME),
        args=MappingProxyType(_plain(one)),
        reason=one.text("reason", 1000),
        persons=one.names("persons", 64),
        digest=one.hex("digest", 32).hex(),
        grace_s=one.integer("grace_s", 0, _MOST_TIME, 0),
        epoch=one.integer("epoch", 0, MOST_NUMBER, 0),
    )


def _plain(one: Fields) -> dict[str, object]:
    value = jsontext.parse(one.text("args", 64 << 10).encode(), what="args")
    return value if isinstance(value, dict) else {}


def _each(orders: Iterable[Order]) -> list[dict[str, object]]:
    return [
        {
            "id": one.id,
            "kind": one.kind,
            "seq": one.seq,
            "issued": one.issued,
            "not_before": one.not_before,
            "expires": one.expires,
            "args": jsontext.canonical(one.args).decode(),
            "reason": one.reason,
            "persons": list(one.persons),
            "digest": one.digest,
            "grace_s": one.grace_s,
            "epoch": one.epoch,
        }
        for one in orders
    ]


def _trust_sha256(files: Mapping[str, bytes]) -> str:
    """The hash of trust.json as it was signed: a newer desk may write what `TrustDocument` does not keep."""
    for name, data in files.items():
        sha256 = hashlib.sha256(data).hexdigest()
        if name == target_place(TRUST_TARGET, sha256):
            return sha256
    raise BookbagError("internal", "cannot write generation: it has no trust.json")


def _to_json(view: SiteView, trust_sha256: str) -> dict[str, object]:
    held = view.assignment
    return {
        "v": VERSION,
        "site": view.site,
        "epoch": view.epoch,
        "signed_at": view.signed_at,
        "root_expires": view.root_expires,
        "targets_expires": view.targets_expires,
        "expires": view.expires,
        "trust": trust_sha256,
        "documents": [
            {
                "name": one.name,
                "role": one.role,
                "power": one.power,
                "ranks": list(one.ranks),
                "persons": list(one.persons),
                "sha256": one.sha256,
                "rank": one.rank,
                "targeted": {key: list(values) for key, values in one.targeted.items()},
            }
            for one in view.documents
        ],
        "refusals": [
            {
                "subject": one.subject[:200],
                "code": one.code,
                "message": one.message[:2000],
                "kept": one.kept,
                "order": one.order,
                "kind": one.kind,
                "digest": one.digest,
            }
            for one in view.refusals
        ],
        "assignment": {
            "school": held.school,
            "year": held.year,
            "class": held.class_,
            "order": held.order,
            "seq": held.seq,
            "persons": list(held.persons),
            "issued": held.issued,
            "epoch": held.epoch,
        }
        if held
        else None,
        "orders": _each(view.orders),
        "versions": dict(view.versions),
        "contested": list(view.contested),
        "log_n": view.log_head[0],
        "log_hash": view.log_head[1],
        "recovering_since": view.recovering_since,
        "time_keys": view.time_keys,
        "device": view.device,
        "catalogues": [
            {"role": one.role, "persons": list(one.persons), "sha256": one.sha256} for one in view.catalogues
        ],
    }
