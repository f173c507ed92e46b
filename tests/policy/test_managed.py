"""Whose power a browser's policies take: decided on what they come to, key by key."""

from __future__ import annotations

import pytest

from agent.core.model import Power
from agent.policy.bases.managed import Managed
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        (Firefox({"Extensions": {"Install": []}}), "Extensions.Install"),
        (Firefox({"DNSOverHTTPS": {"Enabled": True, "ProviderURL": "x"}}), "DNSOverHTTPS.ProviderURL"),
        (Firefox({"PopupBlocking": {"Allow": ["https://a.example"]}}), "PopupBlocking.Allow"),
        (Firefox({"Homepage": {"Additional": ["https://a.example"]}}), "Homepage.Additional"),
        (Firefox({"DNSOverHTTPS": True}), "DNSOverHTTPS"),
        (Chromium("x", {"DnsOverHttpsTemplates": "https://a.example"}), "DnsOverHttpsTemplates"),
        (Chromium("x", {"URLBlocklist": {"more": 1}}), "URLBlocklist.more"),
        (Chromium("x", {"ExtensionInstallForcelist": []}), "ExtensionInstallForcelist"),
        (Firefox({"ExtensionSettings": {"*": {}, "a@b": {}}}), "ExtensionSettings.a@b"),
    ],
)
def test_what_nobody_thought_about_is_root_power_also_within_a_policy(resource: Managed, named: str) -> None:
    assert resource.power() == (Power.ROOT, f"the browser policy {named} is not harmless")


def test_the_control_what_settings_come_to_is_not() -> None:
    for policies in (
        {"DNSOverHTTPS": {"Enabled": False, "Locked": True}, "DisableDeveloperTools": True},
        {"Homepage": {"URL": "https://a.example/", "StartPage": "homepage-locked", "Locked": True}},
    ):
        assert Firefox(policies).power() == (Power.ORDINARY, "")
