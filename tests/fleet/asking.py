"""What stands on both sides of a request: a laptop's portal that asks, and the boxes it would send."""

from __future__ import annotations

import re
from html import unescape

from agent.core.ids import new_id
from agent.fleet.folder import Folder
from agent.trust import asks, drafts, receipts
from agent.trust.asks import Request
from agent.trust.keys import SealPublicKey
from tests.fleet.desk import Desk, Laptop, deliver
from tests.portal.serving import Got, Served

#: What people close, and a child may ask for.
CLOSED = """\
policy: closed
rank: school
owner: ict@north.example
review-by: "2029-08-01"
settings:
  browser.blocked-sites: [casino.example, games.example]
  screen-lock.after: 10m
  desktop.command-line: blocked
  browser.homepage: https://north.example/
"""


def fields(got: Got, button: str = "") -> dict[str, str]:
    """What a browser would send of the last form of a page's content."""
    main = got.text[got.text.index("<main") : got.text.index("</main")]
    found = re.findall(r'<input[^>]*name="([\w-]+)"[^>]*value="([^"]*)"', main)
    sent = {name: unescape(value) for name, value in found}
    return sent if not button else {**sent, button: "1"}


def ask(portal: Served, **wanted: str) -> Got:
    """Fill in the form, look at what will be sent, and send it."""
    looked = portal.post("/laptop/ask/look", {"token": portal.token(), **wanted})
    assert looked.status == 200, looked.text
    return portal.post("/laptop/ask", fields(looked))


def request_of(laptop: Laptop, desk: Desk, **more: str) -> Request:
    """A request as the laptop's root would make it."""
    told = {"kind": drafts.SITE, "about": "", "address": "casino.example", "words": "for maths", **more}
    id_, site = told.pop("id", "") or new_id(), told.pop("site", "north")
    return Request(id_, site, laptop.identity.id, **told, at=desk.now)


def boxed(laptop: Laptop, desk: Desk, request: Request, name: str = "") -> tuple[str, bytes]:
    """(name, bytes) of the return that the laptop sends."""
    key = SealPublicKey(bytes.fromhex(Folder(desk.root).site().returns_key))
    name = name or asks.return_name("north", laptop.identity.id, request.id)
    return name, receipts.make_return(asks.sign(request, laptop.identity), name, laptop.identity, key)


def send(laptop: Laptop, desk: Desk, **more: str) -> Request:
    """A request that came back to the desk."""
    request = request_of(laptop, desk, **more)
    deliver(desk, *boxed(laptop, desk, request))
    return request
