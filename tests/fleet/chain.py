"""A laptop's receipts, made one after the other for tests of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.fleet.folder import Folder
from agent.trust import receipts
from agent.trust.keys import SealPublicKey
from agent.trust.receipts import GENESIS, Receipt
from tests.fleet.desk import Desk, Laptop, deliver


class Chain:
    """What one laptop tells."""

    def __init__(self, laptop: Laptop, desk: Desk) -> None:
        self.laptop, self.desk = laptop, desk
        self.n, self.prev = 0, GENESIS
        self.returns = SealPublicKey.from_hex(Folder(desk.root).site().returns_key)

    def tell(
        self,
        state: str = "done",
        *,
        log: tuple[int, str] = (0, ""),
        order: str = "a" * 32,
        deliver_it: bool = True,
        kind: str = "lock",
        evidence: Mapping[str, object] = MappingProxyType({}),
    ) -> str:
        """The name of the next receipt, delivered."""
        name, data = self.next(state, log=log, order=order, kind=kind, evidence=evidence)
        if deliver_it:
            deliver(self.desk, name, data)
        return name

    def next(
        self,
        state: str = "done",
        *,
        log: tuple[int, str] = (0, ""),
        order: str = "a" * 32,
        kind: str = "lock",
        evidence: Mapping[str, object] = MappingProxyType({}),
    ) -> tuple[str, bytes]:
        """(name, bytes) of the next receipt, as it leaves the laptop."""
        self.n += 1
        one = Receipt(
            site="north", device=self.laptop.identity.id, n=self.n, prev=self.prev, order=order,
            digest="b" * 64, kind=kind, state=state, final=True, at=self.desk.now, quality="good",
            boot="boot", log_n=log[0], log_hash=log[1], evidence=evidence,
        )  # fmt: skip
        self.prev = one.hash
        name = self.name(self.n)
        envelope = receipts.sign(one, self.laptop.identity)
        return name, receipts.make_return(envelope, name, self.laptop.identity, self.returns)

    def name(self, n: int) -> str:
        """What the ``n``-th goes by."""
        return receipts.return_name("north", self.laptop.identity.id, n)
