"""nftables of a real machine, through its own program."""

from __future__ import annotations

import pwd

from agent.core.errors import BookbagError
from agent.host.nft_table import FAMILY, TABLE, listing
from agent.host.processes import Ended, run

SECONDS = 20.0
NFT = "/usr/sbin/nft"
_ABSENT = ("No such file or directory", "does not exist")


class LinuxFirewall:
    """The ``nft`` program, as root."""

    def __init__(self, program: str = NFT) -> None:
        self._program = program

    def load(self, script: str) -> None:
        ended = self._run("-j", "-f", "-", script=script)
        if ended.status != 0:
            raise BookbagError("not-effective", f"cannot load the firewall's rules: {ended.complaint}")

    def listed(self) -> tuple[object, ...] | None:
        ended = self._run("-j", "list", "table", FAMILY, TABLE)
        if ended.status != 0:
            if _absent(ended):
                return None
            raise BookbagError("io-error", f"cannot ask which rules hold: {ended.complaint}")
        return listing(ended.output, _name)

    def clear(self) -> None:
        ended = self._run("delete", "table", FAMILY, TABLE)
        if ended.status != 0 and not _absent(ended):
            raise BookbagError("not-effective", f"cannot remove the firewall's rules: {ended.complaint}")

    def _run(self, *words: str, script: str = "") -> Ended:
        return run((self._program, *words), timeout=SECONDS, input=script.encode())


def _absent(ended: Ended) -> bool:
    said = ended.errors.decode("utf-8", "replace")
    return any(text in said for text in _ABSENT)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)
