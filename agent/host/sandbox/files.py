"""Files of the laptop in a folder. Content, kind and plain permissions are real; what takes root is kept in
a sidecar.
"""

from __future__ import annotations

import errno
import os
import stat

from agent.core.errors import BookbagError
from agent.host.base import Node
from agent.host.sandbox.sidecar import Attributes, Sidecar
from agent.host.tree_files import TreeFiles, Xattrs

OWN_DIRECTORY = ".sandbox"  #: in the laptop's folder, not part of the laptop


class SandboxFiles(TreeFiles):
    """Files below ``folder``. A file nobody dressed belongs to root, as what root leaves on a real laptop
    would.
    """

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._sidecar = Sidecar(f"{folder}/{OWN_DIRECTORY}/attributes.jsonl")

    def _check(self, path: str) -> None:
        super()._check(path)
        if path == f"/{OWN_DIRECTORY}" or path.startswith(f"/{OWN_DIRECTORY}/"):
            raise BookbagError("bad-path", f"cannot use {path}: it is the sandbox's own", place=path)

    def names(self, directory: str) -> tuple[str, ...] | None:
        found = super().names(directory)
        return tuple(name for name in found if name != OWN_DIRECTORY) if found and directory == "/" else found

    def _trusts(self, path: str, link: os.stat_result, holder: os.stat_result) -> bool:
        # Only links that were written through this port as root's; where they lead stays inside the folder.
        kept = self._sidecar.get(path, link.st_ino)
        return kept is not None and kept.owner == "root"

    def _node(self, path: str, kind: str, status: os.stat_result, fd: int, content: bytes) -> Node:
        kept = self._sidecar.get(path, status.st_ino, content)
        mode = 0o777 if kind == "symlink" else stat.S_IMODE(status.st_mode)
        xattrs: Xattrs = _real_xattrs(fd) if fd >= 0 and kind in ("file", "directory") else ()
        if kept is None:
            return Node(kind, mode, content=content, xattrs=xattrs)
        if kind != "symlink":
            mode = kept.mode if mode == kept.real_mode else mode | kept.mode & 0o7000
        if kept.xattrs:
            xattrs = tuple(sorted({**dict(kept.xattrs), **dict(xattrs)}.items()))
        return Node(kind, mode, kept.owner, kept.group, content, xattrs)

    def _dress(self, path: str, node: Node, fd: int) -> None:
        # Readable for us whatever the mode says, as it is for root; set-id bits are never real.
        real_mode = node.mode & 0o777 | (stat.S_IRWXU if node.kind == "directory" else stat.S_IRUSR)
        os.fchmod(fd, real_mode)
        wanted = {name for name, _ in node.xattrs}
        for name, _ in _real_xattrs(fd):
            if name not in wanted:
                os.removexattr(fd, name)
        kept = tuple((name, value) for name, value in node.xattrs if not _set_real(fd, name, value))
        plain = (node.owner, node.group, kept, node.mode) == ("root", "root", (), real_mode)
        attributes = Attributes(node.mode, real_mode, node.owner, node.group, kept)
        self._sidecar.put(path, os.fstat(fd).st_ino, node.content, None if plain else attributes)

    def _dress_link(self, path: str, node: Node, directory: int, name: str) -> None:
        inode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_ino
        self._sidecar.put(path, inode, node.content, Attributes(0o777, 0o777, node.owner, node.group))

    def _dress_directory(self, path: str, fd: int) -> None:
        os.fchmod(fd, 0o755)
        self._sidecar.put(path, os.fstat(fd).st_ino, b"", None)  # whatever was kept of one before it


def _set_real(fd: int, name: str, value: bytes) -> bool:
    """Whether the real file could take the xattr."""
    if not name.startswith("user."):
        return False
    try:
        os.setxattr(fd, name, value)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EPERM, errno.E2BIG):
            return False
        raise
    return True


def _real_xattrs(fd: int) -> Xattrs:
    try:
        names = os.listxattr(fd)
        return tuple(sorted((name, os.getxattr(fd, name)) for name in names if name.startswith("user.")))
    except OSError:
        return ()
