"""firefox: managed policies of the Firefox browser, all in the one file that it reads.

Firefox looks for ``/etc/firefox/policies/policies.json`` first, as a Debian package and as a snap, and then
reads no other file (https://mozilla.github.io/policy-templates/). So each setting gives its part of it.
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

PATH = "/etc/firefox/policies/policies.json"
_NAME = "policies"
#: What an ordinary policy may set, as for Chromium: anything else is root power until someone has thought
#: about it.
_HARMLESS = frozenset(
    (
        "DNSOverHTTPS",
        "DisableDeveloperTools",
        "DisableFirefoxAccounts",
        "DisablePrivateBrowsing",
        "DisplayBookmarksToolbar",
        "DownloadDirectory",
        "Homepage",
        "ManagedBookmarks",
        "OfferToSaveLogins",
        "PasswordManagerEnabled",
        "PopupBlocking",
        "SearchEngines",
        "ShowHomeButton",
        "WebsiteFilter",
    )
)


@dataclass(frozen=True, slots=True)
class Firefox(Resource):
    """The whole file, or one setting's part of it."""

    kind: ClassVar[str] = "firefox"
    about: ClassVar[str] = "Managed policies of the Firefox browser."
    shared: ClassVar[bool] = True
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))

    policies: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return _NAME

    @classmethod
    def named(cls, name: str) -> Self:
        del name  # there is one file
        return cls()

    def joined(self, other: Self) -> Self:
        return type(self)({**self.policies, **other.policies})

    def power(self) -> tuple[Power, str]:
        other = sorted(set(self.policies) - _HARMLESS)
        return (
            (Power.ROOT, f"the browser policy {other[0]} is not harmless") if other else (Power.ORDINARY, "")
        )

    def desired(self) -> State | None:
        return {"file": self._file(), "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        return {"file": look(host, PATH), "effective": self._effective(host)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        wanted = None if after is None else after["file"]
        assert wanted is None or isinstance(wanted, Mapping)  # noqa: S101
        put(host, PATH, wanted)

    def paths(self) -> tuple[str, ...]:
        return (PATH,)

    def checklist(self) -> Mapping[str, State | None]:
        return {PATH: self._file()}

    def _file(self) -> State:
        whole = {"policies": dict(self.policies)}
        return text_file(json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n")

    def _effective(self, host: Host) -> str:
        """``yes``, or why a student's Firefox does not get these values."""
        for folder in parents(PATH):
            node = host.files.read(folder)
            if node is not None and node.kind == "directory" and node.mode & 0o005 != 0o005:
                return f"students may not read the folder {folder}"
        return "yes"
