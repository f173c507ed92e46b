"""Before a person signs: what is staged must be exactly what this folder says, rebuilt from it and compared
field by field.

Staged metadata travels through git and other people's machines. Without this, an edited
``staged/metadata/root.json`` could
slip another key into a routine approval.
"""

from __future__ import annotations

from typing import Any, cast

from tuf.api.metadata import Metadata, Root, Signed, Targets

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet.wanted import Wanted
from agent.trust import metadata
from agent.trust.catalogue import Catalogue
from agent.trust.paths import CONTENT
from agent.trust.site import staging
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.repository import SiteRepository

_CLOCK_SLACK = DAY


def require_honest(folder: str, repository: SiteRepository, role: str, wanted: Wanted, now: int) -> None:
    """Raises ``plan-outdated`` if the staged ``role`` is not what ``wanted`` asks for."""
    files = RepositoryFiles(folder)
    staged = files.staged(role)
    if staged is None:
        return
    place = f"staged/metadata/{role}.json"
    rebuilt = _rebuild(files, repository, role, staged.signed, wanted)
    if _comparable(rebuilt) != _comparable(staged.signed):
        raise BookbagError(
            "plan-outdated",
            f"cannot sign {role}: what is staged is not what this folder says",
            place=place,
            remedy="look at `git log` of both; then stage it anew with bookbag-fleet publish",
        )
    before = files.root() if role == "root" else files.published(role)
    version = before.signed.version + 1 if before else 1
    expires = int(staged.signed.expires.timestamp())
    if staged.signed.version != version or expires > now + _life(repository, role) + _CLOCK_SLACK:
        raise BookbagError(
            "plan-outdated",
            f"cannot sign {role}: its version or expiry is not what comes next",
            place=place,
            remedy="stage it anew with bookbag-fleet publish",
        )


def _life(repository: SiteRepository, role: str) -> int:
    lives = repository.lives
    return {"root": lives.root, "targets": lives.targets}.get(role, lives.role)


def _rebuild(
    files: RepositoryFiles, repository: SiteRepository, role: str, staged: Signed, wanted: Wanted
) -> Signed:
    """The same metadata made from the folder, with the staged version and times."""
    at = int(staged.unrecognized_fields.get("signed_at", 0))
    life = _life(repository, role)
    if role == "root":
        published = files.published("targets")
        told = metadata.root_fields(cast("Root", staged))
        return _signed(
            staging.make_root(
                repository.site,
                wanted.holders,
                wanted.online,
                repository.profile,
                version=staged.version,
                epoch=wanted.trust.epoch,
                least_targets=published.signed.version if published else 1,
                upstream=told.upstream,
                at=at,
                life=life,
            )
        )
    if role == "targets":
        bits = int(staged.unrecognized_fields.get("mail_bits", 0))
        return _signed(
            staging.make_targets(
                wanted.trust, wanted.online.mail, bits, version=staged.version, at=at, life=life
            )
        )
    kind, _, name = role.partition("-")
    if kind == CONTENT:
        data = wanted.catalogues.get(name) or Catalogue(repository.site, name).to_bytes()
        listed, _ = staging.make_catalogue(
            repository.site, name, data, version=staged.version, at=at, life=life
        )
        return _signed(listed)
    documents = wanted.documents.get((name, kind == "power"), {})
    made, _ = staging.make_role(
        repository.site, kind, name, documents, version=staged.version, at=at, life=life
    )
    return _signed(made)


def _signed(made: Metadata[Any]) -> Signed:
    signed: Signed = made.signed
    return signed


def _comparable(signed: Signed) -> dict[str, object]:
    told = dict(cast("Targets", signed).to_dict())
    if signed.type == Root.type:
        told.pop(
            "minimum_targets", None
        )  # may have been overtaken by a publication; a laptop only takes it upwards
    for key in ("expires", "version", "signed_at"):
        told.pop(key, None)
    return told
