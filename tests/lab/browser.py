"""A laptop's own browser, driven as a person of the laptop: what a page shows, what starts it, what policy
binds it.

It is Debian's Chromium without a screen ("new headless": the whole browser, policies included), with its own
sandbox on.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.lab.cdp import Conversation
from tests.lab.errors import LabError
from tests.lab.guest import Guest
from tests.lab.lab import output_folder

FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--window-size=1366,768",
)
BLOCKED = "net::ERR_BLOCKED_BY_ADMINISTRATOR"


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows. ``error`` is empty or the browser's reason, such as `BLOCKED`."""

    final_url: str
    title: str
    text: str
    dom: str
    error: str
    screenshot_path: Path | None


@dataclass(frozen=True, slots=True)
class Homepage:
    """Pages opened at the start, the page behind the Home button, and whether policy forces the latter."""

    start: tuple[str, ...]
    home: str
    forced: bool


@dataclass(frozen=True, slots=True)
class Preference:
    """One of the browser's settings, and whether policy forces it."""

    value: Any
    forced: bool


class Browser:
    """The browser of one person of a laptop, open while the block runs."""

    def __init__(self, laptop: Guest, user: str = "student") -> None:
        self._laptop = laptop
        self._user = user
        self._talk: Conversation | None = None

    def __enter__(self) -> Browser:
        profile = f"{self._laptop.account(self._user)[2]}/.config/chromium"
        for lock in ("SingletonLock", "SingletonCookie", "SingletonSocket"):  # left by a crash
            (self._laptop.path(profile) / lock).unlink(missing_ok=True)
        self._talk = Conversation(
            self._laptop, ["chromium", *FLAGS, f"--user-data-dir={profile}"], self._user
        )
        try:
            self._talk.call("Browser.getVersion")
        except LabError:
            self._talk.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._talk is not None:
            self._talk.close()
            self._talk = None

    @property
    def talk(self) -> Conversation:
        """The protocol itself, for what has no method here. Raises `LabError` outside the block."""
        if self._talk is None:
            raise LabError("cannot use a browser outside its with block")
        return self._talk

    def start_pages(self) -> tuple[str, ...]:
        """Addresses of the pages that are open, in no order; asked at once, those that open at the start."""
        targets = self.talk.call("Target.getTargets")["targetInfos"]
        return tuple(target["url"] for target in targets if target["type"] == "page")

    def open(self, url: str, *, screenshot: str | None = None) -> Page:
        """Open a page in a new tab, wait until it has loaded, and look at it.

        ``screenshot`` names a picture to keep in the folder of test output. Raises `LabError`.
        """
        session, error = self._tab(url)
        history = self.talk.call("Page.getNavigationHistory", session)
        picture = None
        if screenshot is not None:
            picture = output_folder() / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', screenshot)}.png"
            shot = self.talk.call("Page.captureScreenshot", session, format="png")
            picture.write_bytes(base64.b64decode(shot["data"]))
        return Page(
            final_url=str(history["entries"][history["currentIndex"]]["url"]),
            title=str(self._value(session, "document.title")),
            text=str(self._value(session, "document.body ? document.body.innerText : ''")),
            dom=str(self._value(session, "document.documentElement.outerHTML")),
            error=error,
            screenshot_path=picture,
        )

    def preferences(self, *keys: str) -> list[Preference]:
        """Settings by the names that chrome://settings uses, such as ``homepage`` or ``proxy``."""
        session, _ = self._tab("chrome://settings/")
        found: list[Preference] = []
        for key in keys:
            got = self._value(session, f"new Promise(done => chrome.settingsPrivate.getPref({key!r}, done))")
            if not isinstance(got, Mapping):
                raise LabError(f"cannot read the browser's setting {key}: there is none")
            found.append(Preference(got.get("value"), got.get("enforcement") == "ENFORCED"))
        return found

    def policies(self) -> Mapping[str, Any]:
        """The policies that the browser has read, name → value, as chrome://policy lists them."""
        return {name: policy["value"] for name, policy in self._policies().items()}

    def policy_errors(self) -> list[str]:
        """What the browser objects to in its policies, unknown names and wrong values included; empty is
        good.

        What it does not understand it drops without another sign: written, not effective.
        """
        return sorted(
            f"{name}: {policy['error']}" for name, policy in self._policies().items() if "error" in policy
        )

    def _policies(self) -> Mapping[str, Mapping[str, Any]]:
        session, _ = self._tab("chrome://policy/")
        found: Mapping[str, Mapping[str, Any]] = self._value(session, _POLICIES)["chrome"]["policies"]
        return found

    def _tab(self, url: str) -> tuple[str, str]:
        """Open a tab and load a page: its session and the browser's error or ""."""
        target = self.talk.call("Target.createTarget", url="about:blank")["targetId"]
        session: str = self.talk.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.talk.call("Page.enable", session)
        error = str(self.talk.call("Page.navigate", session, url=url).get("errorText", ""))
        self.talk.wait_event("Page.loadEventFired", session)
        return session, error

    def _value(self, session: str, script: str) -> Any:
        answer = self.talk.call(
            "Runtime.evaluate", session, expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise LabError(f"the page refuses {script}: {answer['exceptionDetails'].get('exception')}")
        return answer["result"].get("value")


_POLICIES = """
import("chrome://resources/js/cr.js").then(page => new Promise(done => {
  const policies = found => Object.values(found).find(part => part.chrome);
  page.addWebUiListener("policies-updated", (names, found) => done(policies(found)));
  chrome.send("listenPoliciesUpdates");
}))
"""


def open_page(laptop: Guest, url: str, user: str = "student", *, screenshot: str | None = None) -> Page:
    """Start the browser, look at one page, close it: about two seconds. Raises `LabError`."""
    with Browser(laptop, user) as browser:
        return browser.open(url, screenshot=screenshot)


def homepage(laptop: Guest, user: str = "student") -> Homepage:
    """Start the browser with no page asked for, and see what opens and what its Home button would open."""
    with Browser(laptop, user) as browser:
        start = browser.start_pages()
        own, home = browser.preferences("homepage_is_newtabpage", "homepage")
        return Homepage(start, "chrome://newtab/" if own.value else str(home.value), home.forced)
