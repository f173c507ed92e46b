"""Programs' files of a real machine, below a folder: owner and mode as the kernel keeps them."""

from __future__ import annotations

import grp
import os
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from agent.host.base import Node
from agent.host.linux.files import LinuxFiles
from agent.host.linux.programs import LinuxPrograms
from agent.host.programs import FILE, Program

PATH = "/opt/reader/reader"
CLOSED = Program(FILE, "root", "sudo", 0o750)


def has_sudo() -> bool:
    with suppress(KeyError):
        return bool(grp.getgrnam("sudo"))
    return False


pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not has_sudo(), reason="takes root and the group sudo")


@pytest.fixture
def files(tmp_path: Path) -> Iterator[LinuxFiles]:
    with closing(LinuxFiles(str(tmp_path))) as made:
        made.make_parents(PATH)
        made.write(PATH, Node("file", 0o4755, content=b"#!/bin/sh\n"))
        yield made


def test_other_names_of_a_file_are_seen_and_it_is_given_back_all_the_same(
    files: LinuxFiles, tmp_path: Path
) -> None:
    """dpkg itself gives it one while it unpacks, and leaves it there where it is interrupted."""
    programs = LinuxPrograms(files, str(tmp_path))
    was = programs.find(PATH)
    assert was == Program(FILE, mode=0o4755), "the control"
    programs.dress(PATH, CLOSED)
    os.link(f"{tmp_path}{PATH}", f"{tmp_path}{PATH}.dpkg-tmp")
    assert programs.find(PATH) == replace(CLOSED, shared=True)
    programs.dress(PATH, was)
    assert programs.find(PATH) == replace(was, shared=True)
    os.unlink(f"{tmp_path}{PATH}.dpkg-tmp")
    assert programs.find(PATH) == was


def test_a_link_to_it_is_none(files: LinuxFiles, tmp_path: Path) -> None:
    os.symlink("reader", f"{tmp_path}{PATH}-too")
    there = LinuxPrograms(files, str(tmp_path)).find(f"{PATH}-too")
    assert there is not None and there.kind == f"a link to {tmp_path}{PATH}"
