"""firefox: managed policies of the Firefox browser, all in the one file that it reads.

Firefox looks for ``/etc/firefox/policies/policies.json`` first, as a Debian package and as a snap, and then
reads no other file (https://mozilla.github.io/policy-templates/). So each setting gives its part of it. It
reads them when it starts: "effective" means what the next start gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.host.base import Host
from agent.policy.bases.managed import Managed
from agent.policy.bases.resource import Resource
from agent.policy.resources.other_browser import copies

PATH = "/etc/firefox/policies/policies.json"
#: Where Debian's own is, if it is there.
DEBIANS = "/usr/lib/firefox-esr"
#: Through it a program that has a list of authorities of its own sees the machine's too, as that is at the
#: time. What `Certificates.Install` gives to a profile would stay there when the policy is gone.
#: https://wiki.debian.org/Firefox/PrivateCertificateAuthority
MACHINES_LIST = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-trust.so"
_NAME = "policies"


@dataclass(frozen=True, slots=True)
class Firefox(Managed):
    """The whole file, or one setting's part of it."""

    kind: ClassVar[str] = "firefox"
    about: ClassVar[str] = "Managed policies of the Firefox browser, which reads them when it starts."
    harmless: ClassVar[frozenset[str]] = frozenset(
        (
            "DNSOverHTTPS.Enabled",
            "DNSOverHTTPS.Locked",
            "DisableDeveloperTools",
            "DisableFirefoxAccounts",
            "DisablePrivateBrowsing",
            "DisplayBookmarksToolbar",
            "DownloadDirectory",
            "ExtensionSettings.*",  # the default, which can bring none
            "Homepage.Locked",
            "Homepage.StartPage",
            "Homepage.URL",
            "ManagedBookmarks",
            "OfferToSaveLogins",
            "PasswordManagerEnabled",
            "PopupBlocking.Default",
            "PopupBlocking.Locked",
            "SearchEngines.Add",
            "SearchEngines.Default",
            "ShowHomeButton",
            "WebsiteFilter.Block",
            "WebsiteFilter.Exceptions",
        )
    )

    policies: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return _NAME

    @classmethod
    def named(cls, name: str) -> Self:
        del name  # there is one file
        return cls()

    @property
    def path(self) -> str:
        return PATH

    def copies(self) -> tuple[Resource, ...]:
        return copies(self)

    def written(self) -> Mapping[str, object]:
        return {"policies": dict(self.policies)}

    def _overridden(self, host: Host) -> Iterator[str]:
        if "SecurityDevices" in self.policies and host.files.names(DEBIANS) is not None:
            folder, _, module = MACHINES_LIST.rpartition("/")
            if module not in (host.files.names(folder) or ()):
                yield "Firefox cannot ask for the machine's authorities: install the package p11-kit-modules"
