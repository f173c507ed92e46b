"""Files of a real machine: owners, set-id bits, extended attributes and POSIX ACLs as the kernel keeps them.

The audit reads a thousand of these in a few hundredths of a second: names of users are looked up once, and
a file costs one system call each to check its directory, open, stat, read, list attributes and close.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from contextlib import suppress

from agent.host.base import Node
from agent.host.tree_files import TreeFiles, Xattrs, no_such

_ACLS = ("system.posix_acl_access", "system.posix_acl_default")


class LinuxFiles(TreeFiles):
    """The machine's files; with ``root`` (tests) those below a folder, attributes still real."""

    def __init__(self, root: str = "") -> None:
        super().__init__(root)
        self._users: dict[int, str] = {}
        self._groups: dict[int, str] = {}
        self._uids: dict[str, int] = {}
        self._gids: dict[str, int] = {}
        self._trusted = frozenset((0, os.geteuid()))

    def attributes(self, path: str, fd: int) -> Node:
        """The regular file that is open as ``fd``, without its content."""
        return self._node(path, "file", os.fstat(fd), fd, b"")

    def redress(self, path: str, fd: int, node: Node) -> None:
        """Give it those of ``node``, durably; it stays the same file with the same content."""
        self._dress(path, node, fd)
        os.fsync(fd)

    def _trusts(self, path: str, link: os.stat_result, holder: os.stat_result) -> bool:
        # A link is the system's if root made it where nobody else could have brought it: who may write in a
        # directory, sticky or not, may move root's link there from wherever else he may write.
        others_write = holder.st_mode & 0o022
        return link.st_uid in self._trusted and holder.st_uid in self._trusted and not others_write

    def _node(self, path: str, kind: str, status: os.stat_result, fd: int, content: bytes) -> Node:
        uid, gid = status.st_uid, status.st_gid
        owner = self._users.get(uid) or self._user(uid)
        group = self._groups.get(gid) or self._group(gid)
        xattrs: Xattrs = ()
        if fd >= 0 and kind != "other":
            try:
                names = os.listxattr(fd)
            except OSError as error:
                if error.errno != errno.ENOTSUP:
                    raise
                names = []
            if names:
                xattrs = _values(fd, names)
        return Node(kind, stat.S_IMODE(status.st_mode), owner, group, content, xattrs)

    def _dress(self, path: str, node: Node, fd: int) -> None:
        # Owner first: the kernel clears set-id bits and capabilities when it changes. ACLs last: they
        # refine the mode.
        _own(fd, self._uid(node.owner, path), self._gid(node.group, path))
        os.fchmod(fd, node.mode)
        wanted = dict(node.xattrs)
        try:
            there = os.listxattr(fd)
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                raise
            there = []
        for name in there:  # an ACL inherited from the directory's default
            if name not in wanted and _is_ours(name):
                os.removexattr(fd, name)
                os.fchmod(fd, node.mode)
        for name, value in wanted.items():
            os.setxattr(fd, name, value)

    def _dress_link(self, path: str, node: Node, directory: int, name: str) -> None:
        uid, gid = self._uid(node.owner, path), self._gid(node.group, path)
        there = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if (there.st_uid, there.st_gid) != (uid, gid):
            os.chown(name, uid, gid, dir_fd=directory, follow_symlinks=False)

    def _dress_directory(self, path: str, fd: int) -> None:
        if os.geteuid() == 0:
            _own(fd, 0, 0)
        for name in _ACLS:
            with suppress(OSError):
                os.removexattr(fd, name)
        os.fchmod(fd, 0o755)

    # -- names of users, looked up once

    def _user(self, uid: int) -> str:
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = str(uid)
        self._users[uid] = name
        return name

    def _group(self, gid: int) -> str:
        try:
            name = grp.getgrgid(gid).gr_name
        except KeyError:
            name = str(gid)
        self._groups[gid] = name
        return name

    def _uid(self, name: str, path: str) -> int:
        uid = self._uids.get(name, -1)
        if uid < 0:
            try:
                uid = pwd.getpwnam(name).pw_uid
            except (KeyError, UnicodeEncodeError, ValueError):
                uid = _number(name) if _number(name) >= 0 else no_such("user", name, path)
            self._uids[name] = uid
        return uid

    def _gid(self, name: str, path: str) -> int:
        gid = self._gids.get(name, -1)
        if gid < 0:
            try:
                gid = grp.getgrnam(name).gr_gid
            except (KeyError, UnicodeEncodeError, ValueError):
                gid = _number(name) if _number(name) >= 0 else no_such("group", name, path)
            self._gids[name] = gid
        return gid


def _number(text: str) -> int:
    """A decimal id; -1 if it is none."""
    return int(text) if text.isascii() and text.isdigit() and int(text) < 2**32 - 1 else -1


def _own(fd: int, uid: int, gid: int) -> None:
    there = os.fstat(fd)
    if (there.st_uid, there.st_gid) != (uid, gid):
        os.fchown(fd, uid, gid)


def _is_ours(name: str) -> bool:
    """Whether an xattr is a file's own, not a label that a security module keeps."""
    if name.startswith("security."):
        return name == "security.capability"
    return name.startswith(("user.", "trusted.")) or name in _ACLS


def _values(fd: int, names: list[str]) -> Xattrs:
    found = []
    for name in sorted(names):
        if _is_ours(name):
            with suppress(OSError):  # removed while we looked, or not for our eyes
                found.append((name, os.getxattr(fd, name)))
    return tuple(found)
