"""Style, script and pictures: small files of ours, each under a name that changes with what is in it."""

from __future__ import annotations

import hashlib
import os

from agent.portal.html import Html
from agent.web.answers import Answer

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Asset:
    """One file, held in memory."""

    def __init__(self, name: str) -> None:
        with open(os.path.join(_FOLDER, name), "rb") as file:
            self.data = file.read()
        stem, _, kind = name.rpartition(".")
        self.path = f"/static/{stem}.{hashlib.sha256(self.data).hexdigest()[:12]}.{kind}"
        self.answer = Answer(
            200,
            {
                "Content-Type": f"{_TYPES[kind]}; charset=utf-8",
                "Cache-Control": "public, max-age=31536000, immutable",
                "Cross-Origin-Resource-Policy": "same-origin",
                # a picture of ours that is opened by itself runs nothing either
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            },
            self.data,
        )


STYLE = Asset("style.css")
SCRIPT = Asset("portal.js")
ICON = Asset("icon.svg")
ASSETS = {asset.path: asset for asset in (STYLE, SCRIPT, ICON)}

#: The bag beside the name, to stand within a page; it says nothing to who cannot see it.
MARK = Html(Asset("mark.svg").data.decode("utf-8").strip())
