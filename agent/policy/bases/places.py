"""Where a policy may write: compiled in, decided on the path, so that no one person's signature widens
it (I-7).

Paths are compared after known aliases (``/lib`` is ``/usr/lib`` on a merged system, ``/var/run`` is
``/run``) are taken away. Right before writing, what a path means is decided again with linked parents
followed.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.host.base import Host
from agent.policy.bases.filestate import parents

#: Places where a file can neither run code as root nor destroy data: texts on show and our own shared data.
#: Files of the browser and the desktop are *not* here: settings write those, with values harmless by type.
_HARMLESS_FILES = frozenset(("/etc/motd", "/etc/issue", "/etc/issue.net"))
_HARMLESS_FOLDERS = (
    "/usr/share/bookbag/",
    "/usr/local/share/bookbag/",
    "/usr/share/backgrounds/bookbag/",
)
#: The agent itself. No policy manages these, whoever signed it.
_PROTECTED_FOLDERS = (
    "/etc/bookbag/",
    "/var/lib/bookbag/",
    "/run/bookbag/",
    "/usr/lib/bookbag/",
)
#: What a lock replaces and gives back: a policy that repaired these would let people in again.
_LOCKED_FILES = frozenset(("/etc/systemd/system/ctrl-alt-del.target", "/etc/systemd/system/default.target"))
#: Where the agent is one of many: there, what has a part called …bookbag… is its own.
_SHARED_FOLDERS = (
    "/etc/security/",
    "/etc/sysctl.d/",
    "/etc/systemd/",
    "/etc/sysusers.d/",
    "/etc/tmpfiles.d/",
    "/opt/",
    "/run/systemd/",
    "/run/sysusers.d/",
    "/run/tmpfiles.d/",
    "/usr/bin/",
    "/usr/lib/systemd/",
    "/usr/lib/sysusers.d/",
    "/usr/lib/tmpfiles.d/",
    "/usr/local/bin/",
    "/usr/local/lib/systemd/",
    "/usr/local/sbin/",
    "/usr/sbin/",
    "/usr/share/pam-configs/",
)
#: Not files on a disk: aliases of other places, devices, kernel switches.
_UNREAL_FOLDERS = ("/proc/", "/sys/", "/dev/")
#: What lies in directories that no policy closes: the system, and everything named above.
_LAPTOP = (
    *_PROTECTED_FOLDERS,
    *_SHARED_FOLDERS,
    *_LOCKED_FILES,
    *_HARMLESS_FOLDERS,
    *(f"{top}/" for top in ("/bin", "/boot", "/home", "/lib", "/media", "/mnt", "/root", "/sbin", "/srv")),
    *(f"{top}/" for top in ("/tmp", "/usr/lib64", "/usr/libexec", "/var/log", "/var/tmp")),  # noqa: S108
)
_ALIASES = (
    ("/lib/", "/usr/lib/"),
    ("/bin/", "/usr/bin/"),
    ("/sbin/", "/usr/sbin/"),
    ("/var/run/", "/run/"),
    ("/var/lock/", "/run/lock/"),
)
_LINKS_MOST = 8


def malformed(path: str) -> str:
    """Why ``path`` is not a plain absolute path; empty if it is."""
    if not path.startswith("/"):
        return "it does not begin with /"
    if not path.isprintable() or "\\" in path:
        return "it holds a control character or a backslash"
    if len(path.encode()) > 1024 or any(len(part.encode()) > 255 for part in path.split("/")):
        return "it is too long"
    parts = path[1:].split("/")
    if "" in parts:
        return "it has an empty part (// or a / at its end)"
    if "." in parts or ".." in parts:
        return "it has a part that is . or .."
    return ""


def plain(path: str) -> str:
    """``path`` with the aliases of a merged system taken away."""
    for alias, real in _ALIASES:
        if path.startswith(alias):
            return real + path[len(alias) :]
    return path


def harmless(path: str) -> bool:
    """Whether an ordinary policy may have a file at ``path``."""
    path = plain(path)
    return path in _HARMLESS_FILES or path.startswith(_HARMLESS_FOLDERS)


def named() -> str:
    """The harmless places, for the reference page."""
    return ", ".join((*(f"`{path}`" for path in sorted(_HARMLESS_FILES)), named_folders()))


def named_folders() -> str:
    """Those in which anything may be."""
    return ", ".join(f"what is in `{folder}`" for folder in _HARMLESS_FOLDERS)


def forbidden(path: str) -> str:
    """Why no policy at all may have a file at ``path``; empty if one may."""
    path = plain(path)
    if path.startswith(_UNREAL_FOLDERS):
        return "it is no file on a disk"
    if f"{path}/".startswith(_PROTECTED_FOLDERS):
        return "it belongs to Bookbag itself"
    if path in _LOCKED_FILES:
        return "it belongs to the lock"
    if path.startswith(_SHARED_FOLDERS) and any("bookbag" in part for part in path.split("/")):
        return "it belongs to Bookbag itself"
    return ""


def forbidden_directory(path: str) -> str:
    """Why no policy at all may say how the directory at ``path`` is; empty if one may."""
    path = plain(path)
    if why := forbidden(path):
        return why
    if f"{path}/".startswith(_UNREAL_FOLDERS):
        return "it is no directory on a disk"
    if path.rpartition("/")[0] == "/home":
        return "it is a home, and accounts.home-permissions decides about those"
    if any(one.startswith(f"{path}/") for one in _LAPTOP):
        return "the system or Bookbag lies in it, and could not be reached"
    return ""


def real_path(host: Host, path: str) -> str:
    """``path`` with linked parents followed. Raises ``bad-path`` on a loop or a parent that is no
    directory.
    """
    for _ in range(_LINKS_MOST):
        step = _follow_first_link(host, path)
        if step is None:
            return path
        path = step
    raise BookbagError("bad-path", "cannot follow this path: too many links above it", place=path)


def _follow_first_link(host: Host, path: str) -> str | None:
    for folder in parents(path):
        node = host.files.read(folder)
        if node is None:
            return None
        if node.kind == "symlink":
            target = node.content.decode(errors="surrogateescape")
            return joined(folder, target) + path[len(folder) :]
        if node.kind != "directory":
            raise BookbagError("bad-path", "cannot use this path: a parent is no directory", place=folder)
    return None


def joined(link: str, target: str) -> str:
    """Where a link at ``link`` to ``target`` leads, as it is written."""
    base = [] if target.startswith("/") else link.strip("/").split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            base = base[:-1]
        elif part not in ("", "."):
            base.append(part)
    return "/" + "/".join(base)
