"""Browsers load what `browser.forced-extensions` names, from the school's own server, and no longer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agent.policy import kinds
from agent.policy.bases.managed import Managed
from tests.lab import browser, extensions
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER, Network

KEY = "browser.forced-extensions"
NAME = "ext.north.example"
FIREFOX_ID = "mark@north.example"
PAGE = f"http://{SERVER}:8080/"
#: Serves a folder by https, with a certificate that it makes for itself.
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


@pytest.fixture
def made(tmp_path: Path) -> extensions.Crx:
    return extensions.crx()


@pytest.fixture
def value(network: Network, laptop: Laptop, tmp_path: Path, made: extensions.Crx) -> list[Mapping[str, str]]:
    """What a school writes: its own extension, on its own server."""
    from tests.lab.acceptance.certificate import self_signed

    served, pages = tmp_path / "https", tmp_path / "http"
    served.mkdir()
    pages.mkdir()
    (pages / "index.html").write_text("<title>page</title><h1>A page</h1>")
    (served / "mark.crx").write_bytes(made.data)
    (served / "updates.xml").write_bytes(extensions.updates(made.identifier, f"https://{NAME}/mark.crx"))
    (served / "mark.xpi").write_bytes(extensions.xpi(FIREFOX_ID))
    (tmp_path / "server.pem").write_bytes(self_signed(NAME))
    network.in_lab_ns([sys.executable, "-c", SERVE, str(served), str(tmp_path / "server.pem"), SERVER])
    network.serve_folder(pages, 8080)
    laptop.write("/etc/hosts", f"127.0.0.1 localhost\n{SERVER} {NAME}\n")
    fetch = f"import urllib.request as u; u.urlopen('{PAGE}')"
    laptop.wait_until(
        lambda: laptop.run(["python3", "-c", fetch], check=False).returncode == 0, 10, "the server"
    )
    return [
        {
            "name": "Mark",
            "chromium": made.identifier,
            "chromium-url": f"https://{NAME}/updates.xml",
            "firefox": FIREFOX_ID,
            "firefox-url": f"https://{NAME}/mark.xpi",
        }
    ]


def write(laptop: Laptop, settings: Mapping[str, object]) -> Iterator[str]:
    """The files that these settings come to; their paths."""
    whole: dict[str, Managed] = {}
    for key, value in settings.items():
        for one in kinds.settings()[key].compile(value):
            assert isinstance(one, Managed)
            whole[one.id] = whole[one.id].joined(one) if one.id in whole else one
    for one in whole.values():
        laptop.write(one.path, json.dumps(one.written()))
        yield one.path


def test_chromium_loads_what_is_forced_and_nothing_else_of_it(
    laptop: Laptop, value: list[Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "FLAGS", (*browser.FLAGS, "--ignore-certificate-errors"))
    assert list(write(laptop, {"browser.extensions": "blocked"}))
    assert browser.open_page(laptop, PAGE).title == "page", "the control: without the policy there is none"
    assert list(write(laptop, {"browser.extensions": "blocked", KEY: value}))
    with browser.Browser(laptop) as window:
        assert window.policy_errors() == []
        laptop.wait_until(lambda: window.open(PAGE).title == f"{extensions.MARK}page", 90, "the extension")
        window.open(PAGE, screenshot="forced-extension-chromium")
    for path in write(laptop, {"browser.extensions": "blocked", KEY: value}):
        laptop.run(["rm", path])
    with browser.Browser(laptop) as window:
        laptop.wait_until(lambda: window.open(PAGE).title == "page", 60, "its end with the policy")
