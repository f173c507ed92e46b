"""Registry files against a reader of our own that knows only what Windows documents: Chrome, Edge and Firefox
find there what their files on Linux say, whatever is in the values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.fleet.export.browsers import BROWSERS, CHROME, EDGE, FIREFOX, Browser
from agent.fleet.export.regfile import _line, remove
from agent.fleet.export.registry import Entry, entries
from tests.fleet.desk import Desk
from tests.fleet.export import firefox
from tests.fleet.export.regreader import Registry, imported
from tests.fleet.export.sites import HOSTILE, on_linux, write

ROOT = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies"
#: Where Windows has another path than Linux.
FOLDERS = {
    "Chrome": "${profile}\\Downloads\\من المدرسة",
    "Edge": "${profile}\\Downloads\\من المدرسة",
    "Firefox": "${home}\\Downloads\\من المدرسة",
}


def exported(desk: Desk, to: Path) -> bytes:
    desk.run("export", "--format", "reg", "--output", str(to))
    return (to / "school-north.reg").read_bytes()


def chromium(registry: Registry, browser: Browser) -> dict[str, object]:
    """As Chrome and Edge read their key: a key of 1, 2, 3 is a list; what has parts is JSON."""
    key = f"{ROOT}\\{browser.key}"
    found: dict[str, object] = {}
    for name, value in registry.get(key, {}).items():
        parts = isinstance(value, str) and value.startswith("[")
        found[name] = json.loads(str(value)) if parts else value
    for one, values in registry.items():
        if one.startswith(f"{key}\\"):
            assert list(values) == [str(number) for number in range(1, len(values) + 1)]
            found[one[len(key) + 1 :]] = list(values.values())
    return found


def test_windows_gets_what_linux_gets(desk: Desk, tmp_path: Path) -> None:
    write(desk, "web", HOSTILE)
    linux = on_linux(desk)
    registry = imported(exported(desk, tmp_path / "out"))
    assert all(key.startswith(ROOT) for key in registry)
    for browser in (CHROME, EDGE):
        wanted = {**linux[browser.name], "DownloadDirectory": FOLDERS[browser.name]}
        assert len(wanted) > 20 and chromium(registry, browser) == wanted
    wanted = {**linux["Firefox"], "DownloadDirectory": FOLDERS["Firefox"]}
    assert len(wanted) > 10 and firefox.policies(registry, f"{ROOT}\\{FIREFOX.key}") == wanted


def test_bool_and_number_are_dwords_and_a_text_is_an_sz(desk: Desk, tmp_path: Path) -> None:
    write(desk, "web", HOSTILE)
    text = exported(desk, tmp_path / "out").decode("utf-16")
    assert '\r\n"RestoreOnStartup"=dword:00000004\r\n' in text
    assert '\r\n"HomepageIsNewTabPage"=dword:00000000\r\n' in text
    assert '\r\n"DefaultSearchProviderName"="A \\"quoted\\" \\\\back\\\\"\r\n' in text


def test_what_is_no_longer_set_goes_and_what_is_others_stays(desk: Desk, tmp_path: Path) -> None:
    theirs: Registry = {
        f"{ROOT}\\Google\\Chrome": {"CloudPrint": 1},
        f"{ROOT}\\Google\\Chrome\\Mine": {"1": "x"},
    }
    write(desk, "web", HOSTILE)
    first = imported(exported(desk, tmp_path / "out"), theirs)
    assert len(first) > len(theirs)
    write(desk, "web", "  browser.homepage: https://north.example/\n")
    second = exported(desk, tmp_path / "out")
    assert imported(second, first) == imported(second, theirs) != first
    assert imported(remove(), first) == theirs


def test_a_policy_that_only_observes_is_not_exported(desk: Desk, tmp_path: Path) -> None:
    write(desk, "web", HOSTILE, head="mode: observe\n")
    assert imported(exported(desk, tmp_path / "out")) == {}


@pytest.mark.parametrize(
    "text",
    [
        '"', "\\", '\\"', "a\r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n", "\n", '"="x"', "\t", "\x1b[2J",
        "\u2028", "\u202eabc", "\ufeff", "\U0001f600", "x" * 70_000, "", " ", "\x85", "dword:1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("browser", BROWSERS)
def test_no_text_leaves_its_line(browser: Browser, text: str) -> None:
    """What a setting's type lets through may change; a file that ran a line of somebody's text would not."""
    (entry,) = entries(browser, "HomepageLocation", text)
    head = "Windows Registry Editor Version 5.00\r\n\r\n"
    file = f"\ufeff{head}[{ROOT}\\{entry.key}]\r\n{_line(entry)}\r\n".encode("utf-16-le")
    assert imported(file) == {f"{ROOT}\\{browser.key}": {"HomepageLocation": text}}


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_a_registry_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(BookbagError):
        list(entries(CHROME, "HomepageLocation", text))
    with pytest.raises(BookbagError):
        list(entries(FIREFOX, "Homepage", {"URL": text}))
    with pytest.raises(BookbagError):
        list(entries(FIREFOX, "Homepage", {"Add": {"x\\y": {"1": "a"}}}))
    with pytest.raises(BookbagError):
        list(entries(CHROME, "RestoreOnStartup", -1))


def test_a_name_cannot_leave_its_line_either() -> None:
    line = _line(Entry("k", 'a"=-\\', 1))
    assert line == '"a\\"=-\\\\"=dword:00000001'
