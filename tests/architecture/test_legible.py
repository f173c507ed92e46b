"""Legible to the student: nothing that watches a person exists in the tree at all, not even switched off.

No camera, microphone, screenshot, keystroke, window title, browsing history or location. Turning such a
device *off* is a policy, and stays possible: what is looked for here is what takes something in.
"""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import agent_files, name_of, references, repository_files
from tests.leaks import REPOSITORY

MODULES = re.compile(
    r"""(
      cv2 | imageio | picamera2? | v4l2 | pygame\.camera                          # camera
    | pyaudio | sounddevice | soundcard | alsaaudio | speech_recognition          # microphone
    | mss | pyscreenshot | PIL\.ImageGrab | pyautogui | dxcam | d3dshot           # screen
    | pynput | keyboard | mouse | evdev | uinput | Xlib\.ext\.record              # keystrokes
    | pygetwindow | pywinctl | ewmh | wnck                                        # window titles
    | browser_?history | browser_cookie3                                          # browsing
    | geopy | geocoder | gps | gpsd | geoclue                                     # location
    )(\.|$)""",
    re.VERBOSE | re.IGNORECASE,
)
# Written so that no pattern matches its own source.
WORDS = re.compile(
    r"""
      VIDIOC_[A-Z] | \bv4l2s[r]c\b | \bfswebca[m]\b | \bffmpe[g]\b.*-f\s+(v4l2|alsa|pulse|x11grab)
    | \b(a|pa|pw-)recor[d]\b | \bpulses[r]c\b | \balsas[r]c\b
    | \b(scro[t]|gnome-screensho[t]|spectacl[e]|grimsho[t]|ximages[r]c)\b | \bimport\s+-windo[w]\b | x11gra[b]
    | org\.freedesktop\.portal\.(Screensho[t]|ScreenCas[t]|Camer[a]|Locatio[n])
    | \bXQueryKeyma[p]\b | \bXRecor[d]\w* | \bxinpu[t]\s+test | /dev/inpu[t]/event | \blogkey[s]\b
    | _NET_ACTIVE_WINDO[W] | _NET_WM_NAM[E] | \bgetactivewindo[w]\b | \bgetwindownam[e]\b
    | places\.sqlit[e] | /Defaul[t]/History | \burls\b.*\bvisit_coun[t]\b
    | GeoClue[2] | org\.freedesktop\.GeoClu[e] | navigator\.geolocatio[n]
    | \bgetUserMedi[a]\b | \bgetDisplayMedi[a]\b
    """,
    re.VERBOSE,
)
SHIPPED = ("agent", "installer", "policies")


@pytest.mark.parametrize(
    "source", ["import cv2", "from pynput import keyboard", "from PIL import ImageGrab", "import mss.tools"]
)
def test_a_watching_module_is_noticed(source: str) -> None:
    assert [name for _, name in references(source) if MODULES.match(name)]


@pytest.mark.parametrize(
    "text",
    [
        "arecor" + "d -d 5 out.wav",
        "ffmpe" + "g -f x11gra" + "b -i :0",
        "open('/dev/inpu" + "t/event3')",
        "'_NET_ACTIVE_WINDO" + "W'",
        "profile / 'places.sqlit" + "e'",
        "navigator.mediaDevices.getUserMedi" + "a({audio: true})",
    ],
)
def test_watching_code_is_noticed(text: str) -> None:
    assert WORDS.search(text)


@pytest.mark.parametrize(
    "text",
    ["camera: off", "VideoCaptureAllowed", "DefaultGeolocationSetting", "SavingBrowserHistoryDisabled"],
)
def test_turning_it_off_is_left_alone(text: str) -> None:
    assert not WORDS.search(text)


def test_nothing_that_watches_is_imported() -> None:
    assert not [
        f"{name_of(path)}:{line}: {name}"
        for path in agent_files()
        for line, name in references(path.read_text(encoding="utf-8"))
        if MODULES.match(name)
    ]


def test_nothing_that_watches_is_in_the_tree() -> None:
    found = []
    for path in repository_files():
        if path.relative_to(REPOSITORY).parts[0] in SHIPPED:
            text = path.read_bytes().decode("utf-8", errors="replace")
            found += [f"{name_of(path)}: {match.group()}" for match in WORDS.finditer(text)]
    assert not found


def test_no_dependency_watches() -> None:
    names = re.findall(
        r"^([a-z0-9-]+)==", (REPOSITORY / "installer/requirements.lock").read_text("utf-8"), re.MULTILINE
    )
    assert "cryptography" in names
    assert not [name for name in names if MODULES.match(name.replace("-", "_"))]
