"""HTML that cannot be made unescaped."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.portal.html import escape, join, tag

HOSTILE = ("<script>alert(1)</script>", "a\"b'c", "</title>", "&lt;", "x\x00y", "' onclick='x", "<!--", "]]>")


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_text_holds_it_stays_a_text(text: str) -> None:
    found = read(tag("p", text, title=text))
    assert found.tags == ["p"]
    assert found.text == [text.replace("\x00", "\ufffd")] and found.attributes["title"] == found.text[0]


def test_what_is_html_is_not_escaped_twice() -> None:
    inner = tag("b", "<")
    assert tag("p", inner, [inner, None, False, 7]) == "<p><b>&lt;</b><b>&lt;</b>7</p>"
    assert escape(inner) is inner
    assert not join()


def test_attributes() -> None:
    made = tag("input", class_="a", data_x="1", required=True, value=None, checked=False, for_="q")
    assert made == '<input class="a" data-x="1" required for="q">'
    assert tag("p", name="x") == '<p name="x"></p>'


@given(st.text(), st.text())
def test_no_text_becomes_a_tag_or_ends_an_attribute(text: str, value: str) -> None:
    found = read(join(tag("p", text, title=value), tag("i")))
    assert found.tags == ["p", "i"] and set(found.attributes) <= {"title"}


class read(HTMLParser):  # noqa: N801 - it is used as a function
    """What a parser makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(name)
        self.attributes.update(attributes)

    def handle_data(self, data: str) -> None:
        self.text.append(data)
