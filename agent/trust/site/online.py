"""The publisher's online keys: they make things fresh, and can decide nothing."""

from __future__ import annotations

from dataclasses import dataclass

from agent.trust.keys import PublicKey, SigningKey


@dataclass(frozen=True, slots=True)
class OnlinePublic:
    """The public halves, for root and targets to list."""

    timestamp: PublicKey
    snapshot: PublicKey
    mail: PublicKey


@dataclass(frozen=True, slots=True, repr=False)
class Online:
    """Keys of timestamp, snapshot and mail. ``previous``: those they replace, so that readers see no gap
    while a new root comes into view (None if they are lost, or there were none)."""

    timestamp: SigningKey
    snapshot: SigningKey
    mail: SigningKey
    previous: Online | None = None

    @classmethod
    def generate(cls) -> Online:
        """Three fresh keys."""
        return cls(SigningKey.generate(), SigningKey.generate(), SigningKey.generate())

    @property
    def public(self) -> OnlinePublic:
        """Their public halves."""
        return OnlinePublic(self.timestamp.public, self.snapshot.public, self.mail.public)

    def signers(self, role: str) -> tuple[SigningKey, ...]:
        """Every key that should sign ``role`` (timestamp, snapshot, mail) just now."""
        mine: SigningKey = getattr(self, role)
        return (mine, *(self.previous.signers(role) if self.previous else ()))
