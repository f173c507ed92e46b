"""What lies in flatpak's own folder on a real machine: read as files, without starting anything."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase

from agent.core.errors import BookbagError
from agent.host.flatpaks import SOURCE, STATE, Source
from agent.host.linux.key_files import groups
from agent.host.tree_files import READ

PROGRAM = "/usr/bin/flatpak"
_MOST = 1 << 20
#: What lies in its repository and is a folder, whoever may write there.
_FOLDERS = (
    "objects",
    "tmp",
    "tmp/cache",
    "refs",
    "refs/heads",
    "refs/mirrors",
    "refs/remotes",
    "state",
    "extensions",
)
#: Machine, as the kernel calls it → as flatpak does. Else the same.
_ARCHITECTURES = {"i586": "i386", "i686": "i386", "armv7l": "arm", "armv8l": "arm"}


def architecture() -> str:
    """The machine's own, as flatpak calls it."""
    machine = os.uname().machine
    return _ARCHITECTURES.get(machine, machine)


class FlatpakTree:
    """``top``: the folder. What cannot be read, or is no file of its own, is not there; the unit that fetches
    writes into ``repo``, so nothing there is followed or waited for. Raises ``too-large`` for files beyond
    a MiB: half of one would say that the rest is not there.
    """

    def __init__(self, top: str = STATE) -> None:
        self._top = top
        self._arch = architecture()

    @property
    def environment(self) -> Mapping[str, str]:
        """For flatpak, which is to work here, say what is wrong in English, and ask no desktop anything."""
        plain = {"LC_ALL": "C.UTF-8", "GIO_USE_VFS": "local", "HOME": "/nonexistent"}
        return plain if self._top == STATE else {**plain, "FLATPAK_SYSTEM_DIR": self._top}

    def full(self, kind: str, application: str, branch: str) -> str:
        """``app/org.gnome.Calculator/x86_64/stable``."""
        return f"{kind}/{application}/{self._arch}/{branch}"

    def origin(self, full: str) -> str | None:
        """The source that what is installed came from; "": one that cannot be named; None: it is not
        installed. What flatpak keeps of it begins with that name and a zero byte (``(ssasta{sv})``).
        """
        data = _read(f"{self._top}/{full}/active/deploy")
        if data is None:
            return None
        name = data.partition(b"\0")[0].decode("utf-8", "replace")
        return name if re.fullmatch(SOURCE, name) else ""

    def is_fetched(self, full: str, source: str) -> bool:
        """Whether it was brought from there, installed or not."""
        with suppress(OSError):
            return stat.S_ISREG(os.lstat(f"{self._top}/repo/refs/remotes/{source}/{full}").st_mode)
        return False

    def source(self, name: str) -> Source | None:
        said = self._config().get(f'remote "{name}"')
        if said is None:
            return None
        checked = all(said.get(one) == "true" for one in ("gpg-verify", "gpg-verify-summary"))
        key = _read(f"{self._top}/repo/{name}.trustedkeys.gpg") or b""
        # Keys elsewhere would be believed beside these.
        verified = checked and bool(key) and "gpgkeypath" not in said
        return Source(said.get("url", ""), key, verified, said.get("xa.comment", ""))

    def installed(self, kind: str) -> frozenset[str]:
        """All of ``app`` or ``runtime`` that is there, of every architecture and branch."""
        return frozenset(f"{kind}/{one}" for one in _three(f"{self._top}/{kind}"))

    def runtime_of(self, full: str) -> str:
        """What an application needs, in full; "" where it does not say."""
        said = self._metadata(full).get("Application", {}).get("runtime", "")
        return f"runtime/{said}" if re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){2}", said) else ""

    def extensions_of(self, full: str) -> frozenset[str] | None:
        """The names of what an application or a runtime lets itself be extended by, whatever it is itself
        called; None: it does not say what it is. Source: flatpak-metadata(5), ``[Extension NAME@TAG]``.
        """
        found = self._metadata(full)
        names = (
            one.removeprefix("Extension ").partition("@")[0] for one in found if one.startswith("Extension ")
        )
        return frozenset(names) if found else None

    def is_pinned(self, full: str) -> bool:
        """Whether a person wants this runtime kept."""
        pins = self._config().get("core", {}).get("xa.pinned", "").split(";")
        return any(fnmatchcase(full, one) for one in pins if one)

    def free(self) -> int:
        """Bytes that there is room for."""
        try:
            room = os.statvfs(self._top)
        except OSError:
            return 0
        return room.f_bavail * room.f_frsize

    def prepare(self) -> None:
        """For the unit that fetches, which may write into the repository and at the lock on it, and make
        nothing beside them.
        """
        with suppress(FileExistsError):
            os.close(
                os.open(f"{self._top}/repo-lock", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o660)
            )

    def mend(self) -> None:
        """Take away what lies where folders of the repository should be and leads elsewhere: flatpak, as
        root, would tidy up there.
        """
        for name in _FOLDERS:
            path = f"{self._top}/repo/{name}"
            with suppress(FileNotFoundError):
                if not stat.S_ISDIR(os.lstat(path).st_mode):
                    os.unlink(path)
                    os.mkdir(path, 0o755)

    def _metadata(self, full: str) -> Mapping[str, Mapping[str, str]]:
        return groups(_text(f"{self._top}/{full}/active/metadata"))

    def _config(self) -> Mapping[str, Mapping[str, str]]:
        return groups(_text(f"{self._top}/repo/config"))


def base(full: str) -> str:
    """The name alone."""
    return full.split("/")[1]


def _three(folder: str) -> Iterator[str]:
    for path in _folders(folder):
        for arch in _folders(f"{folder}/{path}"):
            for branch in _folders(f"{folder}/{path}/{arch}"):
                if os.path.lexists(f"{folder}/{path}/{arch}/{branch}/active"):
                    yield f"{path}/{arch}/{branch}"


def _folders(folder: str) -> list[str]:
    """Those in it that are no links, such as ``current``."""
    try:
        with os.scandir(folder) as found:
            return sorted(one.name for one in found if one.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _text(path: str) -> str:
    return (_read(path) or b"").decode("utf-8", "replace")


def _read(path: str) -> bytes | None:
    try:
        fd = os.open(path, READ)
    except OSError:
        return None
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        data = file.read(_MOST + 1)
    if len(data) > _MOST:
        raise BookbagError(
            "too-large", f"cannot read what flatpak has: more than {_MOST >> 20} MiB", place=path
        )
    return data
