"""What a laptop knows of its site after verification: plain, immutable values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from agent.core import jsontext
from agent.trust.catalogue import Catalogue
from agent.trust.keys import PublicKey, SealPublicKey
from agent.trust.paths import KINDS
from agent.trust.persons import TrustDocument


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was offered and not taken. ``subject``: a role, a document or an order."""

    subject: str
    code: str
    message: str
    kept: bool = False  #: what was accepted earlier in its place stays in force
    #: Of an order to this laptop that is refused: its id, kind and digest, for the receipt that says so.
    order: str = ""
    kind: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """One policy document and the standing it has. ``power``: from ``power/<role>/`` *and* signed by two
    persons or more."""

    name: str  #: file name within its role
    role: str
    power: bool
    ranks: tuple[str, ...]  #: what trust.json lets this role use
    persons: tuple[str, ...]  #: who signed
    sha256: str
    data: bytes = field(repr=False)
    rank: str = ""  #: from the index; "" where it does not say
    targeted: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def path(self) -> str:
        """Its place in the repository."""
        return f"{KINDS[self.power]}/{self.role}/{self.name}"


@dataclass(frozen=True, slots=True)
class SignedCatalogue:
    """The learning content that one role offers. ``persons``: who signed."""

    role: str
    persons: tuple[str, ...]
    sha256: str
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who this laptop is to its school: decided by a person's `assign` order, and by nothing else."""

    school: str
    year: str
    class_: str
    order: str  #: the order's id
    seq: int
    persons: tuple[str, ...]
    issued: int
    epoch: int = 0  #: 0: written before epochs were noted here

    @property
    def turn(self) -> tuple[int, int]:
        """Of two assignments the one with the greater turn is newer: numbers begin anew with each epoch."""
        return (self.epoch, self.seq)


@dataclass(frozen=True, slots=True)
class Order:
    """A verified order for this laptop, as it was signed. ``persons``: who signed."""

    id: str
    kind: str
    seq: int
    issued: int
    not_before: int
    expires: int
    args: Mapping[str, object]
    reason: str
    persons: tuple[str, ...]
    digest: str  #: SHA-256 of the signed payload
    grace_s: int = 0  #: seconds between its being armed and its being carried out
    epoch: int = 0  #: in which it was signed; 0: written before epochs were noted here

    @property
    def turn(self) -> tuple[int, int]:
        """Of two orders in one slot the one with the greater turn is newer: numbers begin anew with each
        epoch."""
        return (self.epoch, self.seq)


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site as of one verified refresh. ``generation``: the folder that holds exactly these bytes."""

    site: str
    epoch: int
    signed_at: int  #: newest signed time, never beyond the expiry of root or targets
    root_expires: int
    targets_expires: int
    expires: int  #: when this word is too old to bring anything new
    trust: TrustDocument
    documents: tuple[SignedDocument, ...]
    refusals: tuple[Refusal, ...]
    assignment: Assignment | None
    orders: tuple[Order, ...]
    versions: Mapping[str, int]
    #: Ids of destructive orders that another of the same number contradicts: neither is carried out.
    contested: tuple[str, ...] = ()
    log_head: tuple[int, str] = (0, "")  #: newest entry of the public log of orders: its number and hash
    recovering_since: int = 0  #: unix seconds; 0: not recovering
    time_keys: str = ""  #: whose word `signed_at` is: other keys void what these told
    generation: str = ""
    device: str = ""  #: whose mailbox was opened: orders and assignment are of this device; "": nobody's
    catalogues: tuple[SignedCatalogue, ...] = ()  #: no part of the fingerprint: content changes no policy

    def expired(self, at: int) -> bool:
        """Whether this word is too old at trusted time ``at``. What it brought stays in force all the same
        (I-5)."""
        return at >= self.expires

    @property
    def fingerprint(self) -> str:
        """64 hex: the same for the same documents, standing and assignment, however often they are signed
        anew."""
        told = {
            "site": self.site,
            "documents": [
                [one.path, one.sha256, list(one.ranks), one.rank, len(one.persons)] for one in self.documents
            ],
            "assignment": (
                [self.assignment.school, self.assignment.year, self.assignment.class_]
                if self.assignment
                else None
            ),
        }
        return hashlib.sha256(jsontext.canonical(told)).hexdigest()

    def at(self, generation: str) -> SiteView:
        """The same, kept in another folder."""
        return replace(self, generation=generation)


@dataclass(frozen=True, slots=True)
class AssignArgs:
    """The arguments of `assign`: the device's own public keys are among them, so that a person has vouched
    for them."""

    school: str
    year: str
    class_: str
    sign_key: PublicKey
    seal_key: SealPublicKey
