"""Where the browsers' own administrative templates (chrome.admx, msedge.admx, firefox.admx) have each policy:
in which category, under which name, with which elements, of which length at most.

Read from the templates of Chrome 126, Edge 143 and Firefox 8.1 (in 2026); a policy that these tables do not
know is told, not guessed. Chrome's and Edge's are made by one program and follow one rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agent.core.errors import BookbagError
from agent.fleet.export.browsers import FIREFOX, Browser
from agent.fleet.export.registry import as_json

#: What is not in the first category of Chrome's and Edge's templates.
_CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "CertificateManagement": ("CACertificates",),
    "ContentSettings": ("DefaultPopupsSetting",),
    "DefaultSearchProvider": (
        "DefaultSearchProviderEnabled",
        "DefaultSearchProviderName",
        "DefaultSearchProviderSearchURL",
    ),
    "Extensions": ("ExtensionInstallBlocklist", "ExtensionInstallForcelist"),
    "PasswordManager": ("PasswordManagerEnabled",),
    "Startup": (
        "HomepageIsNewTabPage",
        "HomepageLocation",
        "RestoreOnStartup",
        "RestoreOnStartupURLs",
        "ShowHomeButton",
    ),
}
_CATEGORY: Final = {name: category for category, names in _CATEGORIES.items() for name in names}
_CHROMIUM_MOST: Final = 1_000_000
_JSON_MOST: Final = 16_384
_TEXT_MOST: Final = 1_023
_ENGINES_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """One policy of a template: switched on or off, or given these elements."""

    category: str
    policy: str
    data: tuple[tuple[str, str | list[str]], ...] = ()
    switch: bool | None = None


#: Policies of Firefox that are a switch: where they are.
_SWITCHES: Final[Mapping[str, tuple[str, str]]] = {
    "DNSOverHTTPS.Enabled": ("DNSOverHTTPS", "DNSOverHTTPS_Enabled"),
    "DNSOverHTTPS.Locked": ("DNSOverHTTPS", "DNSOverHTTPS_Locked"),
    "DisableDeveloperTools": ("", "DisableDeveloperTools"),
    "DisableFirefoxAccounts": ("", "DisableFirefoxAccounts"),
    "DisablePrivateBrowsing": ("", "DisablePrivateBrowsing"),
    "OfferToSaveLogins": ("", "OfferToSaveLogins"),
    "PasswordManagerEnabled": ("", "PasswordManagerEnabled"),
    "PopupBlocking.Default": ("Popups", "PopupBlocking_Default"),
    "PopupBlocking.Locked": ("Popups", "PopupBlocking_Locked"),
    "ShowHomeButton": ("Homepage", "Homepage_ShowHomeButton"),
}
#: Those that are a text: where they are, the element, and how long it may be.
_TEXTS: Final[Mapping[str, tuple[str, str, str, int]]] = {
    "DisplayBookmarksToolbar": (
        "",
        "DisplayBookmarksToolbar_Enum",
        "DisplayBookmarksToolbar",
        _TEXT_MOST,
    ),
    "DownloadDirectory": ("", "DownloadDirectory", "Preferences_String", _TEXT_MOST),
    "ExtensionSettings": ("Extensions", "ExtensionSettingsOneLine", "JSONOneLine", _JSON_MOST),
    "Homepage.StartPage": ("Homepage", "HomepageStartPage", "StartPage", _TEXT_MOST),
    "ManagedBookmarks": ("", "ManagedBookmarksOneLine", "JSONOneLine", _JSON_MOST),
    "SearchEngines.Default": ("Search", "SearchEngines_Default", "SearchEngines_Default", _TEXT_MOST),
    "WebsiteFilter": ("", "WebsiteFilterOneLine", "JSONOneLine", _JSON_MOST),
}


def asked(browser: Browser, policy: str, value: object) -> Iterator[Asked]:
    """What the browser's template is asked for. Raises ``not-supported`` for what it has no place for."""
    if browser == FIREFOX:
        yield from _firefox(policy, value)
    elif policy not in browser.vocabulary():
        raise _unknown(policy)
    else:
        yield _chromium(policy, value)


def _chromium(policy: str, value: object) -> Asked:
    category = _CATEGORY.get(policy, "")
    if isinstance(value, bool):
        return Asked(category, policy, switch=value)
    if value == []:
        return Asked(category, policy, switch=False)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return Asked(category, policy, ((f"{policy}Desc", [_short(one, _CHROMIUM_MOST) for one in value]),))
    text = as_json(value) if isinstance(value, Mapping | list) else str(value)
    return Asked(category, policy, ((policy, _short(text, _CHROMIUM_MOST)),))


def _firefox(policy: str, value: object) -> Iterator[Asked]:
    if policy in _TEXTS:
        category, name, element, most = _TEXTS[policy]
        text = as_json(value) if isinstance(value, Mapping | list) else str(value)
        yield Asked(category, name, ((element, _short(text, most)),))
    elif policy in _SWITCHES:
        yield Asked(*_SWITCHES[policy], switch=bool(value))
    elif policy == "SearchEngines.Add" and isinstance(value, list):
        yield from _engines(value)
    elif isinstance(value, Mapping):
        yield from _parts(policy, dict(value))
    else:
        raise _unknown(policy)


def _parts(policy: str, value: dict[str, object]) -> Iterator[Asked]:
    """A policy whose keys the template has one by one; the home page and its lock it has as one."""
    if policy == "Homepage" and "URL" in value:
        url, locked = _short(str(value.pop("URL")), _TEXT_MOST), bool(value.pop("Locked", False))
        data = (("HomepageURL", url), ("HomepageLocked", str(locked).lower()))
        yield Asked("Homepage", "HomepageURL", data)
    for key, inner in value.items():
        yield from _firefox(f"{policy}.{key}", inner)


def _engines(value: list[Mapping[str, object]]) -> Iterator[Asked]:
    if len(value) > _ENGINES_MOST:
        raise BookbagError("not-supported", f"its template has room for {_ENGINES_MOST} search engines")
    for number, engine in enumerate(value, start=1):
        data = tuple((f"SearchEngine_{key}", _short(str(text), _TEXT_MOST)) for key, text in engine.items())
        yield Asked("Search", f"SearchEngines_{number}", data)


def _short(text: str, most: int) -> str:
    if len(text) > most:
        raise BookbagError("not-supported", f"its template takes {most} characters here, not {len(text)}")
    return text


def _unknown(policy: str) -> BookbagError:
    return BookbagError("not-supported", f"its template has no {policy}")
