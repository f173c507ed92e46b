"""The real dconf port against a program that does not behave."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.linux import dconf
from agent.host.linux.files import LinuxFiles

KEY = "/org/gnome/desktop/session/idle-delay"


def test_a_user_who_keeps_it_from_answering_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program opens first is the user's own; a pipe there holds it up until we give up."""
    program = tmp_path / "dconf"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(dconf, "ASK_SECONDS", 0.3)
    files = LinuxFiles(str(tmp_path))
    try:
        port = dconf.LinuxDconf(files, str(program))
        me = pwd.getpwuid(os.getuid()).pw_name
        took = []
        for ask in (port.effective, port.effective, port.writable):
            began = time.monotonic()
            with pytest.raises(BookbagError) as refused:
                ask(me, KEY)
            took.append(time.monotonic() - began)
            assert refused.value.code == "worker-timeout"
    finally:
        files.close()
    assert took[0] > 0.25, "the control: it was waited for"
    assert max(took[1:]) < 0.1
