"""The trust that is published: by what laptops go, whatever the folder wishes for."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.trust.persons import TrustDocument
from agent.trust.site import signing
from agent.trust.site.files import RepositoryFiles


class PublishedTrust:
    """Read once, and again when something was published."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def read(self) -> TrustDocument:
        """Trust as of now. Raises ``not-found`` before the first publication."""
        stamp = self._folder.published / "metadata" / "timestamp.json"
        try:
            return self._folder.remembered(stamp, lambda _: published(self._folder))
        except FileNotFoundError:
            raise BookbagError("not-found", "cannot judge it: nothing is published yet") from None


def published(folder: Folder) -> TrustDocument:
    """As `PublishedTrust.read`."""
    files = RepositoryFiles(str(folder.root))
    targets = files.published("targets")
    if targets is None:
        raise BookbagError("not-found", "cannot judge it: nothing is published yet")
    return signing.trust_of(files, targets.signed)
