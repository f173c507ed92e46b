"""chromium: managed policies of the Chromium browser, one file per setting, read back as Chromium
merges them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.filestate import look, parents, put, text_file
from agent.policy.resource import Resource

FOLDER = "/etc/chromium/policies/managed"
#: What an ordinary policy may set: pages, lists and switches. Anything else could install or redirect,
#: so it is root power until someone has thought about it and put it here.
_HARMLESS = frozenset(
    (
        "BookmarkBarEnabled",
        "BrowserGuestModeEnabled",
        "BrowserSignin",
        "DefaultPopupsSetting",
        "DefaultSearchProviderEnabled",
        "DefaultSearchProviderName",
        "DefaultSearchProviderSearchURL",
        "DeveloperToolsAvailability",
        "DnsOverHttpsMode",
        "DownloadDirectory",
        "ForceGoogleSafeSearch",
        "ForceYouTubeRestrict",
        "HomepageIsNewTabPage",
        "HomepageLocation",
        "IncognitoModeAvailability",
        "ManagedBookmarks",
        "PasswordManagerEnabled",
        "RestoreOnStartup",
        "RestoreOnStartupURLs",
        "ShowHomeButton",
        "SyncDisabled",
        "URLBlocklist",
    )
)


@dataclass(frozen=True, slots=True)
class Chromium(Resource):
    """One file ``bookbag-NAME.json`` of managed policies."""

    kind: ClassVar[str] = "chromium"
    about: ClassVar[str] = "Managed policies of the Chromium browser."
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))

    setting: str
    policies: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.setting

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(setting=name)

    def power(self) -> tuple[Power, str]:
        other = sorted(set(self.policies) - _HARMLESS)
        return (
            (Power.ROOT, f"the browser policy {other[0]} is not harmless") if other else (Power.ORDINARY, "")
        )

    @property
    def path(self) -> str:
        """Where Chromium reads it."""
        return f"{FOLDER}/bookbag-{self.setting}.json"

    def desired(self) -> State | None:
        return {"file": self._file(), "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        there = look(host, self.path)
        return {"file": there, "effective": self._effective(host)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        wanted = None if after is None else after["file"]
        assert wanted is None or isinstance(wanted, Mapping)  # noqa: S101
        put(host, self.path, wanted)

    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    def watches(self) -> tuple[str, ...]:
        return (FOLDER,)

    def checklist(self) -> Mapping[str, State | None]:
        return {self.path: self._file()}

    def _file(self) -> State:
        return text_file(json.dumps(dict(self.policies), indent=1, sort_keys=True, ensure_ascii=False) + "\n")

    def _effective(self, host: Host) -> str:
        """``yes``, or why a student's Chromium does not get these values."""
        for folder in (*parents(FOLDER), FOLDER):
            node = host.files.read(folder)
            if node is not None and node.kind == "directory" and node.mode & 0o005 != 0o005:
                return f"students may not read the folder {folder}"
        later = [name for name in host.files.names(FOLDER) or () if name > f"bookbag-{self.setting}.json"]
        for (
            name
        ) in later:  # Chromium reads every file of the folder; the last in this order has the last word
            stolen = sorted(set(_policies(host, f"{FOLDER}/{name}")) & set(self.policies))
            if stolen:
                return f"{FOLDER}/{name} overrides {stolen[0]}"
        return "yes"


def _policies(host: Host, path: str) -> Mapping[str, object]:
    """The policies in one file of someone else's; Chromium skips a file it cannot read, and so do we."""
    state = look(host, path)
    if state is None or state["kind"] != "file":
        return {}
    content = state["content"]
    try:
        value = json.loads(content) if isinstance(content, bytes) else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
