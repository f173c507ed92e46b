"""Opening a laptop in a folder, and making it the first time."""

from __future__ import annotations

import os

from agent.core import durable
from agent.core.errors import BookbagError
from agent.host.base import Host
from agent.host.sandbox.clock import SandboxClock
from agent.host.sandbox.dconf import SandboxDconf
from agent.host.sandbox.facts import SandboxFacts
from agent.host.sandbox.files import OWN_DIRECTORY, SandboxFiles


def open_sandbox(folder: str) -> Host:
    """The laptop in ``folder``, made if need be. Raises ``bad-path`` if that cannot be a folder of ours."""
    folder = os.path.realpath(folder)
    if folder == "/":
        raise BookbagError("bad-path", "cannot use / as a sandbox: it is the real machine", place=folder)
    own = os.path.join(folder, OWN_DIRECTORY)
    try:
        if os.path.islink(own):
            raise BookbagError("bad-path", "cannot use a link as the sandbox's own folder", place=own)
        if not os.path.isdir(own):
            os.makedirs(own, mode=0o700, exist_ok=True)
            durable.sync_directory(folder)
    except OSError as error:
        raise BookbagError("bad-path", f"cannot make a sandbox: {error.strerror}", place=folder) from error
    files = SandboxFiles(folder)
    facts = SandboxFacts(os.path.join(own, "facts.json"))
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot_id = file.read().strip()
    clock = SandboxClock(os.path.join(own, "clock.json"), boot_id)
    return Host("sandbox", files, facts, clock, SandboxDconf(files, facts), simulated=True)
