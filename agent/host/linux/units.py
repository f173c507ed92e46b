"""The service manager of a real machine, asked through systemctl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from agent.core.errors import BookbagError
from agent.host.processes import run

SECONDS = 90.0  #: for one question or change; systemd's own patience with a service that will not stop
#: What network managers and clocks order themselves before or after: what is found there is kept on a locked
#: laptop.
ANCHORS = (
    *("network-pre.target", "network.target", "network-online.target", "nss-lookup.target"),
    *("time-set.target", "time-sync.target"),
)
KINDS = (".automount", ".mount", ".path", ".service", ".socket", ".swap", ".target", ".timer")
#: Belong to one session, or are ours.
NOT_STANDING = (
    "bookbag*",
    "user@*.service",
    "user-runtime-dir@*.service",
    "run-user-*.mount",
    "run-credentials-*",
)
PROPERTIES = (
    *("Id", "ActiveState", "CanStart", "Transient", "Type", "RemainAfterExit", "TriggeredBy"),
    *("WantedBy", "RequiredBy"),
)


class LinuxUnits:
    """systemd, as root."""

    def standing(self) -> tuple[str, ...]:
        found = self._shown(("*",))
        return tuple(sorted(one["Id"] for one in found if stands(one)))

    def active(self, patterns: Iterable[str]) -> tuple[str, ...]:
        wanted = tuple(patterns)
        names = (
            one["Id"] for one in self._shown(wanted) if one.get("ActiveState") not in ("inactive", "failed")
        )
        return tuple(sorted({name for name in names if any(fnmatchcase(name, one) for one in wanted)}))

    def network(self) -> tuple[str, ...]:
        ordered = self._ask("show", "--property=After", "--property=Before", "--value", *ANCHORS).split()
        wanted = {name for name in ordered if name.endswith((".service", ".socket"))}
        return self.active(sorted(wanted)) if wanted else ()

    def reload(self) -> None:
        self._do("daemon-reload")

    def isolate(self, target: str) -> None:
        self._do("isolate", target)

    def start(self, units: Iterable[str]) -> None:
        missing = sorted(set(units) - set(self.active(("*",))))
        if missing:
            self._try("start", *missing)

    def stop(self, patterns: Iterable[str]) -> None:
        going = self.active(patterns)
        if going:
            self._do("stop", *going)

    def properties(self, unit: str, names: Sequence[str]) -> Mapping[str, str]:
        """What systemd says of one unit, loaded or not."""
        found = blocks(self._ask("show", f"--property={','.join(names)}", "--", unit))
        return found[0] if found else {}

    def text(self, unit: str, name: str) -> str:
        """One property of a unit as it is printed: a list has a line for each entry."""
        return self._ask("show", f"--property={name}", "--", unit)

    def source(self, unit: str) -> str:
        """The unit's file and its drop-ins, one after the other; "" if it has none."""
        ended = run(("systemctl", "--no-pager", "cat", "--", unit), timeout=SECONDS)
        return ended.text if ended.status == 0 else ""

    def renew(self, unit: str) -> None:
        """Have a running unit read its configuration again, or start it again where it cannot."""
        self._do("try-reload-or-restart", "--", unit)

    def set_active(self, unit: str, active: bool) -> None:
        """Start or stop one unit."""
        self._do("start" if active else "stop", "--", unit)

    def forgive(self, unit: str) -> None:
        """Forget that ``unit`` failed, and how often it was started lately."""
        self._try("reset-failed", "--", unit)

    def signal(self, unit: str, name: str) -> None:
        """Send the main process of ``unit`` the signal ``name``; if it is not running, nothing."""
        if self.active((unit,)):
            self._try("kill", f"--signal={name}", "--kill-whom=main", unit)

    def kill(self, patterns: Sequence[str]) -> None:
        """SIGKILL every process of the units that match."""
        going = self.active(patterns)
        if going:
            self._try("kill", "--signal=KILL", *going)

    def _shown(self, patterns: Sequence[str]) -> list[Mapping[str, str]]:
        """The properties of the loaded units that match."""
        chosen = [f"--property={','.join(PROPERTIES)}"]
        return blocks(self._ask("show", *chosen, "--all", *patterns))

    def _ask(self, *words: str) -> str:
        ended = run(("systemctl", "--no-pager", *words), timeout=SECONDS)
        if ended.status != 0:
            raise _failed(words, ended.complaint)
        return ended.text

    def _do(self, *words: str) -> None:
        self._ask("--no-ask-password", *words)

    def _try(self, *words: str) -> None:
        """As `_do`, but what cannot be done is left: it holds up nothing."""
        run(("systemctl", "--no-pager", "--no-ask-password", *words), timeout=SECONDS)


def stands(unit: Mapping[str, str]) -> bool:
    """Whether a unit with these properties runs by standing order."""
    name = unit.get("Id", "")
    if unit.get("ActiveState") != "active" or unit.get("CanStart") != "yes" or unit.get("Transient") == "yes":
        return False
    if not name.endswith(KINDS) or any(fnmatchcase(name, pattern) for pattern in NOT_STANDING):
        return False
    if unit.get("Type") == "oneshot" and unit.get("RemainAfterExit") != "yes":
        return False
    ordered = bool(unit.get("WantedBy") or unit.get("RequiredBy"))
    comes_when_asked = unit.get("Type") == "dbus" or bool(unit.get("TriggeredBy"))
    return ordered or not comes_when_asked


def blocks(text: str) -> list[Mapping[str, str]]:
    """What ``systemctl show`` prints about several units: one mapping each."""
    found: list[Mapping[str, str]] = []
    for block in text.split("\n\n"):
        pairs = (line.partition("=") for line in block.splitlines() if "=" in line)
        one = {name: value for name, _, value in pairs}
        if one.get("Id"):
            found.append(one)
    return found


def _failed(words: Sequence[str], complaint: str) -> BookbagError:
    return BookbagError(
        "not-effective",
        f"cannot have systemd do {' '.join(words)[:200]!r}: {complaint}",
        remedy="see: journalctl -b",
    )
