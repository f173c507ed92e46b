"""One request as the pages see it, and what they can draw on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.content.library import Library
from agent.portal.asking import Asking
from agent.portal.guard import Origin
from agent.portal.html import Html, tag
from agent.portal.keeping import Keeping
from agent.portal.languages import Language, direction, pick
from agent.portal.people import Who
from agent.portal.programs import Programs
from agent.portal.public import Public
from agent.portal.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Parts:
    """What every page can draw on."""

    public: Public
    library: Library
    keeping: Keeping
    asking: Asking
    programs: Programs
    arranged: Public  #: what root tells the portal alone
    tokens: Tokens
    portal: Origin
    content: Origin
    sent: str  #: the folder of what was last sent


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks for what, and in which languages."""

    parts: Parts
    who: Who
    path: str
    query: Mapping[str, str]
    wanted: Sequence[str]  #: language codes, the most wanted first
    say: Language

    def field(self, name: str) -> str:
        """A field of the query, trimmed; "" if it is not there."""
        return self.query.get(name, "").strip()

    def spoken(self, texts: Mapping[str, object], *, name: str = "span", **attributes: object) -> Html:
        """The text in ``texts`` (language → text) that this reader should get, in an element that says its
        language and direction; nothing if there is none."""
        code, text = pick(texts, self.wanted)
        return written(text, code, name=name, **attributes) if text else Html()

    def token(self) -> Html:
        """The field that every form needs."""
        return tag("input", type="hidden", name="token", value=self.parts.tokens.form(self.who))


def written(text: object, language: str, *, name: str = "span", **attributes: object) -> Html:
    """``text`` in an element with its language and direction (found by the browser if "")."""
    return tag(name, text, lang=language or None, dir=direction(language), **attributes)


def foreign(text: object, *, name: str = "bdi") -> Html:
    """A name that somebody chose, in an element that keeps its direction to itself; numbers go from left to
    right."""
    plain = not any(letter.isalpha() for letter in str(text))
    return tag(name, text, dir="ltr" if plain else "auto")


def machine(text: object) -> Html:
    """A path, an id, an address: from left to right in every language."""
    return tag("code", text, dir="ltr")
