"""dconf: desktop settings for every user through the machine's own database: forced with locks, or defaults
that each may change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Dconf as DconfHost
from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.filestate import look, part, put, text_file
from agent.policy.bases.resource import Resource
from agent.policy.resources.dconf_profile import DATABASE, DconfProfile
from agent.policy.syntax.nodes import Mapping as MappingNode
from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Flag, Key, Text, wrong

FOLDER = f"/etc/dconf/db/{DATABASE}.d"
#: The group that holds what is arranged for the student of this laptop; no policy's. Of two groups with one
#: key dconf takes the one whose file sorts last: no setting's sorts after it.
ARRANGED = "zz-arranged"
COMPILED = f"/etc/dconf/db/{DATABASE}"
#: What stands in place of the locks, so that somebody else's there are drift as any other.
_NO_LOCKS = "# Defaults: whoever is logged in may change them.\n"
_FLAG, _SECONDS = "true|false", "uint32 [0-9]{1,9}"
_NAME = "[A-Za-z0-9][A-Za-z0-9._-]*"
_PROGRAMS = rf"\[('{_NAME}\.desktop'(, (?!\])|(?=\])))+\]"
#: A picture of the machine's, in no folder but its own.
BACKGROUNDS = rf"/usr/share/backgrounds/({_NAME}/){{0,4}}{_NAME}\.(jpeg|jpg|png|svg|webp)"
_PICTURE = f"'(file://{BACKGROUNDS})?'"
#: A layout of XKB and its variant, an input method of IBus, and a locale's name: the shell that begins a
#: session reads that one.
LAYOUT = r"[a-z]{2,10}(\+[A-Za-z0-9_-]{1,28})?"
METHOD = r"[A-Za-z][A-Za-z0-9_-]{0,30}(:[A-Za-z0-9_-]{1,30}){0,3}"
LOCALE = r"[a-z]{2,3}_[A-Z]{2}\.UTF-8(@[a-z]{1,20})?"
_SOURCES = rf"\[(\(('xkb', '{LAYOUT}'|'ibus', '{METHOD}')\)(, (?!\])|(?=\])))+\]"
_MAGNIFIED = r"([1-9]|1[0-9]|20)\.0"
_HOUR = r"(1?[0-9]|2[0-3])\.0"
_IDLE, _ON_IDLE = "0|[1-9][0-9]{2,5}", "'(logout|suspend|nothing)'"
_SCALED = r"1\.(0|25|5|75)|2\.(0|25|5|75)|3\.0"  # what a fraction of two says exactly
#: Key → what its value may be, as a pattern. Anything else there makes the database of *all* groups
#: uncompilable, or makes the desktop fall back to its own default.
_HARMLESS = {
    "/org/gnome/desktop/a11y/applications/screen-keyboard-enabled": _FLAG,
    "/org/gnome/desktop/a11y/applications/screen-magnifier-enabled": _FLAG,
    "/org/gnome/desktop/a11y/applications/screen-reader-enabled": _FLAG,
    "/org/gnome/desktop/a11y/interface/high-contrast": _FLAG,
    "/org/gnome/desktop/a11y/keyboard/bouncekeys-enable": _FLAG,
    "/org/gnome/desktop/a11y/keyboard/slowkeys-enable": _FLAG,
    "/org/gnome/desktop/a11y/keyboard/stickykeys-enable": _FLAG,
    "/org/gnome/desktop/a11y/magnifier/mag-factor": _MAGNIFIED,
    "/org/gnome/desktop/background/color-shading-type": "'solid'",
    "/org/gnome/desktop/background/picture-options": "'(none|zoom)'",
    "/org/gnome/desktop/background/picture-uri": _PICTURE,
    "/org/gnome/desktop/background/picture-uri-dark": _PICTURE,
    "/org/gnome/desktop/background/primary-color": "'#[0-9a-f]{6}'",
    "/org/gnome/desktop/input-sources/sources": _SOURCES,
    "/org/gnome/desktop/interface/cursor-size": "24|32|48|64|96",
    "/org/gnome/desktop/interface/enable-animations": _FLAG,
    "/org/gnome/desktop/interface/text-scaling-factor": _SCALED,
    "/org/gnome/desktop/session/idle-delay": _SECONDS,
    "/org/gnome/desktop/screensaver/lock-enabled": _FLAG,
    "/org/gnome/desktop/screensaver/lock-delay": _SECONDS,
    "/org/gnome/desktop/lockdown/disable-command-line": _FLAG,
    "/org/gnome/desktop/lockdown/disable-lock-screen": _FLAG,
    "/org/gnome/desktop/lockdown/disable-log-out": _FLAG,
    "/org/gnome/desktop/lockdown/disable-user-switching": _FLAG,
    "/org/gnome/desktop/lockdown/mount-removable-storage-devices-as-read-only": _FLAG,
    "/org/gnome/desktop/media-handling/automount": _FLAG,
    "/org/gnome/desktop/media-handling/automount-open": _FLAG,
    "/org/gnome/desktop/media-handling/autorun-never": "true",
    "/org/gnome/desktop/remote-desktop/rdp/enable": "false",
    "/org/gnome/desktop/remote-desktop/vnc/enable": "false",
    "/org/gnome/settings-daemon/plugins/color/night-light-enabled": _FLAG,
    "/org/gnome/settings-daemon/plugins/color/night-light-schedule-automatic": _FLAG,
    "/org/gnome/settings-daemon/plugins/color/night-light-schedule-from": _HOUR,
    "/org/gnome/settings-daemon/plugins/color/night-light-schedule-to": _HOUR,
    "/org/gnome/settings-daemon/plugins/power/power-button-action": "'(interactive|suspend|nothing)'",
    "/org/gnome/settings-daemon/plugins/power/sleep-inactive-ac-timeout": _IDLE,
    "/org/gnome/settings-daemon/plugins/power/sleep-inactive-ac-type": _ON_IDLE,
    "/org/gnome/settings-daemon/plugins/power/sleep-inactive-battery-timeout": _IDLE,
    "/org/gnome/settings-daemon/plugins/power/sleep-inactive-battery-type": _ON_IDLE,
    "/org/gnome/shell/favorite-apps": _PROGRAMS,
    "/system/locale/region": f"'{LOCALE}'",
}
_PATH = Text(
    most=255,
    pattern=r"(/[A-Za-z0-9._-]+){2,}",
    what="a key path such as /org/gnome/desktop/session/idle-delay",
)
_VALUE = Text(most=4096, what='the value as GVariant text, such as "uint32 600" or "\'word\'"')


class _Keys:
    """Key path → GVariant text."""

    def read(self, node: Node, problems: Problems) -> object:
        if not isinstance(node, MappingNode) or not node.entries:
            return wrong(self, node, problems)
        values: dict[str, object] = {}
        for key, child in node.entries:
            name = _PATH.read(key, problems)
            value = _VALUE.read(child, problems)
            if isinstance(name, str) and value is not BAD:
                values[name] = value
        return values if len(values) == len(node.entries) else BAD

    def describe(self) -> str:
        return "a mapping of key paths to quoted GVariant texts"

    def schema(self) -> dict[str, object]:
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": _PATH.schema(),
            "additionalProperties": _VALUE.schema(),
        }


@dataclass(frozen=True, slots=True)
class Dconf(Resource):
    """One group of keys: a key file, its locks, and the database compiled from them. Without locks they are
    defaults: what everybody has who chose nothing else, and may change.
    """

    kind: ClassVar[str] = "dconf"
    about: ClassVar[str] = (
        "Desktop (GNOME) settings that every user gets; none can change them, unless they are defaults."
    )
    powers: ClassVar[str] = (
        f"Ordinary for {', '.join(f'`{key}`' for key in _HARMLESS)}, with a value of the key's own type."
    )
    direct: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("dconf",)
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    mends_effects: ClassVar[bool] = True
    taken_in: ClassVar[bool] = True
    keys: ClassVar[Mapping[str, Key]] = {
        "group": Key(
            Text(
                most=48,
                # The folder of the lock files is called locks.
                pattern=f"(?!(locks|{ARRANGED})$)[a-z][a-z0-9-]*",
                what=f"a short name of a-z, 0-9 and hyphens, other than locks and {ARRANGED}",
            ),
            required=True,
            about="names the key file; one group is one resource",
        ),
        "values": Key(_Keys(), required=True, about="key path → value as GVariant text"),
        "locked": Key(Flag(), about="false: each user may change them; true if left out"),
    }
    example: ClassVar[str] = (
        '- dconf: {group: screen-saver, values: {/org/gnome/desktop/session/idle-delay: "uint32 600"}}'
    )

    group: str
    values: Mapping[str, str] = field(default_factory=dict)
    locked: bool = True

    @property
    def name(self) -> str:
        return self.group

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(group=name)

    def record(self) -> dict[str, object]:
        """Without ``locked`` where it is as ever: what was compiled before there was a choice stays so."""
        made: dict[str, object] = {"group": self.group, "values": self.values}
        return made if self.locked else {**made, "locked": False}

    def power(self) -> tuple[Power, str]:
        other = sorted(set(self.values) - set(_HARMLESS))
        if other:
            return Power.ROOT, f"the desktop key {other[0]} is not known to be harmless"
        odd = sorted(key for key, value in self.values.items() if not re.fullmatch(_HARMLESS[key], value))
        if odd:
            return Power.ROOT, f"the value of the desktop key {odd[0]} is not of the key's own type"
        return Power.ORDINARY, ""

    def desired(self) -> State | None:
        return {
            "keys": text_file(self._key_file()),
            "locks": text_file(self._lock_file()),
            "effective": "yes",
        }

    def observe(self, host: Host) -> State | None:
        keys, locks = look(host, self._key_path), look(host, self._lock_path)
        return {"keys": keys, "locks": locks, "effective": self._effective(host)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        for path, name in ((self._key_path, "keys"), (self._lock_path, "locks")):
            wanted = part(after, name)
            if before is None or before[name] != wanted:
                put(host, path, wanted)
        names = host.files.names(FOLDER) or ()
        if any(name != "locks" for name in names):
            _dconf(host).compile(DATABASE)
        else:  # the last group is gone: the database was ours alone
            host.files.remove(COMPILED)

    def paths(self) -> tuple[str, ...]:
        return (self._key_path, self._lock_path)

    def claims(self) -> tuple[str, ...]:
        """Each key too: of two groups with one key, dconf would take the one whose file sorts last. What is
        arranged stands beside what policies say of the same.
        """
        if self.group == ARRANGED:
            return self.paths()
        return (*self.paths(), *(f"dconf-key:{key}" for key in self.values))

    def brings(self) -> tuple[Resource, ...]:
        return (DconfProfile(),)

    def watches(self) -> tuple[str, ...]:
        return (COMPILED,)

    def checklist(self) -> Mapping[str, State | None]:
        return {self._key_path: text_file(self._key_file()), self._lock_path: text_file(self._lock_file())}

    @property
    def _key_path(self) -> str:
        return f"{FOLDER}/{self.group}"

    @property
    def _lock_path(self) -> str:
        return f"{FOLDER}/locks/{self.group}"

    def _key_file(self) -> str:
        folders: dict[str, list[str]] = {}
        for key, value in sorted(self.values.items()):
            folder, _, last = key.rpartition("/")
            folders.setdefault(folder.strip("/"), []).append(f"{last}={value}")
        return "\n".join("\n".join([f"[{folder}]", *lines, ""]) for folder, lines in sorted(folders.items()))

    def _lock_file(self) -> str:
        return "".join(f"{key}\n" for key in sorted(self.values)) if self.locked else _NO_LOCKS

    def _effective(self, host: Host) -> str:
        """``yes``, or which user gets what instead, or could change it, or could not if it is a default."""
        dconf = _dconf(host)
        if self.values and look(host, COMPILED) is None:
            return "the compiled database is missing"
        # Only defaults give way to it: a file of that name, whoever wrote it, excuses nothing that is forced.
        over = _arranged(host) if not self.locked and self.group != ARRANGED else ()
        values = {key: value for key, value in self.values.items() if key not in over}
        for user in host.facts.users():
            try:
                wrong = self._wrong_for(user, dconf, values)
            except BookbagError as error:
                # Whose program will not answer (a pipe in place of their own database) keeps nobody's
                # settings from being written: it only cannot be said that they hold.
                return f"{user} cannot be asked: {error.message}"
            if wrong:
                return wrong if self.group != ARRANGED else f"{user} does not get what is arranged"
        return "yes"

    def _wrong_for(self, user: str, dconf: DconfHost, values: Mapping[str, str]) -> str:
        ask = dconf.effective if self.locked else dconf.default
        for key, value in sorted(values.items()):
            got = ask(user, key)
            if got is None or _number(got) != _number(value):
                return f"{user} gets {got or 'nothing'} for {key}"
        if not self.locked:
            held = [key for key in sorted(values) if not dconf.writable(user, key)]
            return f"{user} cannot change {', '.join(held)}" if held else ""
        if values and dconf.writable(user, *values):
            loose = [key for key in sorted(values) if dconf.writable(user, key)]
            return f"{user} could change {', '.join(loose) or 'a key just now'}"
        return ""


def _arranged(host: Host) -> frozenset[str]:
    """The keys that are arranged for the student: there is what every policy says of them, and that holds."""
    there = look(host, f"{FOLDER}/{ARRANGED}")
    content = there["content"] if there and there["kind"] == "file" else b""
    assert isinstance(content, bytes)  # noqa: S101
    found, folder = [], ""
    for line in content.decode(errors="replace").splitlines():
        if line.startswith("["):
            folder = line.strip("[]")
        elif "=" in line:
            found.append(f"/{folder}/{line.partition('=')[0]}")
    return frozenset(found)


def _number(text: str) -> str:
    """GVariant prints numbers with or without their type; the value is what counts."""
    return (
        text.rsplit(maxsplit=1)[-1] if text.startswith(("uint32 ", "int32 ", "uint64 ", "int64 ")) else text
    )


def _dconf(host: Host) -> DconfHost:
    return need(host.dconf, "dconf")
