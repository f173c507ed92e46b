"""Re-signing of the online roles, by hand or by the service's timer."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.fleet import onlinekeys
from agent.fleet.folder import Folder
from agent.trust.site.publish import Published
from agent.trust.site.repository import SiteRepository


def refresh(folder: Folder, now: int) -> tuple[Published, int]:
    """(what was published, when the timestamp expires). Raises ``not-found`` before the first publication,
    ``bad-key``."""
    with folder.locked():
        repository = SiteRepository.open(str(folder.root))
        if "timestamp" not in repository.expiries():
            raise BookbagError(
                "not-found",
                "cannot refresh: nothing is published yet",
                remedy="bookbag-fleet publish --as PERSON --as SECOND",
            )
        outcome = repository.refresh(onlinekeys.load(folder), at=now)
        return outcome, repository.expiries()["timestamp"]


def due(folder: Folder, now: int) -> bool:
    """Whether a third of the timestamp's life is over (so that two missed rounds still leave it fresh)."""
    repository = SiteRepository.open(str(folder.root))
    expires = repository.expiries().get("timestamp")
    return expires is not None and expires - now < repository.lives.timestamp * 2 // 3
