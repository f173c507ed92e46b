"""Reading every policy, power and content role of a site, each on its own.

A role that fails is refused; what it brought before stays in force (I-5), as long as its signatures still
count under today's delegation: a key that was taken away takes its documents along, a publisher who hides
or breaks a file does not.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.trust import contentroles, metadata, roles
from agent.trust.generation import read_file
from agent.trust.paths import (
    CONTENT,
    MOST_METADATA,
    MOST_TARGET,
    ROLE_KINDS,
    TARGETS,
    first_document,
    role_file,
    role_name,
)
from agent.trust.rounds import Round
from agent.trust.updater import framework_errors
from agent.trust.view import Refusal


def read_roles(this: Round) -> None:
    """Every role of each kind: a bad one is refused alone."""
    for role in sorted(this.trusted().roles):
        for kind in ROLE_KINDS:
            if this.delegated(role_name(kind, role)):
                _read_role(this, kind, role)


def _read_role(this: Round, kind: str, role: str) -> None:
    name = role_name(kind, role)
    mark = f"role.{name}"
    known = this.marks.get(mark) or (this.previous is not None and name in this.previous.versions)
    if f"{name}.json" not in this.loaded("snapshot").meta and not known:
        return  # delegated, but nothing was ever published
    try:
        draft = _fresh(this, kind, role)
        this.marks.raise_to(mark, draft.targets.version)
    except BookbagError as error:
        kept = _kept(this, kind, role)
        this.refusals.append(Refusal(name, error.code, error.message, kept=kept is not None))
        if kept is None:
            return
        draft = kept
    this.versions[name] = draft.targets.version
    this.documents += draft.documents
    if draft.catalogue is not None:
        this.catalogues.append(draft.catalogue)
    this.files.update({f"{TARGETS}/{place}": data for place, data in draft.files.items()})


def _fresh(this: Round, kind: str, role: str) -> roles.RoleDraft:
    """What the mirror has. Raises BookbagError."""
    name = role_name(kind, role)
    with framework_errors(this.fetcher):
        this.updater.get_targetinfo(f"{kind}/{role}/{first_document(kind)}")
    version = this.loaded(name).version
    place = role_file(version, name)
    draft = _draft(this, kind, role, this.fetcher.taken[place], place)
    draft.least_version = this.marks.get(f"role.{name}")
    draft.least_signed = this.marks.recovering_since
    _verify(draft, lambda path: this.fetcher.get(f"{TARGETS}/{path}"))
    this.take(place)
    return draft


def _kept(this: Round, kind: str, role: str) -> roles.RoleDraft | None:
    """What the last good generation has, judged again by today's trust; its age does not matter."""
    if this.previous is None:
        return None
    name, folder = role_name(kind, role), this.previous.generation
    version = this.previous.versions.get(name)
    if version is None:
        return None
    place = role_file(version, name)
    try:
        data = read_file(folder, place, MOST_METADATA)
        if data is None:
            return None
        draft = _draft(this, kind, role, data, place)
        _verify(draft, lambda path: read_file(folder, f"{TARGETS}/{path}", MOST_TARGET))
    except BookbagError:
        return None
    this.files[place] = data
    return draft


def _verify(draft: roles.RoleDraft, read: roles.ReadTarget) -> None:
    (contentroles if draft.kind == CONTENT else roles).verify(draft, read)


def _draft(this: Round, kind: str, role: str, data: bytes, place: str) -> roles.RoleDraft:
    delegations = metadata.delegations(this.targets(), "targets")
    delegation = (delegations.roles or {})[role_name(kind, role)]
    return roles.RoleDraft(kind, role, delegation, delegations, this.trusted(), metadata.parse(data, place))
