"""One content role: its signed catalogue, verified on its own, so that a bad one costs only itself.

The checks on its metadata are those of every role (`agent.trust.roles`); what differs is what it may name,
which is one file, and what that file must be.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.trust.catalogue import Catalogue, catalogue_path
from agent.trust.paths import MOST_TARGET
from agent.trust.roles import (
    ReadTarget,
    RoleDraft,
    Step,
    check_persons,
    check_recovering,
    check_site,
    check_type,
    check_version,
    content_of,
    take_files,
)
from agent.trust.view import SignedCatalogue


def check_only_catalogue(draft: RoleDraft) -> None:
    """It lists its catalogue and nothing else: an editor's key signs no other file."""
    path = catalogue_path(draft.role)
    if set(draft.targets.targets) != {path}:
        named = next((one for one in draft.targets.targets if one != path), "nothing")
        raise BookbagError(
            "bad-path",
            f"cannot accept {draft.name}: it names {named[:80]!r} and may only name {path}",
            place=path,
        )
    info = draft.targets.targets[path]
    if info.length > MOST_TARGET or "sha256" not in info.hashes:
        raise BookbagError(
            "too-large", f"cannot accept {draft.name}: {path} is too large or not hashed", place=path
        )


def read_catalogue(draft: RoleDraft) -> None:
    """Its catalogue, strictly."""
    path = catalogue_path(draft.role)
    catalogue = Catalogue.from_bytes(content_of(draft, path))
    digest = draft.targets.targets[path].hashes["sha256"]
    draft.catalogue = SignedCatalogue(draft.role, draft.persons, digest, catalogue)


def check_catalogue(draft: RoleDraft) -> None:
    """It is of this site and role: one that was signed elsewhere under the same key says nothing here."""
    if draft.catalogue is None:
        return
    told = draft.catalogue.catalogue
    if (told.site, told.role) != (draft.trust.site, draft.role):
        raise BookbagError(
            "wrong-site",
            f"cannot accept {draft.name}: its catalogue is of another site or role",
            place=catalogue_path(draft.role),
        )


#: Checked in this order, every one of them, before the catalogue is read.
STEPS: tuple[Step, ...] = (
    check_type,
    check_site,
    check_persons,
    check_version,
    check_recovering,
    check_only_catalogue,
)
#: After it was.
CONTENT_STEPS: tuple[Step, ...] = (read_catalogue, check_catalogue)


def verify(draft: RoleDraft, read: ReadTarget) -> None:
    """Take a role's catalogue, or raise BookbagError and take nothing of it."""
    for step in STEPS:
        step(draft)
    take_files(draft, read)
    for step in CONTENT_STEPS:
        step(draft)
