"""browser.search-engine: what browsers search with when somebody types words instead of an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Key, Record, Text, Type, Url, wrong

_WORDS = "{searchTerms}"
_URL = Url(most=500)


class SearchAddress:
    """An https address that holds ``{searchTerms}`` once, after its host. Both browsers put the words there;
    other braces mean something else to each.
    """

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _URL.read(node, problems)
        if not isinstance(text, str):
            return text
        if not text.startswith("https://"):
            return wrong(self, node, problems, why="what students search for would be read on the way")
        rest = text.replace(_WORDS, "", 1)
        if rest == text or _WORDS in urlsplit(text).netloc or "{" in rest or "}" in rest:
            return wrong(self, node, problems, why=f"it does not hold {_WORDS} once, after the host")
        return text

    def describe(self) -> str:
        """See `Type`."""
        return f"an address such as https://search.example/?q={_WORDS}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        pattern = r"^https://[^\s/?#@\\{}]+[/?#][^\s\\{}]*\{searchTerms\}[^\s\\{}]*$"
        return {**_URL.schema(), "pattern": pattern}


class BrowserSearchEngine(Setting):
    """No address for suggestions: nobody sees words before they are sent off."""

    key: ClassVar[str] = "browser.search-engine"
    about: ClassVar[str] = (
        "What Chromium and Firefox search with when somebody types words into the address bar. In Firefox "
        "students may choose another of its engines."
    )
    value: ClassVar[Type] = Record(
        {"name": Key(Text(most=40), required=True), "url": Key(SearchAddress(), required=True)},
        what="a search engine",
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school chose what words in the address bar are searched with. You can open any other "
        "search page that is not closed.",
        "ar": "اختارت مدرستك محرك البحث الذي يستخدمه شريط العناوين. ويمكنك فتح أي صفحة بحث أخرى غير مغلقة.",
    }
    example: ClassVar[str] = (
        "browser.search-engine:\n"
        '  value: {name: Library, url: "https://search.north.example/?q={searchTerms}"}'
    )

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, dict)  # noqa: S101
        name, url = value["name"], value["url"]
        policies = {
            "DefaultSearchProviderEnabled": True,
            "DefaultSearchProviderName": name,
            "DefaultSearchProviderSearchURL": url,
        }
        firefox = {"SearchEngines": {"Add": [{"Name": name, "URLTemplate": url}], "Default": name}}
        return Chromium(setting="search-engine", policies=policies), Firefox(firefox)

    def show(self, value: object) -> str:
        return str(value["name"]) if isinstance(value, dict) else str(value)
