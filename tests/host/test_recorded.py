"""Files noted exactly and put back, and when what is there counts as what was."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.core.model import State
from agent.host.base import Files, Node
from agent.host.choose import open_host
from agent.host.recorded import is_as, put_back, record, state_of
from tests.contract.subject import refused

A, B = "/etc/one/a", "/etc/two/deep/b"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_host(Layout(str(tmp_path))).files


def put(files: Files, path: str, node: Node) -> None:
    files.make_parents(path)
    files.write(path, node)


@pytest.mark.parametrize(
    "node",
    [
        None,
        Node("file", 0o4750, "nobody", "adm", b"\0x", (("user.note", b"n"),)),
        Node("symlink", 0o777, content=b"/nowhere"),
    ],
)
def test_what_was_there_comes_back_and_directories_made_since_go(node: Node | None, files: Files) -> None:
    if node is not None:
        put(files, A, node)
    before = record(files, A, B)
    put(files, A, Node("file", content=b"ours"))
    put(files, B, Node("file", content=b"ours"))
    assert not is_as(record(files, A, B), before)
    put_back(files, before)
    put_back(files, before)
    assert record(files, A, B) == before
    assert files.read(A) == node
    assert files.read("/etc/two") is None
    assert (files.read("/etc/one") is None) == (node is None)


def test_a_directory_that_others_use_by_now_stays(files: Files) -> None:
    before = record(files, B)
    put(files, B, Node("file"))
    put(files, "/etc/two/theirs", Node("file"))
    put_back(files, before)
    assert files.names("/etc/two") == ("theirs",)
    assert not is_as(record(files, B), before)
    files.remove("/etc/two/theirs")
    files.remove_empty(["/etc/two"])
    assert is_as(record(files, B), before)


def test_what_is_no_record_is_refused_before_anything_changes(files: Files) -> None:
    put(files, A, Node("file", content=b"kept"))
    good = record(files, A)
    node = state_of(files.read(A)) or {}
    wrongs: list[State] = [{}, {"files": {}}, {**good, "missing": 1}, {**good, "files": {A: "x"}}]
    for key, value in (
        ("kind", 1),
        ("content", "text"),
        ("mode", None),
        ("xattrs", 1),
        ("xattrs", {"x": "text"}),
    ):
        wrongs.append({**good, "files": {A: {**node, key: value}}})
    for wrong in wrongs:
        refused("state-corrupt", put_back, files, wrong)
    assert files.read(A) == Node("file", content=b"kept")


def test_ways_in_must_be_open_again_and_what_else_runs_is_not_asked() -> None:
    then: State = {"files": {}, "missing": ("/a",), "ways": ("getty.target",), "standing": ("cups.service",)}
    assert is_as({**then, "standing": ()}, then)
    assert is_as({**then, "ways": ["getty.target", "ssh.service"], "missing": ["/a", "/b"]}, then)
    assert is_as(then, {**then, "ways": ["getty.target"], "missing": ["/a"]}), "as a journal has it"
    assert not is_as({**then, "ways": ()}, then)
    assert not is_as({**then, "missing": ()}, then)
    assert not is_as({**then, "files": {"/x": None}}, then)
    assert not is_as({**then, "sysrq": 0}, then)
