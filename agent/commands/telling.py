"""Receipts: made, signed and chained with the step that they tell of, and brought into the outbox.

A receipt is in the book, signed and sealed, before it is in the outbox: whatever is cut off, the same bytes
are told once. What the outbox cannot take stays in the book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent.commands.book import MOST_UNSENT, Book, Unsent
from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.core.ports import Outbox
from agent.trust import receipts
from agent.trust.identity import DeviceIdentity
from agent.trust.receipts import Receipt
from agent.trust.view import SiteView


@dataclass(frozen=True, slots=True)
class What:
    """What a receipt tells."""

    order: str
    digest: str
    kind: str
    state: str
    final: bool
    code: str = ""
    message: str = ""
    evidence: Mapping[str, object] | None = None


class Teller:
    """Writes the receipts of one laptop."""

    def __init__(self, view: SiteView, identity: DeviceIdentity, now: Now, boot_id: str) -> None:
        self._view = view
        self._identity = identity
        self._now = now
        self._boot = boot_id

    def tell(self, book: Book, what: What) -> tuple[Book, Receipt]:
        """The book with one more receipt that waits for the outbox. Beyond `MOST_UNSENT` waiting ones the
        oldest are given up: the chain shows that they are missing."""
        receipt = Receipt(
            site=self._view.site,
            device=self._identity.id,
            n=book.receipts + 1,
            prev=book.head,
            order=what.order,
            digest=what.digest,
            kind=what.kind,
            state=what.state,
            final=what.final,
            at=self._now.at,
            quality=self._now.quality,
            boot=self._boot,
            code=what.code,
            message=what.message,
            log_n=self._view.log_head[0],
            log_hash=self._view.log_head[1],
            evidence=what.evidence or {},
        )
        name = receipts.return_name(self._view.site, self._identity.id, receipt.n)
        envelope = receipts.sign(receipt, self._identity)
        data = receipts.make_return(envelope, name, self._identity, self._view.trust.returns_key)
        unsent = (*book.unsent, Unsent(name, data))
        return (
            replace(book, receipts=receipt.n, head=receipt.hash, unsent=unsent[-MOST_UNSENT:]),
            receipt,
        )

    def send(self, book: Book, outbox: Outbox) -> Book:
        """The book without what is in the outbox now."""
        left = list(book.unsent)
        while left:
            try:
                outbox.put(left[0].name, left[0].data)
            except BookbagError as problem:
                if problem.code != "disk-full":
                    raise
                break
            left.pop(0)
        return replace(book, unsent=tuple(left)) if len(left) != len(book.unsent) else book
