"""A laptop's Firefox, driven as a person of the laptop: what it was told, what it opens, what it refuses.

It is Debian's Firefox ESR without a screen, asked through Marionette, its own remote protocol: JSON after its
length in bytes and a colon (https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
"""

from __future__ import annotations

import base64
import json
import os
import re
import selectors
import subprocess
import tempfile
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from tests.lab.errors import LabError, TimedOut, last_lines
from tests.lab.guest import Guest, end
from tests.lab.lab import output_folder

FLAGS = ("--headless", "--no-remote", "--marionette", "--remote-allow-system-access")
BLOCKED = "blockedByPolicy"
UNVOUCHED = "insecure certificate"
#: Run inside the laptop: starts the browser and passes on what it says at Marionette's port, which nobody
#: outside can reach.
_BRIDGE = """
import os, socket, subprocess, sys, threading, time
browser = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=sys.stderr)
while True:
    try:
        port = socket.create_connection(("127.0.0.1", 2828))
        break
    except OSError:
        if browser.poll() is not None:
            sys.exit("the browser ended by itself")
        time.sleep(0.05)
def back():
    while data := port.recv(65536):
        os.write(1, data)
    os.close(1)
threading.Thread(target=back, daemon=True).start()
while data := os.read(0, 65536):
    port.sendall(data)
browser.wait(20)
"""


class Firefox:
    """The browser of one person of a laptop, open while the block runs. Each answer may take ``timeout``
    seconds. ``vouched`` False: it takes a server's certificate that nobody vouches for.
    """

    def __init__(
        self, laptop: Guest, user: str = "student", timeout: float = 60, *, vouched: bool = True
    ) -> None:
        self._laptop = laptop
        self._user = user
        self._timeout = timeout
        self._vouched = vouched
        self._number = 0
        self._buffer = b""

    def __enter__(self) -> Firefox:
        self._words = tempfile.TemporaryFile()
        self._process = self._laptop.start(
            ["python3", "-c", _BRIDGE, "firefox-esr", *FLAGS],
            user=self._user,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
        )
        try:
            self._receive("its greeting")
            self._call(
                "WebDriver:NewSession", strictFileInteractability=False, acceptInsecureCerts=not self._vouched
            )
        except LabError:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._call("Marionette:Quit", flags=["eForceQuit"])
        finally:
            self._end()

    def open(self, url: str, *, screenshot: str = "") -> str:
        """Open a page and wait until it has loaded: "" or the name of an error, such as `BLOCKED`
        or `UNVOUCHED`.

        ``screenshot`` names a picture to keep in the folder of test output.
        """
        refused = ""
        try:
            self._call("WebDriver:Navigate", url=url)
        except LabError as error:
            found = re.search(rf"about:neterror\?e=(\w+)|({UNVOUCHED})", str(error))
            if found is None:
                raise
            refused = found.group(1) or found.group(2)
        if screenshot:
            shot = self._call("WebDriver:TakeScreenshot", full=False)["value"]
            (output_folder() / f"{screenshot}.png").write_bytes(base64.b64decode(shot))
        return refused

    def title(self) -> str:
        """Of the page that is open."""
        return str(self._call("WebDriver:GetTitle")["value"])

    def policies(self) -> Mapping[str, Any]:
        """The policies that the browser obeys, as about:policies lists them."""
        found: Mapping[str, Any] = self.inside("return Services.policies.getActivePolicies() || {}")
        return found

    def preference(self, name: str) -> tuple[Any, bool]:
        """One of its settings, and whether a person cannot change it."""
        value, locked = self.inside(
            "const [name] = arguments; const prefs = Services.prefs; const kind = prefs.getPrefType(name);"
            "return [kind == prefs.PREF_BOOL ? prefs.getBoolPref(name)"
            " : kind == prefs.PREF_INT ? prefs.getIntPref(name) : prefs.getStringPref(name, ''),"
            " prefs.prefIsLocked(name)]",
            name,
        )
        return value, bool(locked)

    def inside(self, script: str, *args: Any) -> Any:
        """What a script gives that runs with the rights of the browser itself."""
        self._call("Marionette:SetContext", value="chrome")
        try:
            return self._call("WebDriver:ExecuteScript", script=script, args=list(args))["value"]
        finally:
            self._call("Marionette:SetContext", value="content")

    def _call(self, command: str, **params: Any) -> Any:
        self._number += 1
        data = json.dumps([0, self._number, command, params]).encode()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"%d:%s" % (len(data), data))
            self._process.stdin.flush()
        except BrokenPipeError:
            raise LabError(f"cannot ask Firefox for {command}: it has ended\n{self._said()}") from None
        answer = self._receive(command)
        if not isinstance(answer, list) or answer[:2] != [1, self._number]:
            raise LabError(f"Firefox answers {command} with {answer!r}")
        if answer[2] is not None:
            why = f"{answer[2].get('error')}: {answer[2].get('message')}"
            raise LabError(f"Firefox refuses {command}: {why}")
        return answer[3]

    def _receive(self, what: str) -> Any:
        until = time.monotonic() + self._timeout
        out = self._process.stdout
        assert out is not None
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while True:
                size, colon, rest = self._buffer.partition(b":")
                if colon and len(rest) >= int(size):
                    self._buffer = rest[int(size) :]
                    return json.loads(rest[: int(size)])
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise TimedOut(f"Firefox says nothing to {what}\n{self._said()}")
                data = os.read(out.fileno(), 1 << 16)
                if not data:
                    raise LabError(f"Firefox ended at {what}\n{self._said()}")
                self._buffer += data

    def _said(self) -> str:
        self._words.seek(0)
        return last_lines(self._words.read().decode("utf-8", errors="replace"))

    def _end(self) -> None:
        end(self._process)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._words.close()
