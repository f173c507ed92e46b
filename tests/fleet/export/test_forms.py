"""Intune's and Google's files: read back, they say what Linux's files say; what they cannot say is told."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from agent.fleet.export import templates
from agent.fleet.export.browsers import BROWSERS, CHROME, FIREFOX
from agent.policy.resources.firefox import Firefox
from tests.fleet.desk import Desk
from tests.fleet.export.sites import HOSTILE, on_linux, write

ADDRESS = re.compile(
    r"\./Device/Vendor/MSFT/Policy/Config/(Chrome~Policy~googlechrome|Edge~Policy~microsoft_edge|"
    r"Firefox~Policy~firefox)((?:~[A-Za-z]+)?)/([A-Za-z_0-9]+)"
)


def exported(desk: Desk, to: Path, form: str) -> tuple[Any, dict[str, Any]]:
    said = desk.run("export", "--format", form, "--output", str(to)).value
    return json.loads((to / f"school-north.{form}.json").read_text(encoding="utf-8")), said


def elements(value: str) -> tuple[str, dict[str, str]]:
    """``enabled`` or ``disabled``, and the elements, read as XML."""
    state, *data = ElementTree.fromstring(f"<x>{value}</x>")  # noqa: S314  (our own writing)
    assert all(one.tag == "data" and set(one.attrib) == {"id", "value"} for one in data)
    return state.tag, {one.attrib["id"]: one.attrib["value"] for one in data}


def listed(text: str) -> list[str]:
    """A list of an administrative template: number, entry, number, entry."""
    parts = text.split("\uf000")
    assert parts[::2] == [str(number) for number in range(1, len(parts) // 2 + 1)]
    return parts[1::2]


def test_intune_says_what_linux_says(desk: Desk, tmp_path: Path) -> None:
    write(desk, "web", HOSTILE)
    profile, _ = exported(desk, tmp_path / "out", "intune")
    linux = on_linux(desk)
    assert profile["@odata.type"] == "#microsoft.graph.windows10CustomConfiguration"
    found: dict[str, dict[str, tuple[str, dict[str, str]]]] = {one.name: {} for one in BROWSERS}
    for one in profile["omaSettings"]:
        assert set(one) == {"@odata.type", "displayName", "description", "omaUri", "value"}
        assert one["@odata.type"] == "#microsoft.graph.omaSettingString"
        assert one["description"].startswith("browser.")
        where = ADDRESS.fullmatch(one["omaUri"])
        assert where, one["omaUri"]
        found[where[1].partition("~")[0]][where[3]] = elements(one["value"])
    assert len({one["omaUri"] for one in profile["omaSettings"]}) == len(profile["omaSettings"])
    for browser in ("Chrome", "Edge"):
        assert set(found[browser]) == set(linux[browser])
        for policy, value in linux[browser].items():
            state, data = found[browser][policy]
            if isinstance(value, bool):
                assert (state, data) == ("enabled" if value else "disabled", {})
            elif isinstance(value, list) and isinstance(value[0], str):
                assert listed(data[f"{policy}Desc"]) == value
            elif isinstance(value, list):
                assert json.loads(data[policy]) == value
            elif policy == "DownloadDirectory":
                assert data == {policy: "${profile}\\Downloads\\من المدرسة"}
            else:
                assert data == {policy: str(value)}
    firefox = found["Firefox"]
    wanted: Any = linux["Firefox"]
    assert firefox["HomepageURL"][1] == {"HomepageURL": wanted["Homepage"]["URL"], "HomepageLocked": "true"}
    assert firefox["HomepageStartPage"][1] == {"StartPage": "homepage-locked"}
    assert json.loads(firefox["WebsiteFilterOneLine"][1]["JSONOneLine"]) == wanted["WebsiteFilter"]
    assert json.loads(firefox["ManagedBookmarksOneLine"][1]["JSONOneLine"]) == wanted["ManagedBookmarks"]
    assert json.loads(firefox["ExtensionSettingsOneLine"][1]["JSONOneLine"]) == wanted["ExtensionSettings"]
    (engine,) = wanted["SearchEngines"]["Add"]
    assert firefox["SearchEngines_1"][1] == {f"SearchEngine_{key}": text for key, text in engine.items()}
    assert firefox["DNSOverHTTPS_Enabled"][0] == "disabled"
    assert firefox["DisablePrivateBrowsing"][0] == "enabled"
    assert len(firefox) == 19


def test_google_takes_chromes_own_names_and_values(desk: Desk, tmp_path: Path) -> None:
    write(desk, "web", HOSTILE)
    policies, said = exported(desk, tmp_path / "out", "google")
    wanted = dict(on_linux(desk)["Chrome"])
    del wanted["DownloadDirectory"]
    assert policies == wanted and len(policies) > 20
    left = {(one["setting"], one["where"]): one["why"] for one in said["left-out"]}
    assert "one path for all systems" in left["browser.downloads", "Google Admin console"]
    assert "not Edge, Firefox" in left["(all)", "Google Admin console"]


def test_what_is_left_out_is_told_with_its_reason(desk: Desk, tmp_path: Path) -> None:
    sites = [f"{number}.{'long-name.' * 12}example" for number in range(300)]
    write(desk, "web", f"  browser.youtube: strict\n  browser.blocked-sites: {json.dumps(sites)}\n")
    write(desk, "look", "  browser.pop-ups: blocked\n  screen-lock.after: 10m\n", head="mode: observe\n")
    _, said = exported(desk, tmp_path / "out", "intune")
    left = {one["setting"]: (one["where"], one["why"], one["groups"]) for one in said["left-out"]}
    groups = ["school north"]
    assert left == {
        "browser.blocked-sites": ("Intune", left["browser.blocked-sites"][1], groups),
        "browser.pop-ups": ("every browser", "its policy only observes", groups),
        "browser.youtube": ("Firefox", "Firefox has no policy for it", groups),
    }
    assert "Firefox: its template takes 16384 characters here" in left["browser.blocked-sites"][1]
    assert said["not-browsers"] == ["screen-lock.after"]
    text = desk.run("export", "--output", str(tmp_path / "more"), as_json=False).out
    assert "Left out:" in text and "Firefox has no policy for it" in text and "screen-lock.after" in text
    registry = (tmp_path / "more/school-north.reg").read_bytes().decode("utf-16")
    assert registry.count('"300"="') == 3, "the control"


@pytest.mark.parametrize("when", ["{timetable: exam}", "{outside: exam}"])
def test_a_policy_for_a_time_is_not_made_one_for_ever(desk: Desk, tmp_path: Path, when: str) -> None:
    dates = '[{from: "2027-06-01 08:30", until: "2027-06-01 11:45"}]'
    head = f"when: {when}\ntimetables:\n  exam:\n    zone: Europe/Berlin\n    dates: {dates}\n"
    write(desk, "all", "  browser.pop-ups: blocked\n")
    write(desk, "exam", "  browser.youtube: strict\n  browser.sign-in: allowed\n", head=head)
    policies, said = exported(desk, tmp_path / "out", "google")
    assert policies == {"DefaultPopupsSetting": 2}
    told = [one for one in said["left-out"] if one["setting"] == "(policy exam)"]
    assert len(told) == 1 and "at times only" in told[0]["why"]


@pytest.mark.parametrize("browser", BROWSERS)
def test_the_templates_know_all_that_settings_set(browser: Any) -> None:
    """A new policy of some setting has to be looked up in the makers' templates."""
    samples: dict[str, Any] = {
        "Homepage": {"URL": "u", "StartPage": "homepage", "Locked": True},
        "SearchEngines": {"Add": [{"Name": "n", "URLTemplate": "u"}], "Default": "n"},
    }
    known = Firefox.harmless | Firefox.powerful
    for policy in browser.vocabulary():
        parts = {one.partition(".")[2]: True for one in known if one.startswith(f"{policy}.")}
        value = samples.get(policy, parts or "x") if browser == FIREFOX else "x"
        assert list(templates.asked(browser, policy, value))
    with pytest.raises(Exception, match="its template has no Nonsense"):
        list(templates.asked(browser, "Nonsense", "x"))


@pytest.mark.parametrize("text", ["\n", "\x00", "\uf000", "\ud800"])
def test_what_xml_cannot_hold_is_refused(text: str) -> None:
    from agent.core.errors import BookbagError
    from agent.fleet.export.intune import _settings

    with pytest.raises(BookbagError):
        list(_settings(CHROME, "HomepageLocation", f"a{text}b", ""))
    (one,) = _settings(CHROME, "HomepageLocation", "<&\"'>", "")
    assert elements(one.value)[1] == {"HomepageLocation": "<&\"'>"} and html.escape("<") in one.value
