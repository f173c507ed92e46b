"""One verification under way: what the laptop brought, what was found so far, and how files are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from tuf.api.metadata import Metadata, Root, Targets
from tuf.ngclient import Updater

from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.trust import metadata
from agent.trust.commandlog import CommandLog
from agent.trust.fetcher import Fetcher
from agent.trust.identity import DeviceIdentity
from agent.trust.marks import Marks
from agent.trust.persons import TrustDocument
from agent.trust.view import Assignment, Order, Refusal, SignedCatalogue, SignedDocument, SiteView


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a laptop brings to a verification.

    ``generation``: the folder to write, not there yet. ``previous``: the folder of the last good
    generation, None before there was one. ``enrolled``: something was accepted before, so that a ledger
    must exist. ``identity`` None: no mailbox is opened. ``lost_since``: unix seconds since when the laptop is
    locked as lost; 0: it is not.
    """

    site: str
    bootstrap_root: bytes
    now: Now
    generation: str
    previous: str | None = None
    enrolled: bool = False
    identity: DeviceIdentity | None = None
    serial_sha256: str = ""
    lost_since: int = 0


@dataclass(slots=True)
class Round:
    """The working state that the steps of `agent.trust.device` hand on."""

    wanted: Wanted
    fetcher: Fetcher
    updater: Updater
    marks: Marks
    previous: SiteView | None
    first_root: bytes
    at: int = 0  #: trusted time, newest signed time included
    signed_at: int = 0
    roots: list[Metadata[Any]] = field(default_factory=list)
    trust: TrustDocument | None = None
    documents: list[SignedDocument] = field(default_factory=list)
    catalogues: list[SignedCatalogue] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    log: CommandLog | BookbagError = field(default_factory=CommandLog)  #: or why it does not count
    orders: list[Order] = field(default_factory=list)
    contested: tuple[str, ...] = ()
    versions: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)  #: what the generation will hold
    view: SiteView | None = None

    @property
    def root(self) -> Root:
        """The newest root."""
        return cast("Root", self.roots[-1].signed)

    @property
    def device(self) -> str:
        """Who this laptop is; "" where no mailbox is opened."""
        return self.wanted.identity.id if self.wanted.identity else ""

    @property
    def assigned(self) -> Assignment | None:
        """Whose this laptop was by the word before this one."""
        before = self.previous
        return before.assignment if before and before.device in ("", self.device) else None

    def loaded(self, role: str) -> Any:
        """The signed part of metadata that python-tuf accepted. Raises ``bad-metadata`` if it did not."""
        if role not in self.updater._trusted_set:
            raise BookbagError("bad-metadata", f"cannot use {role}: it was not accepted", place=role)
        return self.updater._trusted_set[role]

    def targets(self) -> Targets:
        """The site's top-level targets."""
        return cast("Targets", self.loaded("targets"))

    def delegated(self, role: str) -> bool:
        """Whether targets delegates to ``role``."""
        delegations = self.targets().delegations
        return delegations is not None and role in (delegations.roles or {})

    def take(self, name: str) -> None:
        """Keep a file that was read, for the generation."""
        self.files[name] = self.fetcher.taken[name]

    def trusted(self) -> TrustDocument:
        """trust.json, once read."""
        if self.trust is None:
            raise BookbagError("internal", "cannot go on: trust.json was not read")
        return self.trust

    def keys_of(self, role: str) -> str:
        """The raw keys that may sign the online ``role`` now, as one text."""
        if role in self.root.roles:
            listed = [self.root.keys[keyid] for keyid in self.root.roles[role].keyids]
        elif self.delegated(role):
            delegations = metadata.delegations(self.targets(), "targets")
            keyids = (delegations.roles or {})[role].keyids
            listed = [delegations.keys[keyid] for keyid in keyids if keyid in delegations.keys]
        else:
            listed = []
        return ",".join(sorted({metadata.raw_key(key).hex for key in listed}))


def unix(signed: Any) -> int:
    """When signed metadata expires, in unix seconds."""
    return int(signed.expires.timestamp())
