"""Which program opens what, as the desktop's own library decides it (GIO, by its program `gio`)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from agent.core.model import Power
from agent.policy.resources.default_applications import USES, DefaultApplications
from tests.policy.machine import Machine, compiled, source

CHOSEN = "settings:\n  desktop.default-applications:\n    value: {pdf: chosen.desktop, web: gone.desktop}\n"


def opener(machine: Machine, mime: str) -> str:
    """The desktop file of what the student's desktop opens ``mime`` with."""
    home = machine.laptop / "home/student"
    places = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CONFIG_DIRS": str(machine.laptop / "etc/xdg"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_DATA_DIRS": str(machine.laptop / "usr/share"),
        "XDG_CURRENT_DESKTOP": "GNOME",
        "LC_ALL": "C.UTF-8",
    }
    ended = subprocess.run(
        ["gio", "mime", mime],
        env=os.environ | places,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ended.stdout.splitlines()[0].rpartition(": ")[2] if ended.stdout else ended.stderr


@pytest.mark.needs("gio")
def test_the_desktop_opens_with_what_was_chosen(machine: Machine) -> None:
    programs = machine.laptop / "usr/share/applications"
    programs.mkdir(parents=True)
    for name in ("chosen", "own", "usual"):
        (programs / f"{name}.desktop").write_text(
            f"[Desktop Entry]\nType=Application\nName={name}\nExec=/bin/true %u\n"
            "MimeType=application/pdf;text/html;\n"
        )
    usual = "[Default Applications]\napplication/pdf=usual.desktop\ntext/html=usual.desktop\n"
    (programs / "gnome-mimeapps.list").write_text(usual)
    assert opener(machine, "application/pdf") == "usual.desktop", "the control: the distribution's"
    machine.apply(compiled(source(CHOSEN)))
    assert opener(machine, "application/pdf") == "chosen.desktop"
    assert opener(machine, "text/html") == "usual.desktop", "what is not installed is passed over"
    own = Path(machine.laptop / "home/student/.config/mimeapps.list")
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("[Default Applications]\napplication/pdf=own.desktop\n")
    assert opener(machine, "application/pdf") == "own.desktop", "a student's own choice comes first"
    own.unlink()
    machine.apply(None)
    assert opener(machine, "application/pdf") == "usual.desktop"


def test_no_type_that_can_run_is_among_them_and_nothing_else_is_ordinary() -> None:
    types = [one for many in USES.values() for one in many]
    assert len(types) == len(set(types)), "no type twice"
    assert not [one for one in types if "script" in one or "executable" in one or "x-desktop" in one]
    assert DefaultApplications({"pdf": "a.desktop"}).power()[0] is Power.ORDINARY, "the control"
    for programs in ({"scripts": "a.desktop"}, {"pdf": "a.desktop\ntext/x-sh=b.desktop"}, {"pdf": "a"}):
        assert DefaultApplications(programs).power()[0] is Power.ROOT
