"""Orders on their way to laptops: checked as a laptop will, sealed to it, filed in its mailbox."""

from __future__ import annotations

from collections.abc import Callable

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet import assignment, filed
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.trust import dsse
from agent.trust.identity import mailbox_name
from agent.trust.keys import SealPublicKey
from agent.trust.mailbox import make_mailbox
from agent.trust.persons import TrustDocument
from agent.trust.sealing import seal
from agent.trust.site import signing
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.repository import SiteRepository


def file_orders(
    folder: Folder, repository: SiteRepository, trust: TrustDocument, step: Callable[[], None]
) -> tuple[list[str], list[str]]:
    """Seal each laptop's order into its mailbox where it changed. Returns (filed, lacking signatures), by
    laptop."""
    told = filed.read(folder)
    before = dict(told)
    lacking: list[str] = []
    changed: list[str] = []
    live: set[str] = set()
    for record in folder.devices():
        step()
        envelope = _live_order(folder, record, trust, lacking)
        if envelope is None or record.device is None or record.seal_key is None:
            continue
        live.add(record.name)
        wanted = filed.describe(record, envelope)
        if told.get(record.name) == wanted:
            continue
        box = seal(make_mailbox([envelope]), SealPublicKey.from_hex(record.seal_key), purpose="mail")
        repository.file_mail(mailbox_name(trust.site, record.device), box)
        _empty_former(repository, trust.site, told.get(record.name), record.device)
        told[record.name] = wanted
        changed.append(record.name)
    for name in sorted(set(told) - live - set(lacking)):
        _empty_former(repository, trust.site, told.pop(name), None)
    if told != before:
        # Only after every box lies in staged/mail: a crash before this seals some of them once more, which
        # is harmless.
        filed.write(folder, told)
    return changed, lacking


def _empty_former(
    repository: SiteRepository, site: str, last: filed.Filed | None, present: str | None
) -> None:
    """Take away the mailbox of a laptop's former life."""
    if last is not None and last.device != present:
        repository.file_mail(mailbox_name(site, last.device), None)


def _live_order(
    folder: Folder, record: DeviceRecord, trust: TrustDocument, lacking: list[str]
) -> bytes | None:
    """The newest assignment of a laptop if enough persons signed it as this site trusts them now."""
    if record.state != "assigned":
        return None
    envelope = assignment.read_order(folder, record.name)
    if envelope is None:
        return None
    kind = assignment.KIND
    try:
        signed = dsse.open_envelope(envelope, trust.entitled(kind), trust.needed(kind), dsse.ORDER_TYPE)
    except BookbagError as error:
        if error.code not in ("under-signed", "bad-signature"):
            raise BookbagError(error.code, error.message, place=f"orders/{record.name}/assign.json") from None
        lacking.append(record.name)
        return None
    payload = jsontext.parse(signed.payload, what="order")
    if not isinstance(payload, dict) or (payload.get("device"), payload.get("epoch")) != (
        record.device,
        trust.epoch,
    ):
        lacking.append(record.name)
        return None
    return envelope


def trust_in_force(folder: Folder, wanted: TrustDocument, blocked: bool) -> TrustDocument:
    """By which trust laptops will judge orders after this publication: the new one only if it is published
    with it."""
    files = RepositoryFiles(str(folder.root))
    published = files.published("targets")
    return signing.trust_of(files, published.signed) if blocked and published else wanted
