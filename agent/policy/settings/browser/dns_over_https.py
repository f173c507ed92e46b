"""browser.dns-over-https: whether browsers look names up on their own, past the network's name servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox


class BrowserDnsOverHttps(Graded):
    """Chromium's DnsOverHttpsMode and Firefox's DNSOverHTTPS. Allowed means as the browser sees fit: a
    student may choose in Firefox; Chromium gives managed laptops no choice.
    """

    key: ClassVar[str] = "browser.dns-over-https"
    about: ClassVar[str] = (
        "Whether Chromium and Firefox may ask a name server of their own over https, past those of the "
        "network. Blocked, names that only the school's network knows are found, and a filter in it is asked."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "How this browser finds sites by name is the school's decision, so that the school's own "
        "sites are found in its network.",
        "ar": "تقرّر المدرسة كيف يعثر المتصفح على المواقع بأسمائها، كي تُفتح مواقع المدرسة داخل شبكتها.",
    }
    example: ClassVar[str] = "browser.dns-over-https: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        blocked = value == self.words[-1]
        chromium = {"DnsOverHttpsMode": "off" if blocked else "automatic"}
        firefox = {"Enabled": False, "Locked": True} if blocked else {"Locked": False}
        return Chromium(setting="dns-over-https", policies=chromium), Firefox({"DNSOverHTTPS": firefox})
