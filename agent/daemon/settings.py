"""agent.yaml: which site this laptop belongs to, where it is published, how often to look.

```yaml
site: north-high
urls: [https://policy.north.example/site]
poll: 15m
telemetry: on
telemetry-url: https://otlp.north.example
content-rate: 64K
```
(For the last, and its like, see `agent.daemon.amounts`.)
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.core.ids import is_name
from agent.daemon import amounts
from agent.daemon.amounts import Amounts
from agent.daemon.schedule import POLL
from agent.policy.syntax.nodes import Mapping, Node, Scalar, Sequence, describe
from agent.policy.syntax.yamltext import load

SHORTEST_POLL, LONGEST_POLL = 5, 24 * 3600
MAX_URLS = 8
KEYS = ("site", "urls", "poll", "portal-port", "telemetry", "telemetry-url", *amounts.KEYS)
_UNITS = {"s": 1, "m": 60, "h": 3600}
_URL = re.compile(r"(https?://[^\s/?#@]+(/[^\s?#]*)?|file:///[^\s?#]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """What agent.yaml says. ``poll`` is in seconds. ``telemetry`` False: nothing is reported, whatever policy
    says; ``telemetry_url`` "": to the site's own service.
    """

    site: str
    urls: tuple[str, ...]
    poll: int = POLL
    portal_port: int = 8642
    telemetry: bool = True
    telemetry_url: str = ""
    content: Amounts = field(default_factory=Amounts)


def read_settings(data: bytes, file: str) -> Settings:
    """Parse strictly. Raises ``bad-config`` (or the strict loader's ``bad-yaml``, ``too-large``) naming file,
    line and column.
    """
    tree = load(data, file)
    if not isinstance(tree, Mapping):
        raise _bad(f"it must be a mapping, not {describe(tree)}", tree)
    for key, place, _ in tree.pairs():
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(KEYS)}"
            raise BookbagError("bad-config", f"cannot use the key {key!r}", place=str(place), remedy=remedy)
    site = tree.get("site")
    if not isinstance(site, Scalar) or not is_name(site.value):
        raise _bad("`site` must be the site's name (a-z, 0-9, hyphens)", site or tree)
    return Settings(
        str(site.value),
        _urls(tree),
        _poll(tree.get("poll")),
        _port(tree.get("portal-port")),
        _switch(tree.get("telemetry")),
        _receiver(tree.get("telemetry-url")),
        amounts.read_amounts(tree),
    )


def write_settings(settings: Settings) -> bytes:
    """agent.yaml as `bookbag enrol` writes it; what IT adds later is kept by nobody but IT."""
    lines = [
        "# Written by `bookbag enrol`. The agent notices changes by itself.",
        f"site: {settings.site}",
        "urls:",
        *(f'  - "{url}"' for url in settings.urls),
        f"poll: {_spell(settings.poll)}",
        *([f'telemetry-url: "{settings.telemetry_url}"'] if settings.telemetry_url else []),
    ]
    return ("\n".join(lines) + "\n").encode()


def seconds(text: str) -> int:
    """``90s``, ``15m``, ``2h`` in seconds. Raises ValueError."""
    number, unit = text[:-1], text[-1:]
    if not number.isascii() or not number.isdecimal() or len(number) > 6 or unit not in _UNITS:
        raise ValueError(f"{text!r} is not a duration such as 90s, 15m or 2h")
    return int(number) * _UNITS[unit]


def is_url(text: object) -> bool:
    """Whether ``text`` may be a source: https, http or file, without user, query or fragment."""
    return isinstance(text, str) and len(text) <= 1024 and _URL.fullmatch(text) is not None


def is_receiver(text: object) -> bool:
    """Whether ``text`` may be where telemetry goes: as `is_url`, but no folder."""
    return is_url(text) and not str(text).startswith("file:")


def _urls(tree: Mapping) -> tuple[str, ...]:
    node = tree.get("urls")
    if node is None:
        return ()
    if not isinstance(node, Sequence) or len(node.items) > MAX_URLS:
        raise _bad(f"`urls` must be a list of at most {MAX_URLS} addresses", node)
    urls = []
    for item in node.items:
        if not isinstance(item, Scalar) or not is_url(item.value):
            raise _bad(f"{describe(item)} is not an address such as https://host/path", item)
        urls.append(str(item.value))
    return tuple(urls)


def _poll(node: Node | None) -> int:
    if node is None:
        return POLL
    try:
        poll = seconds(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else 0
    except ValueError:
        poll = 0
    if not SHORTEST_POLL <= poll <= LONGEST_POLL:
        raise _bad(f"`poll` must be a duration from {SHORTEST_POLL}s to 24h, not {describe(node)}", node)
    return poll


def _port(node: Node | None) -> int:
    if node is None:
        return 8642
    if not isinstance(node, Scalar) or type(node.value) is not int or not 1024 <= node.value <= 65535:
        raise _bad("`portal-port` must be a number from 1024 to 65535", node)
    return node.value


def _switch(node: Node | None) -> bool:
    if node is None:
        return True
    if isinstance(node, Scalar) and (node.value is True or node.value == "on"):
        return True
    if isinstance(node, Scalar) and (node.value is False or node.value == "off"):
        return False
    raise _bad("`telemetry` must be on or off", node)


def _receiver(node: Node | None) -> str:
    if node is None:
        return ""
    if not isinstance(node, Scalar) or not is_receiver(node.value):
        raise _bad("`telemetry-url` must be an address such as https://host/path", node)
    return str(node.value)


def _spell(poll: int) -> str:
    for unit, size in (("h", 3600), ("m", 60)):
        if poll % size == 0:
            return f"{poll // size}{unit}"
    return f"{poll}s"


def _bad(why: str, node: Node) -> BookbagError:
    return BookbagError("bad-config", f"cannot use agent.yaml: {why}", place=str(node.place))
