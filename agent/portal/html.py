"""HTML as a value that can only be made escaped: `tag` escapes whatever is not `Html` already."""

from __future__ import annotations

from collections.abc import Iterable

#: Elements without content.
_VOID = frozenset(("br", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&#39;",
        # control characters mean nothing in HTML, and NUL is an error
        **dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "\ufffd"),
    }
)


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


#: What may stand inside an element: None and False stand for nothing.
Child = object


def escape(value: object) -> Html:
    """``value`` as HTML: itself if it is that already, nothing for None and False, else its text escaped."""
    if isinstance(value, Html):
        return value
    if value is None or value is False:
        return Html()
    if isinstance(value, str):
        return Html(value.translate(_ESCAPES))
    if isinstance(value, Iterable):
        return join(*value)
    return Html(str(value).translate(_ESCAPES))


def join(*children: Child) -> Html:
    """One after another."""
    return Html("".join(map(escape, children)))


def tag(name: str, /, *children: Child, **attributes: object) -> Html:
    """An element. An attribute's ``_`` is written ``-`` and a last ``_`` is dropped (``class_``); True is
    an attribute without a value, None and False are no attribute."""
    written = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    start = f"<{name}{written}>"
    return Html(start) if name in _VOID else Html(f"{start}{join(*children)}</{name}>")


def _name(key: str) -> str:
    return key.removesuffix("_").replace("_", "-")
