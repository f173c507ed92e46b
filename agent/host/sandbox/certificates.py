"""The authorities that the laptop in a folder believes: links in /etc/ssl/certs, as on a real one; nothing
checks what is in a certificate.
"""

from __future__ import annotations

from agent.host.base import Files, Node
from agent.host.certificates import FOLDER, TRUSTED


class SandboxCertificates:
    """One link for each file."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def update(self) -> None:
        for name in self._files.names(TRUSTED) or ():
            node = self._files.read(f"{TRUSTED}/{name}")
            if node is not None and node.kind == "symlink" and self._files.read(_target(node)) is None:
                self._files.remove(f"{TRUSTED}/{name}")
        for name in self._files.names(FOLDER) or ():
            if name.endswith(".crt"):
                link = _link(name)
                self._files.make_parents(link)
                self._files.write(link, Node("symlink", 0o777, content=f"{FOLDER}/{name}".encode()))
        if self._files.names(TRUSTED) == ():
            self._files.remove_empty([TRUSTED, "/etc/ssl"])  # a new laptop in a folder has neither

    def believes(self, path: str) -> bool:
        node = self._files.read(_link(path.rpartition("/")[2]))
        return node is not None and _target(node) == path and self._files.read(path) is not None


def _link(name: str) -> str:
    return f"{TRUSTED}/{name.removesuffix('.crt')}.pem"


def _target(node: Node) -> str:
    return node.content.decode(errors="replace")
