"""The files contract over the sandbox, and over real files below a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from agent.core.layout import Layout
from agent.host.choose import open_host
from agent.host.linux.files import LinuxFiles
from agent.host.sandbox.files import SandboxFiles
from tests.contract.checks import FILES
from tests.contract.subject import LeftOut, Subject, clear

NOBODY = 65534


@contextmanager
def as_user() -> Iterator[None]:
    """Without root's rights for a while."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


HOSTS = ["sandbox", "linux", *(("sandbox as user", "linux as user") if os.geteuid() == 0 else ())]


@pytest.fixture(params=HOSTS)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    kind, *rights = request.param.split()
    with ExitStack() as stack:
        base = stack.enter_context(tempfile.TemporaryDirectory(prefix="bookbag-contract-"))
        if rights:
            os.chown(base, NOBODY, NOBODY)
            stack.enter_context(as_user())
        folder, outside = f"{base}/laptop", f"{base}/outside"
        os.makedirs(f"{folder}/area")
        os.mkdir(outside)
        stack.callback(clear, folder)  # deeper than Python's own tidying can reach
        files = LinuxFiles(folder) if kind == "linux" else sandbox(folder)
        stack.callback(files.close)
        yield Subject(files, folder, "/area", outside, real=kind == "linux")


def sandbox(folder: str) -> SandboxFiles:
    host = open_host(Layout(folder))
    assert host.simulated
    assert isinstance(host.files, SandboxFiles)
    return host.files


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, subject: Subject) -> None:
    try:
        FILES[name](subject)
    except LeftOut as reason:
        pytest.skip(str(reason))
