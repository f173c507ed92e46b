"""chromium: managed policies of the Chromium browser, one file per setting, read back as Chromium
merges them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.host.base import Host
from agent.policy.bases.managed import Managed, overridden
from agent.policy.bases.resource import Resource
from agent.policy.resources.other_browser import copies

FOLDER = "/etc/chromium/policies/managed"


@dataclass(frozen=True, slots=True)
class Chromium(Managed):
    """One file ``bookbag-NAME.json`` of managed policies."""

    kind: ClassVar[str] = "chromium"
    about: ClassVar[str] = "Managed policies of the Chromium browser."
    harmless: ClassVar[frozenset[str]] = frozenset(
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
            "ExtensionInstallBlocklist",
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
            "URLAllowlist",
            "URLBlocklist",
        )
    )

    powerful: ClassVar[frozenset[str]] = frozenset(("CACertificates", "ExtensionInstallForcelist"))

    setting: str
    policies: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.setting

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(setting=name)

    @property
    def path(self) -> str:
        return f"{FOLDER}/bookbag-{self.setting}.json"

    def copies(self) -> tuple[Resource, ...]:
        return copies(self)

    def watches(self) -> tuple[str, ...]:
        return (FOLDER,)

    def _overridden(self, host: Host) -> Iterator[str]:
        return overridden(host, self.path, self.policies)
