"""Whether every login on this machine asks our gate: read from PAM's own files.

Debian's programs share one account stage, /etc/pam.d/common-account, which pam-auth-update writes from
profiles. Ours (installer/pam-configs) puts the gate before everything: behind pam_unix it would not be asked
of a person whose password has expired (docs/adr).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from agent.host.locking.login_gate import PATH

COMMON = "common-account"
#: The two lines of our profile: system users pass, everybody else is asked for.
GATE = (
    ("[success=1 default=ignore]", "pam_succeed_if.so", "quiet", "uid", "<", "1000"),
    ("[success=ignore default=die]", "pam_access.so", f"accessfile={PATH}"),
)
#: Ways for a person to begin to act on the machine. Others keep an open session's screen, or serve root
#: alone.
ENTRIES = (
    *("atd", "cockpit", "cron", "greetd", "login", "lxdm", "nodm", "polkit-1", "remote", "slim", "sshd"),
    *("gdm-autologin", "gdm-fingerprint", "gdm-password", "gdm-smartcard", "lightdm", "lightdm-autologin"),
    *("sddm", "sddm-autologin", "su", "su-l", "sudo", "sudo-i", "systemd-user", "xdm", "xrdp-sesman"),
)
FOLDERS = ("/etc/pam.d", "/usr/lib/pam.d")
MAX_BYTES = 1 << 16
MAX_DEPTH = 8
#: Controls with which success ends a stage, or jumps over what follows.
_PASSES = re.compile(r"^sufficient$|=(done|[0-9]+)\b")


class Pam:
    """PAM's files below ``root`` ("": the machine's own)."""

    def __init__(self, root: str = "") -> None:
        self._root = root

    def fault(self) -> str:
        """Why the shared account stage does not ask our gate before it lets anybody pass; "" if it does."""
        lines = list(self._lines(COMMON))
        if not lines:
            return "there is no shared account stage (common-account) in /etc/pam.d"
        rules = [rule for kind, rule in lines if kind == "account"]
        for at in range(len(rules)):
            if tuple(rules[at : at + len(GATE)]) == GATE:
                return ""
            if _PASSES.search(rules[at][0]):
                break
        return "common-account does not ask it first (see pam-auth-update)"

    def holes(self) -> tuple[str, ...]:
        """The ways in, of those this machine has, that do not pass through the shared account stage."""
        return tuple(name for name in ENTRIES if self._exists(name) and not self._reaches(name, MAX_DEPTH))

    def _exists(self, service: str) -> bool:
        return any(os.path.isfile(f"{self._root}{folder}/{service}") for folder in FOLDERS)

    def _reaches(self, service: str, depth: int) -> bool:
        """Whether the account stage of ``service`` takes in the shared one, with no rule before it that may
        let somebody pass.
        """
        if service == COMMON:
            return True
        for kind, rule in self._lines(service):
            if kind == "include" and depth > 0 and self._reaches(rule[0], depth - 1):
                return True
            if kind == "account" and _PASSES.search(rule[0]):
                return False
        return False

    def _lines(self, service: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(``account``, words of the rule) or (``include``, service whose account stage is taken in)."""
        for line in self._text(service).replace("\\\n", " ").splitlines():
            words = tuple(_words(line.partition("#")[0]))
            if words[:1] == ("@include",) and len(words) == 2:
                yield "include", words[1:]
            elif len(words) > 2 and words[0].lower().lstrip("-") == "account":
                kind = "include" if words[1] in ("include", "substack") else "account"
                yield kind, words[2:] if kind == "include" else words[1:]

    def _text(self, service: str) -> str:
        for folder in FOLDERS:
            try:
                with open(f"{self._root}{folder}/{service}", encoding="utf-8", errors="replace") as file:
                    return file.read(MAX_BYTES)
            except OSError:
                continue
        return ""


def _words(line: str) -> Iterator[str]:
    """Words of a line of pam.conf(5): a control in square brackets is one, its spaces made single."""
    taken: list[str] = []
    for word in line.split():
        taken.append(word)
        if not taken[0].startswith("[") or word.endswith("]"):
            yield " ".join(taken)
            taken = []
