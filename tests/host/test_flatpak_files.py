"""What one unit lists and another says of flatpak's applications; and what is read of flatpak's own files."""

from __future__ import annotations

import json
import os
from pathlib import Path

from agent.host.linux.flatpak_fetch import list_path, read_said, said_path, write_list
from agent.host.linux.flatpak_tree import FlatpakTree
from agent.host.linux.flatpak_work import _judged
from tests.leaks import REPOSITORY

GOLDEN = REPOSITORY / "tests/cases/formats/host"
HELLO = "org.example.Hello//stable"
REFUSED = "Unable to load summary from remote vendor: Can't check signature: public key not found"


def test_what_is_listed_and_what_came_of_it_are_as_they_were(tmp_path: Path) -> None:
    place = str(tmp_path)
    Path(said_path(place)).parent.mkdir()
    Path(said_path(place)).write_bytes((GOLDEN / "flatpaks-said.json").read_bytes())
    assert read_said(place) == {HELLO: "", "org.example.Other//stable": REFUSED}
    write_list(place, {HELLO: "vendor"})
    assert Path(list_path(place)).read_bytes() == (GOLDEN / "flatpaks-fetch.json").read_bytes()
    assert read_said(place) == {}, "what was said of others is no answer"
    for damaged in (b"", b"[]", b'{"said": 1}', b"\xff"):
        Path(said_path(place)).write_bytes(damaged)
        assert read_said(place) == {}


def test_that_nobody_answered_is_no_failure() -> None:
    offline = (
        "Unable to load summary from remote x: While fetching https://x/summary.idx: [6] Couldn't resolve"
    )
    assert _judged(HELLO, offline).code == ""
    assert _judged(HELLO, REFUSED).code == "bad-signature"
    assert _judged(HELLO, "Nothing matches org.example.Hello in remote vendor").code == "not-found"
    assert _judged(HELLO, "While pulling: Server returned status 403").code == "not-effective"


def test_what_is_no_file_of_flatpaks_is_nothing(tmp_path: Path) -> None:
    tree = FlatpakTree(str(tmp_path))
    (tmp_path / "repo").mkdir()
    config = '[remote "vendor"]\nurl=https://x.example/\ngpg-verify=true\ngpg-verify-summary=true\n'
    (tmp_path / "repo/config").write_text(config)
    found = tree.source("vendor")
    assert found is not None and not found.verified, "there is no key"
    (tmp_path / "repo/vendor.trustedkeys.gpg").write_bytes(b"key")
    found = tree.source("vendor")
    assert found is not None and found.verified and found.key == b"key", "the control"
    (tmp_path / "repo/config").write_text(f"{config}gpgkeypath=/srv/keys\n")
    found = tree.source("vendor")
    assert found is not None and not found.verified
    for damaged in ("[remote", "x\ny\n", "\0", json.dumps({})):
        (tmp_path / "repo/config").write_text(damaged)
        assert tree.source("vendor") is None
    os.unlink(tmp_path / "repo/config")
    assert tree.source("vendor") is None and tree.installed("app") == frozenset()
    assert tree.origin(tree.full("app", "org.example.Hello", "stable")) is None
