"""The library as pages need it: a store that is absent or damaged is an empty one, and texts are the
reader's."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from agent.content.languages import best, closeness
from agent.content.library import SHORT, Hit, Item, Page
from agent.content.words import words
from agent.core.errors import BookbagError
from agent.portal.html import Html
from agent.portal.visit import Visit, written

MOST_HITS = 50
#: Languages by their own names.
NAMES = {
    **{"am": "አማርኛ", "ar": "العربية", "bn": "বাংলা", "de": "Deutsch", "en": "English", "es": "Español"},
    **{"fa": "فارسی", "fr": "Français", "ha": "Hausa", "he": "עברית", "hi": "हिन्दी", "id": "Indonesia"},
    **{"it": "Italiano", "ja": "日本語", "km": "ខ្មែរ", "ko": "한국어", "ku": "Kurdî", "my": "မြန်မာ"},
    **{"ne": "नेपाली", "nl": "Nederlands", "pl": "Polski", "ps": "پښتو", "pt": "Português", "ro": "Română"},
    **{"ru": "Русский", "so": "Soomaali", "sw": "Kiswahili", "ta": "தமிழ்", "th": "ไทย", "ti": "ትግርኛ"},
    **{"tr": "Türkçe", "uk": "Українська", "ur": "اردو", "uz": "O’zbek", "vi": "Tiếng Việt", "zh": "中文"},
}


def items(visit: Visit) -> tuple[Item, ...]:
    """Everything that is meant for this laptop, what the reader understands first."""
    try:
        found = visit.parts.library.items()
    except BookbagError:
        return ()
    return tuple(sorted(found, key=lambda one: (not one.opens, nearness(visit, one.lang), title(visit, one))))


def item(visit: Visit, key: str) -> Item | None:
    """One of them."""
    try:
        return visit.parts.library.item(key)
    except BookbagError:
        return None


def nearness(visit: Visit, lang: str) -> int:
    """How well the reader is served by ``lang``; smaller is better."""
    return closeness(lang, reads(visit))


def reads(visit: Visit) -> tuple[str, ...]:
    """The languages that this reader wants: those asked for, and that of the page."""
    return (*visit.wanted, visit.say.code)


def title(visit: Visit, one: Item) -> str:
    """An item's title in the reader's language, if it has one there."""
    return best(dict(one.title), reads(visit))[1] or one.id


def titled(visit: Visit, one: Item, name: str = "span") -> Html:
    """The same, saying which language it is."""
    lang, text = best(dict(one.title), reads(visit))
    return written(text or one.id, lang or one.lang, name=name)


def language_name(code: str) -> str:
    """A language by its own name, or its code."""
    return NAMES.get(code) or NAMES.get(code.partition("-")[0]) or code


def address(one: Item, page: str = "") -> str:
    """Where an item, or a page of it, is read."""
    return address_of(one.key) + (f"?page={quoted(page)}" if page else "")


def address_of(key: str) -> str:
    """Where the item of that key is read."""
    return f"/item/{quote(key, safe='')}"


def quoted(page: str) -> str:
    """A page's path as the query of `address` holds it."""
    return quote(page, safe="")


def content_address(visit: Visit, page: Page) -> str:
    """Where the bytes of a page are, for this reader alone."""
    return f"{content_prefix(visit, page)}{quote(page.path, safe='/')}"


def content_prefix(visit: Visit, page: Page) -> str:
    """What the addresses of all files of a version begin with, for this reader."""
    return prefix(visit.parts.content.url, visit.parts.tokens.place(visit.who, page.item), page)


def prefix(content: str, place: str, page: Page) -> str:
    """The same from its parts: one origin, then what cannot be guessed, the item, the version."""
    return f"{content}/{place}/{quote(page.item, safe='')}/{page.edition[:SHORT]}/"


def search(visit: Visit, text: str) -> tuple[list[Hit], list[Item]]:
    """(what was found, items that fit but are not here yet)."""
    try:
        hits = visit.parts.library.search(text, reads(visit), MOST_HITS)
    except BookbagError:
        hits = []
    return hits, [one for one in items(visit) if not one.opens and _fits(text, one.title.values())]


def _fits(text: str, titles: Iterable[str]) -> bool:
    asked = words(text)
    return bool(asked) and any(set(asked) <= set(words(one)) for one in titles)
