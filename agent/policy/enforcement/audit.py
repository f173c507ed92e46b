"""The lean audit: is every managed file exactly as it should be? Imports nothing but os and one hash.

A checklist is plain text that `save_checklist` derives from the compiled policy, never from the disk:
what was tampered with while it was written is still found. `suspects` reads a thousand files in a few
hundredths of a second, so that the usual answer, "all is well", costs little more than starting Python.
Whatever it cannot vouch for, it names, and the engine looks at that in full. It never says that
something is well which the engine would change.
"""

from __future__ import annotations

import os
import stat

try:
    from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]  # hashlib costs 5 ms
except ImportError:  # Python 3.12 and later
    from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.host.base import Host
    from agent.policy.compiled import Compiled

_HEADER = "bookbag-checklist 1"
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def suspects(checklist: str, fingerprint: str, root: str = "") -> list[str] | None:
    """Laptop paths that are not as they should be, and ids of resources that only the engine can judge.

    Empty: everything is in force. None: there is no checklist for this ``fingerprint``. ``root`` is the
    sandbox's folder. The result is what `Engine.audit` takes as ``touched``.
    """
    try:
        with open(checklist, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError):
        return None
    if lines[0] != f"{_HEADER} {fingerprint}" or lines[-2:] != ["end", ""]:
        return None
    found: list[str] = []
    for line in lines[1:-2]:
        kind, _, rest = line.partition("\t")
        if kind == "F":
            mode, uid, gid, size, digest, path = rest.split("\t")
            if not _is_file(root + path, mode, uid, gid, size, digest):
                found.append(path)
        elif kind == "D":
            if not _is_directory(root + rest):
                found.append(rest)
        elif kind == "A":
            if os.path.lexists(root + rest):
                found.append(rest)
        else:
            found.append(rest)
    return found


def _is_file(path: str, mode: str, uid: str, gid: str, size: str, digest: str) -> bool:
    try:
        fd = os.open(path, _OPEN)
    except OSError:
        return False
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size != int(size):
            return False
        if f"{stat.S_IMODE(status.st_mode):04o}" != mode:
            return False
        if uid and (status.st_uid != int(uid) or status.st_gid != int(gid)):
            return False
        content = os.read(fd, status.st_size + 1)
        if len(content) != status.st_size or sha256(content).hexdigest() != digest:
            return False
        return all(_is_label(name) for name in os.listxattr(fd))
    except OSError:
        return False
    finally:
        os.close(fd)


def _is_label(name: str) -> bool:
    """Whether a security module keeps this attribute for itself."""
    return name.startswith("security.") and name != "security.capability"


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def save_checklist(checklist: str, compiled: Compiled, host: Host) -> None:
    """Write, durably, what `suspects` compares. Resources that end not only in files are listed by id."""
    from agent.policy.bases.filestate import parents
    from agent.store import atomic

    rows: list[str] = []
    folders: set[str] = set()
    for item in compiled.items():
        if item.observe_only:
            continue
        resource = item.resource()
        files = resource.checklist()
        if not files or set(files) != set(resource.paths()) or resource.effects:
            rows.append(f"E\t{item.id}")
        for path, state in files.items():
            folders.update(parents(path) if state is not None else ())
            row = f"A\t{path}" if state is None else _row(path, state, simulated=host.simulated)
            rows.append(row or f"E\t{item.id}")
    # A parent that is a link is the engine's to judge, file by file; a directory must stay one.
    real = [
        folder for folder in sorted(folders) if (node := host.files.read(folder)) and node.kind == "directory"
    ]
    if len(real) != len(folders):
        rows = [f"E\t{item.id}" for item in compiled.items() if not item.observe_only]
    text = "\n".join([f"{_HEADER} {compiled.fingerprint}", *(f"D\t{one}" for one in real), *rows, "end", ""])
    atomic.write(checklist, text.encode())


def _row(path: str, state: object, *, simulated: bool) -> str:
    """One file's row; empty if only the engine can judge it."""
    import grp
    import pwd

    assert isinstance(state, dict)  # noqa: S101
    content, mode, owner, group = state["content"], state["mode"], state["owner"], state["group"]
    ids = ("", "")
    if simulated:  # owners and special bits of the sandbox are not in the file itself
        if mode & 0o7000 or (owner, group) != ("root", "root"):
            return ""
        mode |= stat.S_IRUSR
    else:
        try:
            ids = (str(pwd.getpwnam(owner).pw_uid), str(grp.getgrnam(group).gr_gid))
        except KeyError:
            return ""
    return "\t".join(("F", f"{mode:04o}", *ids, str(len(content)), sha256(content).hexdigest(), path))
