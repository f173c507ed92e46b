"""The laptop's browser shows the lab's pages, and obeys policy files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab import browser
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER, Network

POLICY = "/etc/chromium/policies/managed/school.json"


@pytest.fixture
def site(network: Network, laptop: Laptop, tmp_path: Path) -> str:
    """A web site on the school's server; its address."""
    for name in ("index", "start", "home"):
        (tmp_path / f"{name}.html").write_text(f"<title>{name}</title><h1>The {name} page</h1>")
    network.serve_folder(tmp_path)
    fetch = f"import urllib.request as u; u.urlopen('http://{SERVER}/')"
    laptop.wait_until(lambda: laptop.run(["python3", "-c", fetch]).returncode == 0, 10, "the server")
    return f"http://{SERVER}"


def test_a_page_is_shown_and_photographed(laptop: Laptop, site: str) -> None:
    page = browser.open_page(laptop, f"{site}/", screenshot="lab-page")
    assert (page.final_url, page.title, page.error) == (f"{site}/", "index", "")
    assert page.text == "The index page"
    assert "<h1>The index page</h1>" in page.dom
    assert page.screenshot_path is not None
    assert page.screenshot_path.read_bytes().startswith(b"\x89PNG")


def test_policy_blocks_a_site_and_only_that(laptop: Laptop, site: str) -> None:
    address = f"{site}/home.html"
    assert browser.open_page(laptop, address).error == ""
    laptop.write(POLICY, json.dumps({"URLBlocklist": [f"{SERVER}/home.html"]}))
    with browser.Browser(laptop) as window:
        blocked = window.open(address, screenshot="lab-blocked")
        assert blocked.error == browser.BLOCKED
        assert blocked.final_url == address
        assert "The home page" not in blocked.dom
        assert window.open(f"{site}/start.html").title == "start"


def test_policy_sets_what_opens_at_the_start_and_on_home(laptop: Laptop, site: str) -> None:
    before = browser.homepage(laptop)
    assert before == browser.Homepage(("chrome://newtab/",), "chrome://newtab/", False)
    policy = {
        "HomepageIsNewTabPage": False,
        "HomepageLocation": f"{site}/home.html",
        "RestoreOnStartup": 4,
        "RestoreOnStartupURLs": [f"{site}/start.html"],
    }
    laptop.write(POLICY, json.dumps(policy))
    assert browser.homepage(laptop) == browser.Homepage((f"{site}/start.html",), f"{site}/home.html", True)
    with browser.Browser(laptop) as window:
        assert window.policies() == policy
        assert window.policy_errors() == []


def test_the_browser_says_which_policies_it_drops(laptop: Laptop) -> None:
    laptop.write(
        POLICY, json.dumps({"URLBlocklist": ["*.casino.example"], "NoSuchPolicy": 1, "ShowHomeButton": 7})
    )
    with browser.Browser(laptop) as window:
        errors = window.policy_errors()
    assert [line.split(":")[0] for line in errors] == ["NoSuchPolicy", "ShowHomeButton", "URLBlocklist"], (
        errors
    )
