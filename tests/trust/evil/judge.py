"""Says whether a laptop was led astray, from the register of who signed what and its own memory: never by
asking the code under test whether a signature holds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from tuf.api.metadata import Metadata, Root, Targets

from agent.trust.persons import TrustDocument
from agent.trust.view import Order, SiteView
from tests.trust.evil.desk import Register, digest_of
from tests.trust.evil.laptop import Laptop, Outcome

NEEDED = {"assign": 1, "message": 1, "cancel": 1, "lock": 1, "unlock": 1, "readmit": 2, "wipe": 2}
#: Kinds that share numbers with others. Of those in QUEUES several are obeyed side by side.
SLOTS = {"lock": "hold", "unlock": "hold", "wipe": "erase"}
QUEUES = ("message", "cancel")


@dataclass
class Judge:
    """Watches one laptop. Every `refreshed` raises AssertionError for what must never be."""

    laptop: Laptop
    register: Register
    last: SiteView | None = None
    versions: dict[str, int] = field(default_factory=dict)  #: highest accepted, while the laptop can remember
    online: str = ""  #: which online keys those versions belong to
    taken: dict[str, str] = field(default_factory=dict)  #: role → hash of the metadata in force
    obeyed: dict[str, list[tuple[str, int]]] = field(
        default_factory=dict
    )  #: slot → (order id, seq), in order
    lost_at: int = 0  #: when the ledger was lost; 0: it was not, or the laptop was readmitted
    never_before: int = 0  #: orders issued before that may have been obeyed and forgotten

    def refreshed(self, outcome: Outcome) -> None:
        """One refresh ended."""
        if outcome.view is None:
            assert self.laptop.view() == self.last, "a refusal or a death changed what holds"
            return
        view = outcome.view
        # Told time may be void when two persons replaced the keys that told it; what certainly
        # passed has passed.
        surely = (
            outcome.now.floor
            if view.time_keys != (self.last.time_keys if self.last else "")
            else outcome.now.at
        )
        told = self._told(view)
        at = max(surely, told)
        self._genuine_top(view, at)
        self._no_rollback(view)
        self._documents(view, at)
        self._orders(view, at, max(outcome.now.at, told))
        self.last = view
        assert self.laptop.view() == view, "what holds on disk is not what was accepted"
        if not view.recovering_since:
            self.lost_at = 0

    def forget(self, at: int, *, generations: bool) -> None:
        """The laptop lost its ledger (and, with it, its generations?) by trusted time ``at``. If none was
        left by then, nothing on it knows any more what it had taken.
        """
        self.lost_at = self.lost_at or at
        self.never_before = at
        for role in (
            "timestamp",
            "snapshot",
        ):  # online versions are not worth keeping: what counts is signed since the loss
            self.versions.pop(role, None)
        if generations or self.last is None:
            self.versions = {}
            self.taken = {}
            self.last = None

    def lost_generations(self) -> None:
        """The laptop has nothing in force any more, but its ledger."""
        self.taken = {}
        self.last = None

    def _told(self, view: SiteView) -> int:
        """The signed time, as far as the expiry of root and targets."""
        stamp = self._metadata(view, "timestamp", None).signed
        offline = [self._metadata(view, role, view.versions[role]).signed for role in ("root", "targets")]
        ends = [int(one.expires.timestamp()) for one in offline]
        return min(cast("int", stamp.unrecognized_fields["signed_at"]), *ends)

    # -- root, targets, trust

    def _genuine_top(self, view: SiteView, at: int) -> None:
        root = self._root(view)
        targets = self._metadata(view, "targets", view.versions["targets"])
        holders = {root.unrecognized_fields["persons"][one] for one in root.roles["targets"].keyids}
        self._signed_by(digest_of(targets), 2, holders, "targets")
        stamp = self._metadata(view, "timestamp", None)
        snapshot = self._metadata(view, "snapshot", view.versions["snapshot"])
        for signed in (root, targets.signed, stamp.signed, snapshot.signed):
            assert signed.unrecognized_fields.get("site") == self.laptop.site, f"foreign {signed.type}"
            assert signed.expires.timestamp() > at, f"expired {signed.type} brought something"
        trust = self.register.trusts.get(digest_of(targets))
        assert trust is not None, "targets names a trust.json that nobody staged"
        assert view.trust.to_bytes() == trust.to_bytes(), "another trust.json"
        if self.lost_at and view.recovering_since:
            fresh = cast("int", targets.signed.unrecognized_fields["signed_at"]) >= self.lost_at
            remembered = view.versions["targets"] >= self.versions.get("targets", 1 << 62)
            assert fresh or remembered, "recovering, and takes targets from before"

    def _root(self, view: SiteView) -> Root:
        newest = self._metadata(view, "root", view.versions["root"])
        signed = cast("Root", newest.signed)
        holders = {signed.unrecognized_fields["persons"][one] for one in signed.roles["root"].keyids}
        self._signed_by(digest_of(newest), 2, holders, "root")
        return signed

    @staticmethod
    def _editors(trust: TrustDocument) -> set[str]:
        """Who has a content role and no other."""
        content = {name for role in trust.roles.values() if role.content for name in role.persons}
        others = {name for role in trust.roles.values() if role.ranks for name in role.persons}
        return content - others

    def _signed_by(self, digest: str, needed: int, entitled: set[str], what: str) -> None:
        real = self.register.who(digest) & entitled
        assert len(real) >= needed, f"{what} is in force, signed by {sorted(real)} of {sorted(entitled)}"

    def _no_rollback(self, view: SiteView) -> None:
        root = cast("Root", self._metadata(view, "root", view.versions["root"]).signed)
        listed = sorted(one for role in ("timestamp", "snapshot") for one in root.roles[role].keyids)
        if (online := ",".join(listed)) != self.online:
            self.online = online
            self.versions = {
                name: number
                for name, number in self.versions.items()
                if name not in ("timestamp", "snapshot")
            }
        now = {**view.versions, "epoch": view.epoch}
        for name, number in now.items():
            assert number >= self.versions.get(name, 0), (
                f"{name} went back from {self.versions[name]} to {number}"
            )
        self.versions.update(now)

    # -- documents

    def _documents(self, view: SiteView, at: int) -> None:
        trust = view.trust
        found: dict[tuple[str, str], dict[str, str]] = {}
        for one in view.documents:
            found.setdefault(("power" if one.power else "policy", one.role), {})[one.name] = one.sha256
            assert hashlib.sha256(one.data).hexdigest() == one.sha256, "a document is not its hash"
        for offered in view.catalogues:
            found["content", offered.role] = {"catalogue.json": offered.sha256}
            data = offered.catalogue.to_bytes()
            assert hashlib.sha256(data).hexdigest() == offered.sha256, "a catalogue is not its hash"
        taken: dict[str, str] = {}
        for (kind, role), documents in found.items():
            name = f"{kind}-{role}"
            signed = self._metadata(view, name, view.versions[name])
            digest = digest_of(signed)
            needed = 2 if kind == "power" else 1
            self._signed_by(digest, needed, set(trust.roles[role].persons), name)
            assert signed.signed.unrecognized_fields.get("site") == self.laptop.site, f"foreign {name}"
            if digest != self.taken.get(name):
                assert signed.signed.expires.timestamp() > at, f"expired {name} brought something"
                if self.lost_at and view.recovering_since:
                    since = cast("int", signed.signed.unrecognized_fields["signed_at"])
                    assert since >= self.lost_at, f"recovering, and takes {name} from before"
            listed = {
                path.removeprefix(f"{kind}/{role}/"): info.hashes["sha256"]
                for path, info in cast("Targets", signed.signed).targets.items()
                if not path.endswith("/index.json")
            }
            assert documents == listed, f"{name} is in force in parts"
            taken[name] = digest
        self._none_lost(trust, taken)
        self.taken = taken

    def _none_lost(self, trust: TrustDocument, taken: Mapping[str, str]) -> None:
        """What held and is still properly signed was replaced at most, by a signature."""
        for name, digest in self.taken.items():
            kind, _, role = name.partition("-")
            entitled = set(trust.roles[role].persons) if role in trust.roles else set()
            if len(self.register.who(digest) & entitled) >= (2 if kind == "power" else 1):
                assert name in taken or self._withdrawn(name), f"{name} is gone, and nobody withdrew it"

    def _withdrawn(self, name: str) -> bool:
        view = self.laptop.view()
        if view is None or name not in view.versions:
            return False
        signed = self._metadata(view, name, view.versions[name])
        entitled = set(view.trust.roles[name.partition("-")[2]].persons)
        self._signed_by(digest_of(signed), 2 if name.startswith("power") else 1, entitled, name)
        return not cast("Targets", signed.signed).targets or all(
            path.endswith("/index.json") for path in cast("Targets", signed.signed).targets
        )

    # -- orders

    def _orders(self, view: SiteView, surely: int, perhaps: int) -> None:
        for order in view.orders:
            self._order(order, view, surely, perhaps)
        held = view.assignment
        if held is not None and self.obeyed.get("assign"):
            assert held.order == self.obeyed["assign"][-1][0], (
                "assigned by another order than the last obeyed"
            )

    def _order(self, order: Order, view: SiteView, surely: int, perhaps: int) -> None:
        told = self.register.orders.get(order.digest)
        assert told is not None, "an order that nobody gave"
        before = self.obeyed.setdefault(SLOTS.get(order.kind, order.kind), [])
        if before and before[-1] == (order.id, order.seq) and order.kind not in QUEUES:
            return  # still the last one: obeying it again changes nothing
        entitled = {one.id for one in view.trust.entitled(order.kind)}
        entitled -= self._editors(view.trust)
        self._signed_by(order.digest, NEEDED.get(order.kind, 2), entitled, f"order {order.kind}")
        laptop = self.laptop
        assert (told.site, told.device, told.serial_sha256) == (
            laptop.site,
            laptop.identity.id,
            laptop.serial,
        )
        assert told.epoch == view.epoch, "an order of another epoch"
        begins = told.issued if order.kind in ("lock", "unlock") else told.not_before
        assert begins <= perhaps, f"an order {begins - perhaps} s before its time"
        assert surely < told.expires, f"an order {surely - told.expires} s after its time"
        # One of those is in every word as long as it lies there: the laptop's book knows what was done.
        again = order.kind in QUEUES and (order.id, order.seq) in before
        assert again or order.id not in {one for one, _ in before}, "an order was obeyed twice"
        least = before[-1][1] + (order.kind != "lock") if before else 0
        assert again or order.seq >= least, "an older order after a newer"
        assert order.kind != "wipe" or order.grace_s >= 4 * 3600, "erased without grace"
        assert told.issued >= self.never_before or order.kind == "readmit", "from before the memory was lost"
        assert order.kind != "readmit" or not self.lost_at or told.issued >= self.lost_at, "an old readmit"
        if not again:
            before.append((order.id, order.seq))

    # -- bytes on disk

    def _metadata(self, view: SiteView, role: str, version: int | None) -> Metadata[Any]:
        name = f"{version}.{role}.json" if version is not None else f"{role}.json"
        with open(os.path.join(view.generation, "metadata", name), "rb") as file:
            return Metadata[Any].from_bytes(file.read())
