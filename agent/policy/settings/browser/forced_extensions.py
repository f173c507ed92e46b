"""browser.forced-extensions: extensions that browsers install by themselves and nobody can remove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Key, ListOf, Record, Text, Type, Url, wrong

_CHROME_STORE: Final = "https://clients2.google.com/service/update2/crx"
_FIREFOX_STORE: Final = "https://addons.mozilla.org/firefox/downloads/latest/{}/latest.xpi"
_CHROMIUM_ID = Text(most=32, pattern="[a-p]{32}", what="an id of 32 letters from a to p")
_FIREFOX_ID = Text(
    most=80,
    pattern=r"\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}|[A-Za-z0-9._-]*@[A-Za-z0-9._-]+",
    what="an id such as name@maker.example or {01234567-89ab-cdef-0123-456789abcdef}",
)


class SafeUrl:
    """An https address: whoever changed what is loaded would read along. A semicolon would end it."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = Url().read(node, problems)
        if not isinstance(text, str):
            return text
        if not text.startswith("https://"):
            return wrong(self, node, problems, why="what is loaded could be changed on the way")
        if ";" in text:
            return wrong(self, node, problems, why="browsers take ; for the end of it", remedy="write %3B")
        return text

    def describe(self) -> str:
        """See `Type`."""
        return "an address that begins with https://"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {**Url().schema(), "pattern": r"^https://[^\s/?#@\\;|]+([/?#][^\s\\;|]*)?$"}


_KEYS = Record(
    {
        "name": Key(Text(most=60), required=True, about="as people call it"),
        "chromium": Key(_CHROMIUM_ID, about="its id for Chromium, Chrome and Edge"),
        "chromium-url": Key(SafeUrl(), about="where its updates are listed; without it Chrome's store"),
        "firefox": Key(_FIREFOX_ID, about="its id for Firefox"),
        "firefox-url": Key(SafeUrl(), about="where it is loaded from; without it Mozilla's store"),
    },
    what="an extension",
)


class Extension:
    """One extension, for one family of browsers at least; an address only beside an id."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        value = _KEYS.read(node, problems)
        if not isinstance(value, dict):
            return value
        if not {"chromium", "firefox"} & set(value):
            return wrong(self, node, problems, why="it has no id", remedy="write chromium, firefox or both")
        for family in ("chromium", "firefox"):
            if f"{family}-url" in value and family not in value:
                return wrong(self, node, problems, why=f"it has {family}-url and no {family}")
        return value

    def describe(self) -> str:
        """See `Type`."""
        return f"{_KEYS.describe()}; chromium or firefox at least"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        needs = {f"{family}-url": [family] for family in ("chromium", "firefox")}
        either: list[object] = [{"required": [family]} for family in ("chromium", "firefox")]
        return {**_KEYS.schema(), "anyOf": either, "dependentRequired": needs}


class BrowserForcedExtensions(Setting):
    """Chromium's ExtensionInstallForcelist, which Chrome and Edge have too, and Firefox's ExtensionSettings.
    Where two policies give one id different addresses, the farther rank's holds.
    """

    key: ClassVar[str] = "browser.forced-extensions"
    about: ClassVar[str] = (
        "Extensions that Chromium, Chrome, Edge and Firefox install by themselves, from their stores or from "
        "an address of the school, and that nobody can remove. They come also where `browser.extensions` "
        "is blocked. When this is withdrawn Chromium drops them by itself; in Firefox they stay until people "
        "remove them, as they then may."
    )
    powers: ClassVar[str] = "an extension reads and changes every page, and what is typed into it"
    value: ClassVar[Type] = ListOf(Extension(), most=50)
    merge: ClassVar[Merge] = Merge.UNION
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school added these extensions to the browser, and two persons had to agree. An extension "
        "can read the pages you open. Ask if you want to know what it does.",
        "ar": "أضافت مدرستك هذه الإضافات إلى المتصفح بموافقة شخصين. "
        "تستطيع الإضافة قراءة الصفحات التي تفتحها. اسأل إذا أردت معرفة ما تفعله.",
    }
    example: ClassVar[str] = (
        "browser.forced-extensions:\n"
        "  - {name: uBlock Origin Lite, chromium: ddkjiahejlhfcafbddmgiahcphecmpfh, "
        "firefox: uBOLite@raymondhill.net}"
    )

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        listed: dict[str, str] = {}
        settings: dict[str, dict[str, str]] = {}
        for one in value:
            if "chromium" in one:
                listed.setdefault(one["chromium"], one.get("chromium-url", _CHROME_STORE))
            if "firefox" in one:
                url = one.get("firefox-url", _FIREFOX_STORE.format(one["firefox"]))
                forced = {"installation_mode": "force_installed", "install_url": url}
                settings.setdefault(one["firefox"], forced)
        made: list[Resource] = []
        if listed:
            policies = {"ExtensionInstallForcelist": [f"{key};{url}" for key, url in listed.items()]}
            made.append(Chromium(setting="forced-extensions", policies=policies))
        if settings:
            made.append(Firefox({"ExtensionSettings": settings}))
        return tuple(made)

    def show(self, value: object) -> str:
        return ", ".join(str(one["name"]) for one in value) if isinstance(value, list) else str(value)
