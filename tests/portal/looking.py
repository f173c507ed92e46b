"""What a person with a keyboard, a screen reader, a small screen or a magnifier meets on a page, asked of
the browser."""

from __future__ import annotations

import json
from typing import Any

from tests.portal import axe
from tests.portal.window import Tab

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
#: Least width and height of what is pressed, in CSS pixels (WCAG 2.2, 2.5.8).
TARGET = 24

_FOCUSABLE = (
    "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, "
    "iframe, video, audio')].filter(one => one.checkVisibility() && !one.disabled)"
)

_FOCUS = """
(() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const shown = element => {
    const style = getComputedStyle(element);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  const box = one.getBoundingClientRect();
  const all = FOCUSABLE;
  const name = one.getAttribute("aria-label") || one.innerText || one.name || one.title || "";
  return {
    number: all.indexOf(one), of: all.length, tag: one.tagName, name: name.trim().slice(0, 60),
    seen: shown(one) || (one.closest(".item") !== null && shown(one.closest(".item"))),
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
})()
""".replace("FOCUSABLE", _FOCUSABLE)

_SMALL = """
FOCUSABLE.filter(one => {
  const box = one.getBoundingClientRect();
  if (one.classList.contains("skip")) return false;
  const inline = getComputedStyle(one).display === "inline";
  const inText = one.tagName === "A" && one.closest("p, dd, li, h3, h2") && inline;
  return !inText && (box.width < TARGET || box.height < TARGET);
}).map(one => one.outerHTML.slice(0, 100))
""".replace("FOCUSABLE", _FOCUSABLE).replace("TARGET", str(TARGET))

_OUTSIDE = """
[...document.querySelectorAll("body *")].filter(one => {
  if (one.closest(".skip, .unseen") || !one.checkVisibility()) return false;
  const box = one.getBoundingClientRect();
  return box.width > 0 && (box.left < -1 || box.right > document.documentElement.clientWidth + 1);
}).map(one => one.outerHTML.slice(0, 100))
"""


def problems(tab: Tab) -> list[str]:
    """What axe finds wrong on the page that is open."""
    if not tab.value("typeof axe === 'object'"):
        tab.value(axe.script() + "; true")
    options = json.dumps(
        {"runOnly": {"type": "tag", "values": TAGS}, "iframes": False, "resultTypes": ["violations"]}
    )
    found: list[dict[str, Any]] = tab.value(f"axe.run(document, {options}).then(done => done.violations)")
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:120]}: {node['failureSummary'][:300]}"
        for one in found
        for node in one["nodes"]
    ]


def small_targets(tab: Tab) -> list[str]:
    """What is too small to be hit, links within text left out."""
    found: list[str] = tab.value(_SMALL)
    return found


def outside(tab: Tab) -> list[str]:
    """What lies beyond the sides of the page, so that one would have to scroll in two directions."""
    found: list[str] = tab.value(_OUTSIDE)
    wide = tab.value("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*found, *(["the page scrolls sideways"] if wide else [])]


def focus(tab: Tab) -> dict[str, Any] | None:
    """What has the keyboard's focus: its number among all that can have it, name, whether that is seen."""
    found: dict[str, Any] | None = tab.value(_FOCUS)
    return found


def focusable(tab: Tab) -> int:
    """How many things can have the keyboard's focus."""
    count: int = tab.value(f"{_FOCUSABLE}.length")
    return count


def walk(tab: Tab) -> list[dict[str, Any]]:
    """Every stop of the Tab key from the top of the page until it leaves the page."""
    stops: list[dict[str, Any]] = []
    most = 3 * focusable(tab) + 20
    for _ in range(most):
        tab.press("Tab")
        stop = focus(tab)
        if stop is None or (stops and stop["number"] == 0):
            return stops
        stops.append(stop)
    raise AssertionError(f"the Tab key never leaves the page: {stops[-5:]}")
