"""Policies as a custom profile of Microsoft Intune: what `POST deviceManagement/deviceConfigurations` of
Microsoft Graph takes, one OMA-URI for each policy.

A custom profile and not the settings catalogue: the addresses here are those of the browsers' own templates,
which their makers publish; the catalogue's numbers only Intune tells, and other browsers than Edge come late
into it. The templates must have been given to Intune before, as Chrome, Edge and Firefox:
https://support.google.com/chrome/a/answer/9102677, https://learn.microsoft.com/deployedge/configure-edge-with-mdm,
https://github.com/mozilla/policy-templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agent.core.errors import BookbagError
from agent.fleet.export.browsers import BROWSERS, Browser, on_windows
from agent.fleet.export.gathering import Gathered, Left
from agent.fleet.export.templates import Asked, asked

FORM: Final = "Intune"
SUFFIX: Final = ".intune.json"
_DEVICE: Final = "./Device/Vendor/MSFT/Policy/Config"
_MARK: Final = "\uf000"  # between the parts of a list
_MOST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    about: str
    address: str
    value: str


def write(gathered: Gathered) -> tuple[bytes, list[Left]]:
    """A group's file, and what it leaves out."""
    settings: list[_Setting] = []
    left: list[Left] = []
    for browser in BROWSERS:
        for policy, value in sorted(on_windows(gathered.policies[browser.name]).items()):
            by = ", ".join(gathered.settings[browser.name].get(policy, ()))
            try:
                settings += [*_settings(browser, policy, value, by)]
            except BookbagError as error:
                left += gathered.lacking(browser, policy, FORM, error.message)
    profile = {
        "@odata.type": "#microsoft.graph.windows10CustomConfiguration",
        "displayName": f"Bookbag: {gathered.group.name}"[:_MOST_NAME],
        "description": "Browser settings, written by bookbag-fleet export. Change the policies, not this.",
        "omaSettings": [
            {
                "@odata.type": "#microsoft.graph.omaSettingString",
                "displayName": one.name,
                "description": one.about,
                "omaUri": one.address,
                "value": one.value,
            }
            for one in settings
        ],
    }
    return f"{json.dumps(profile, indent=2, ensure_ascii=False)}\n".encode(), left


def _settings(browser: Browser, policy: str, value: object, by: str) -> Iterator[_Setting]:
    for one in asked(browser, policy, value):
        category = f"~{one.category}" if one.category else ""
        root = {"Chrome": "googlechrome", "Edge": "microsoft_edge", "Firefox": "firefox"}[browser.name]
        address = f"{_DEVICE}/{browser.name}~Policy~{root}{category}/{one.policy}"
        yield _Setting(f"{browser.name}: {one.policy}", by, address, _value(one))


def _value(one: Asked) -> str:
    if one.switch is not None:
        return "<enabled/>" if one.switch else "<disabled/>"
    data = (f'<data id="{name}" value="{_attribute(text)}"/>' for name, text in one.data)
    return f"<enabled/>{''.join(data)}"


def _attribute(value: str | list[str]) -> str:
    """A text, or a list with its numbers, within quotes of XML."""
    if isinstance(value, list):
        numbered = [part for number, text in enumerate(value, start=1) for part in (str(number), text)]
        return "&#xF000;".join(map(_escaped, numbered))
    return _escaped(value)


def _escaped(text: str) -> str:
    if _MARK in text or any(ord(one) < 0x20 or 0xD800 <= ord(one) < 0xE000 for one in text):
        raise BookbagError("not-supported", "a text with control characters cannot be sent to Windows")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
