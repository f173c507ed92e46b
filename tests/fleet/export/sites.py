"""A folder whose browser settings are as hard to write down as they can be, and what Linux gets of them."""

from __future__ import annotations

from collections.abc import Mapping

from agent.fleet import policies
from agent.fleet.export.browsers import BROWSERS
from agent.policy.bases.managed import Managed
from agent.policy.compile import compile_site
from agent.policy.targeting import DeviceFacts
from tests.fleet.desk import Desk

HEAD = 'policy: {}\nrank: {}\nowner: ict@north.example\nreview-by: "2027-08-01"\n{}settings:\n'
HOSTILE = """\
  browser.homepage: 'https://north.example/?a="b"&c=%20;[x]=-'
  browser.blocked-sites: ["*.casino.example", games.example/arcade, "*"]
  browser.allowed-sites: [library.north.example]
  browser.downloads: ~/Downloads/من المدرسة
  browser.safe-search: forced
  browser.youtube: strict
  browser.extensions: blocked
  browser.dns-over-https: blocked
  browser.developer-tools: blocked
  browser.private-windows: blocked
  browser.password-saving: blocked
  browser.pop-ups: blocked
  browser.sign-in: blocked
  browser.search-engine:
    value: {name: 'A "quoted" \\back\\', url: "https://search.north.example/?q={searchTerms}&x=<y>"}
  browser.bookmarks:
    - {name: 'مكتبة "x" \\', url: "https://library.north.example/"}
    - {name: '"=-', url: "https://atlas.north.example/", folder: '[-HKEY_LOCAL_MACHINE\\SOFTWARE]'}
    - {name: "]]> &quot; <data/>", url: "https://atlas.north.example/2", folder: "\\\\"}
  screen-lock.after: 10m
"""


def write(desk: Desk, name: str, settings: str, *, rank: str = "school", head: str = "") -> None:
    """One policy document."""
    path = desk.root / "policies" / "ict" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD.format(name, rank, head) + settings, encoding="utf-8")


def on_linux(desk: Desk, **groups: str) -> dict[str, Mapping[str, object]]:
    """Browser → the policies in the file that a laptop of these groups has for it."""
    from agent.fleet.folder import Folder

    folder = Folder(desk.root)
    site = folder.site()
    facts = DeviceFacts(
        site.site, "", groups.get("school", site.site), groups.get("year", ""), groups.get("class_", "")
    )
    compiled = compile_site(policies.sources(folder, site), facts)
    found: dict[str, Mapping[str, object]] = {one.name: {} for one in BROWSERS}
    for item in compiled.items():
        for browser in BROWSERS:
            if item.id == browser.resource:
                resource = item.resource()
                assert isinstance(resource, Managed)
                written = resource.written()
                found[browser.name] = written.get("policies", written)  # type: ignore[assignment]
    return found
