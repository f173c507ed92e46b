"""Chromium without a screen on this machine, as a student of it: what a page shows, does, and tries to do."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tests.lab.cdp import Conversation
from tests.lab.errors import LabError
from tests.lab.lab import output_folder

#: A user id; the portal takes whoever has it for a person. Only root can become another.
STUDENT = os.getuid() or 1500
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--password-store=basic",
    "--force-device-scale-factor=1",
)
#: Named keys → (code, virtual key).
KEYS = {"Tab": ("Tab", 9), "Enter": ("Enter", 13), "Escape": ("Escape", 27), " ": ("Space", 32)}


class Here:
    """This machine, where programs are started as a student if we are root, else as who we are."""

    def __init__(self, home: Path, *, before: Sequence[str] = ()) -> None:
        """``before`` precedes every command line, such as one that enters a namespace."""
        self._home = home
        self._before = tuple(before)

    def start(
        self, argv: Sequence[str], *, user: str | None, stdin: int, stdout: int, stderr: IO[Any]
    ) -> subprocess.Popen[bytes]:
        """As `tests.lab.cdp.Starts.start`; ``user`` is a user id in digits."""
        become: list[str] = []
        if os.geteuid() == 0 and user:
            become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]
        environment = {
            **{"HOME": str(self._home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"},
            **{"XDG_RUNTIME_DIR": str(self._home), "TMPDIR": str(self._home)},
        }
        return subprocess.Popen(
            [*self._before, *become, *argv],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            cwd="/",
            start_new_session=True,
        )


class Window:
    """One browser with a profile of its own, open while the block runs."""

    def __init__(self, *, uid: int = STUDENT, before: Sequence[str] = (), flags: Sequence[str] = ()) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="bookbag-window-"))
        if os.geteuid() == 0:
            os.chown(self._home, uid, uid)
        argv = ["chromium", *FLAGS, *flags, f"--user-data-dir={self._home}/profile"]
        self.talk = Conversation(Here(self._home, before=before), argv, str(uid))

    def __enter__(self) -> Window:
        try:
            self.talk.call("Browser.getVersion")
        except LabError:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self.talk.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def tab(self, *, width: int = 1280, height: int = 900, dark: bool = False, language: str = "en") -> Tab:
        """A new tab that looks so."""
        return Tab(self.talk, width=width, height=height, dark=dark, language=language)


class Tab:
    """One tab."""

    def __init__(self, talk: Conversation, *, width: int, height: int, dark: bool, language: str) -> None:
        self._talk = talk
        self.target: str = talk.call("Target.createTarget", url="about:blank")["targetId"]
        self.session: str = talk.call("Target.attachToTarget", targetId=self.target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        agent = self._talk.call("Browser.getVersion")["userAgent"]
        self.ask("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One call of the protocol for this tab."""
        return self._talk.call(method, self.session, **params)

    def resize(self, width: int, height: int) -> None:
        """The size of the page in CSS pixels."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def open(self, url: str) -> str:
        """Load a page; the browser's error or ""."""
        error = str(self.ask("Page.navigate", url=url).get("errorText", ""))
        if not error:
            self._talk.wait_event("Page.loadEventFired", self.session)
        return error

    def loaded(self) -> None:
        """Wait until a page that was begun has loaded."""
        self._talk.wait_event("Page.loadEventFired", self.session)

    def value(self, script: str) -> Any:
        """What a script says in the page; promises are awaited. Raises `LabError` for what it throws."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise LabError(f"the page refuses {script[:200]}: {answer['exceptionDetails'].get('exception')}")
        return answer["result"].get("value")

    def events(self) -> list[dict[str, Any]]:
        """What the browser has told of this tab since this was asked last."""
        return self._talk.events(self.session)

    def press(self, key: str, *, shift: bool = False) -> None:
        """One key, as from a keyboard."""
        code, number = KEYS[key]
        text = {"Enter": "\r", " ": " "}.get(key, "")
        params: dict[str, Any] = {
            **{"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 if shift else 0}
        }
        down = "keyDown" if text else "rawKeyDown"
        self.ask("Input.dispatchKeyEvent", type=down, text=text, **params)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **params)

    def type(self, text: str) -> None:
        """Text, as from a keyboard."""
        self.ask("Input.insertText", text=text)

    def picture(self, name: str, *, whole: bool = True) -> Path:
        """A picture of the page, kept for people to look at."""
        path = output_folder() / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.png"
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def close(self) -> None:
        """Close the tab."""
        self._talk.call("Target.closeTarget", targetId=self.target)
