"""Browsers believe the school's own authority, and load from its server what `browser.forced-extensions`
names, as long as policy says so.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.policy import kinds
from agent.policy.bases.managed import Managed
from agent.policy.resources.certificate import Certificate
from tests.lab import browser, extensions
from tests.lab.acceptance import authorities
from tests.lab.firefox import UNVOUCHED, Firefox
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER, Network

NAME = "ext.north.example"
FIREFOX_ID = "mark@north.example"
PAGE = f"https://{NAME}/"
#: Serves a folder by https.
SERVE = """
import http.server, ssl, sys
folder, certificate, address = sys.argv[1:]
handler = lambda *given: http.server.SimpleHTTPRequestHandler(*given, directory=folder)
server = http.server.ThreadingHTTPServer((address, 443), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


#: What Firefox asks of an extension that Mozilla did not sign, on a server that only a school vouches for.
#: One of Mozilla's store needs neither.
FIREFOX = """pref("xpinstall.signatures.required", false);
pref("extensions.install.requireBuiltInCerts", false);
"""


@dataclass(frozen=True, slots=True)
class Served:
    """What the school's server has; ``settings`` is what a school writes so that browsers load it."""

    settings: Mapping[str, object]
    authority: str


@pytest.fixture
def served(network: Network, laptop: Laptop, tmp_path: Path) -> Served:
    """The school's own extension on its own server, for which its own authority vouches."""
    folder, made = tmp_path / "https", extensions.crx()
    folder.mkdir()
    (folder / "index.html").write_text("<title>page</title><h1>A page</h1>")
    (folder / "mark.crx").write_bytes(made.data)
    (folder / "updates.xml").write_bytes(extensions.updates(made.identifier, f"{PAGE}mark.crx"))
    (folder / "mark.xpi").write_bytes(extensions.xpi(FIREFOX_ID))
    vouched = authorities.make("north.example", server=NAME)
    (tmp_path / "server.pem").write_text(vouched["server-key"] + vouched["server"])
    network.in_lab_ns([sys.executable, "-c", SERVE, str(folder), str(tmp_path / "server.pem"), SERVER])
    laptop.write("/etc/hosts", f"127.0.0.1 localhost\n{SERVER} {NAME}\n")
    there = f"import socket; socket.create_connection(('{NAME}', 443), 2)"
    laptop.wait_until(
        lambda: laptop.run(["python3", "-c", there], check=False).returncode == 0, 10, "the server"
    )
    extension = {
        "name": "Mark",
        "chromium": made.identifier,
        "chromium-url": f"{PAGE}updates.xml",
        "firefox": FIREFOX_ID,
        "firefox-url": f"{PAGE}mark.xpi",
    }
    authority = vouched["authority"]
    settings = {
        "browser.extensions": "blocked",
        "browser.forced-extensions": [extension],
        "security.certificates": [{"name": "lab", "pem": authority}],
    }
    return Served(settings, authority)


def write(laptop: Laptop, settings: Mapping[str, object]) -> list[str]:
    """Put the files there that these settings come to; their paths."""
    whole: dict[str, Managed | Certificate] = {}
    for key, value in settings.items():
        for one in kinds.settings()[key].compile(value):
            assert isinstance(one, Managed | Certificate)
            before = whole.get(one.id)
            if isinstance(one, Managed) and isinstance(before, Managed):
                whole[one.id] = before.joined(one)
            else:
                whole[one.id] = one
    for one in whole.values():
        laptop.write(one.path, one.text() if isinstance(one, Certificate) else json.dumps(one.written()))
    laptop.run(["update-ca-certificates"])
    return [one.path for one in whole.values()]


def withdraw(laptop: Laptop, paths: list[str]) -> None:
    laptop.run(["rm", *paths])
    laptop.run(["update-ca-certificates"])


def test_chromium_believes_the_school_and_loads_what_is_forced_and_nothing_else_of_it(
    laptop: Laptop, served: Served
) -> None:
    write(laptop, {"browser.extensions": "blocked"})
    control = browser.open_page(laptop, PAGE)
    assert control.error == "net::ERR_CERT_AUTHORITY_INVALID", "without the policy nobody vouches for it"
    paths = write(laptop, served.settings)
    with browser.Browser(laptop) as window:
        assert window.policy_errors() == []
        laptop.wait_until(lambda: window.open(PAGE).title == f"{extensions.MARK}page", 90, "the extension")
        window.open(PAGE, screenshot="forced-extension-chromium")
    withdraw(laptop, paths)
    assert browser.open_page(laptop, PAGE).error == control.error
    write(laptop, {"security.certificates": served.settings["security.certificates"]})
    with browser.Browser(laptop) as window:
        laptop.wait_until(lambda: window.open(PAGE).title == "page", 60, "its end with the policy")


def removable(window: Firefox) -> bool:
    """Whether the person at Firefox may remove the extension."""
    found = window.inside(
        "const [id] = arguments;"
        "const {AddonManager} = ChromeUtils.importESModule('resource://gre/modules/AddonManager.sys.mjs');"
        "return AddonManager.getAddonByID(id)"
        ".then(it => Boolean(it.permissions & AddonManager.PERM_CAN_UNINSTALL));",
        FIREFOX_ID,
    )
    return bool(found)


def test_firefox_believes_the_school_and_loads_what_is_forced(laptop: Laptop, served: Served) -> None:
    laptop.write("/etc/firefox-esr/lab.js", FIREFOX)
    write(laptop, {"browser.extensions": "blocked"})
    with Firefox(laptop) as window:
        assert window.open(PAGE) == UNVOUCHED, "without the policy nobody vouches for it"
    paths = write(laptop, served.settings)

    def marked(window: Firefox) -> bool:
        return (window.open(PAGE), window.title()) == ("", f"{extensions.MARK}page")

    with Firefox(laptop) as window:
        laptop.wait_until(lambda: marked(window), 60, "the extension")
        assert not removable(window)
        window.open(PAGE, screenshot="forced-extension-firefox")
    withdraw(laptop, paths)
    with Firefox(laptop) as window:
        assert window.open(PAGE) == UNVOUCHED, "nothing of it stayed in the student's profile"
    write(laptop, {"security.certificates": served.settings["security.certificates"]})
    with Firefox(laptop) as window:
        assert removable(window), "it stays in the profile, now the student's to remove"
