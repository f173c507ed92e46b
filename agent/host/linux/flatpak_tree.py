"""What lies in flatpak's own folder on a real machine: read as files, without starting anything."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from agent.host.flatpaks import STATE, Source

PROGRAM = "/usr/bin/flatpak"
_MOST = 1 << 20
#: Machine, as the kernel calls it → as flatpak does. Else the same.
_ARCHITECTURES = {"i586": "i386", "i686": "i386", "armv7l": "arm", "armv8l": "arm"}


def architecture() -> str:
    """The machine's own, as flatpak calls it."""
    machine = os.uname().machine
    return _ARCHITECTURES.get(machine, machine)


class FlatpakTree:
    """``top``: the folder. What cannot be read is not there."""

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
        """The source that what is installed came from. What flatpak keeps of it begins with that name and a
        zero byte (``(ssasta{sv})``); None: it is not installed.
        """
        data = _read(f"{self._top}/{full}/active/deploy")
        return None if data is None else data.partition(b"\0")[0].decode("utf-8", "replace")[:200]

    def is_fetched(self, full: str, source: str) -> bool:
        """Whether it was brought from there, installed or not."""
        return os.path.isfile(f"{self._top}/repo/refs/remotes/{source}/{full}")

    def source(self, name: str) -> Source | None:
        config = self._config()
        section = f'remote "{name}"'
        if not config.has_section(section):
            return None
        said = config[section]
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
        found = _parsed(_read(f"{self._top}/{full}/active/metadata"))
        said = found.get("Application", "runtime", fallback="")
        return f"runtime/{said}" if re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){2}", said) else ""

    def is_pinned(self, full: str) -> bool:
        """Whether a person wants this runtime kept."""
        pins = self._config().get("core", "xa.pinned", fallback="").split(";")
        return any(fnmatchcase(full, one) for one in pins if one)

    def free(self) -> int:
        """Bytes that there is room for."""
        try:
            room = os.statvfs(self._top)
        except OSError:
            return 0
        return room.f_bavail * room.f_frsize

    def _config(self) -> configparser.RawConfigParser:
        return _parsed(_read(f"{self._top}/repo/config"))


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


def _parsed(data: bytes | None) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    found.optionxform = str  # type: ignore[assignment,method-assign]  # as it stands
    try:
        found.read_string((data or b"").decode("utf-8", "replace"))
    except configparser.Error:
        found.clear()
    return found


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(_MOST)
    except OSError:
        return None
