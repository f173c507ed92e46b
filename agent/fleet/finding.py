"""One thing that is wrong with IT's folder."""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.errors import BookbagError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``blocks``: nothing can be published while it is."""

    place: str
    code: str
    message: str
    remedy: str = ""
    blocks: bool = True

    @classmethod
    def of(cls, error: BookbagError, *, place: str = "", blocks: bool = True) -> Finding:
        """An error as a finding."""
        return cls(error.place or place, error.code, error.message, error.remedy, blocks)
