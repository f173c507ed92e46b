"""password-quality: what a new password must be like, as libpwquality asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from agent.core.model import Power
from agent.host.base import Host
from agent.policy.bases.dropin import DropIn

_FOLDER: Final = "/etc/security/pwquality.conf.d"
PATH: Final = f"{_FOLDER}/90-bookbag.conf"
#: Read after the folder, so it has the last word.
_LAST: Final = "/etc/security/pwquality.conf"
_STAGE: Final = "/etc/pam.d/common-password"
_DICTIONARY: Final = "/var/cache/cracklib/cracklib_dict.pwd"
LEVELS: Final[Mapping[str, Mapping[str, int]]] = {
    "basic": {"minlen": 6, "minclass": 0, "dictcheck": 0, "usercheck": 1},
    "good": {"minlen": 8, "minclass": 0, "dictcheck": 1, "usercheck": 1},
    "strong": {"minlen": 12, "minclass": 3, "dictcheck": 1, "usercheck": 1},
}


@dataclass(frozen=True, slots=True)
class PasswordQuality(DropIn):
    """One file of libpwquality's folder. ``level``: a word of `LEVELS`."""

    kind: ClassVar[str] = "password-quality"
    sole: ClassVar[str] = "pwquality"
    about: ClassVar[str] = "What a new password must be like."

    level: str = ""

    @property
    def path(self) -> str:
        return PATH

    def power(self) -> tuple[Power, str]:
        odd = self.level not in LEVELS
        return (Power.ROOT, f"{self.level} is not known to be harmless") if odd else (Power.ORDINARY, "")

    def lacking(self, host: Host) -> str:
        if "pam_pwquality.so" not in _asked(host):
            return "libpam-pwquality, or PAM does not ask it"
        if LEVELS[self.level]["dictcheck"] and host.files.read(_DICTIONARY, limit=64 << 20) is None:
            return "dictionary (cracklib-runtime): without it every password would be refused"
        return ""

    def watches(self) -> tuple[str, ...]:
        return (_FOLDER, _LAST, _STAGE)

    def text(self) -> str:
        return "".join(f"{name} = {value}\n" for name, value in LEVELS.get(self.level, {}).items())

    def problem(self, host: Host) -> str:
        later = [
            f"{_FOLDER}/{name}" for name in host.files.names(_FOLDER) or () if f"{_FOLDER}/{name}" > PATH
        ]
        for path in (*later, _LAST):
            for name, value in _settings(host, path):
                if name in LEVELS.get(self.level, {}) and value != str(LEVELS[self.level][name]):
                    return f"{path} has the last word: {name} = {value}"
        return ""


def _settings(host: Host, path: str) -> list[tuple[str, str]]:
    if not path.endswith(".conf"):
        return []
    lines = (line.partition("#")[0] for line in _lines(host, path))
    return [
        (name.strip(), value.strip())
        for name, equals, value in (line.partition("=") for line in lines)
        if equals
    ]


def _asked(host: Host) -> str:
    """What of PAM's stage for passwords counts."""
    return "\n".join(line.partition("#")[0] for line in _lines(host, _STAGE))


def _lines(host: Host, path: str) -> list[str]:
    node = host.files.read(path, limit=1 << 20)
    return [] if node is None or node.kind != "file" else node.content.decode("utf-8", "replace").splitlines()
