"""The authorities that a Debian machine believes: ``update-ca-certificates`` lists them, openssl is asked.

That program leaves its links to a certificate which is gone, and OpenSSL stumbles over the gap in numbered
ones: what led to our files is taken away first.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.host.base import Files
from agent.host.certificates import FOLDER, TRUSTED
from agent.host.processes import run

PROGRAM = "/usr/sbin/update-ca-certificates"
SECONDS = 120.0
ASK_SECONDS = 20.0
_ALONE = ("-no-CApath", "-no-CAfile", "-no-CAstore")
#: A child of one that is believed is believed as well, and no clock has a say in it.
_VERIFY = ("openssl", "verify", "-partial_chain", "-no_check_time")


class LinuxCertificates:
    """Debian's ca-certificates, as root."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def update(self) -> None:
        if self._forget_missing():
            self._do("openssl", "rehash", TRUSTED)
        self._do(PROGRAM)

    def believes(self, path: str) -> bool:
        # By name in the folder, and in the one file of all: programs read the one or the other.
        folder, bundle = ("-CApath", TRUSTED), ("-CAfile", f"{TRUSTED}/ca-certificates.crt")
        return all(self._verifies(*place, path=path) for place in (folder, bundle))

    def _verifies(self, option: str, place: str, *, path: str) -> bool:
        others = (one for one in _ALONE if one != f"-no{option}")
        return run((*_VERIFY, *others, option, place, path), timeout=ASK_SECONDS).status == 0

    def _forget_missing(self) -> bool:
        """Remove the links to certificates of ours that are gone; whether others stand behind them there."""
        links = {name: self._target(name) for name in self._files.names(TRUSTED) or ()}
        gone = {
            name
            for name, target in links.items()
            if target.startswith(f"{FOLDER}/bookbag-") and self._files.read(target) is None
        }
        gone |= {name for name, target in links.items() if target.rpartition("/")[2] in gone}
        for name in sorted(gone):
            self._files.remove(f"{TRUSTED}/{name}")
        hashes = {name.partition(".")[0] for name in gone if not name.endswith(".pem")}
        return any(name.partition(".")[0] in hashes for name in links if name not in gone)

    def _target(self, name: str) -> str:
        node = self._files.read(f"{TRUSTED}/{name}")
        return node.content.decode(errors="replace") if node is not None and node.kind == "symlink" else ""

    def _do(self, *argv: str) -> None:
        ended = run(argv, timeout=SECONDS)
        if ended.status != 0:
            raise BookbagError(
                "not-effective", f"cannot renew the list of trusted authorities: {ended.complaint}"
            )
