"""What one unit lists and another says of flatpak's applications; and what is read of flatpak's own files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.flatpaks import Wish
from agent.host.linux.flatpak_fetch import CUT_OFF, fetch, list_path, read_said, said_path, write_list
from agent.host.linux.flatpak_tree import FlatpakTree
from agent.host.linux.flatpak_work import FlatpakWork, _judged
from agent.host.linux.key_files import groups
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
    os.unlink(said_path(place))
    os.mkfifo(said_path(place))
    assert read_said(place) == {}, "nobody waits for a pipe"


def test_an_odd_name_stops_no_other(tmp_path: Path) -> None:
    place = str(tmp_path)
    write_list(place, {"--user": "vendor", HELLO: "a b", "org.example.Last//stable": "--x"})
    said = fetch(place, FlatpakTree(str(tmp_path / "none")))
    assert len(said) == 3 and all(said.values()) and read_said(place) == said


def test_what_was_tried_is_fetched_after_what_was_not(tmp_path: Path) -> None:
    """One that is endless ends the unit, and would be the first again for ever."""
    place, first, second = str(tmp_path), "org.example.A//stable", "org.example.B//stable"
    top = tmp_path / "flatpak"
    (top / "repo").mkdir(parents=True)
    signed = '[remote "vendor"]\nurl=https://x.example/\ngpg-verify=true\ngpg-verify-summary=true\n'
    (top / "repo/config").write_text(signed)
    (top / "repo/vendor.trustedkeys.gpg").write_bytes(b"key")
    write_list(place, {})
    Path(said_path(place)).parent.mkdir()
    Path(said_path(place)).write_text(json.dumps({"v": 1, "said": {first: CUT_OFF}}))
    assert _judged(first, CUT_OFF).code == ""
    work = FlatpakWork(place, FlatpakTree(str(top)), lambda unit: None, lambda: ("boot", 0))
    work.carry_out(dict.fromkeys((first, second), Wish(True, "vendor")), "")
    rows = json.loads(Path(list_path(place)).read_bytes())["fetch"]
    assert [one["application"] for one in rows] == [second, first]


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


def test_nothing_that_the_fetching_unit_leaves_is_followed_waited_for_or_cut(tmp_path: Path) -> None:
    tree = FlatpakTree(str(tmp_path))
    full = tree.full("app", "org.example.Hello", "stable")
    (tmp_path / "repo").mkdir()
    deployed = tmp_path / full / "active/deploy"
    deployed.parent.mkdir(parents=True)
    deployed.write_bytes(b"vendor\0more")
    assert tree.origin(full) == "vendor", "the control"
    deployed.write_bytes(b"root:$y$j9T\n\0")
    assert tree.origin(full) == "", "no name of a source"
    os.unlink(deployed)
    secret = tmp_path / "secret"
    secret.write_bytes(b"vendor\0")
    deployed.symlink_to(secret)
    assert tree.origin(full) is None
    os.mkfifo(tmp_path / "repo/config")
    assert tree.source("vendor") is None, "and nobody waits"
    os.unlink(tmp_path / "repo/config")
    (tmp_path / "repo/config").write_text("#" * ((1 << 20) + 1))
    with pytest.raises(BookbagError) as raised:
        tree.source("vendor")
    assert raised.value.code == "too-large"


def test_a_folder_of_the_repository_that_leads_elsewhere_is_one_again(tmp_path: Path) -> None:
    """flatpak would tidy up there, as root."""
    homes = tmp_path / "home"
    (homes / "lina").mkdir(parents=True)
    top = tmp_path / "flatpak"
    (top / "repo/refs").mkdir(parents=True)
    (top / "repo/objects").mkdir()
    (top / "repo/tmp").symlink_to(homes)
    (top / "repo/refs/remotes").symlink_to(homes)
    FlatpakTree(str(top)).mend()
    for name in ("tmp", "refs/remotes", "objects"):
        assert (top / "repo" / name).is_dir() and not (top / "repo" / name).is_symlink()
    assert (homes / "lina").is_dir() and not (top / "repo/state").exists()


def test_what_extends_a_runtime_by_another_name_is_needed(tmp_path: Path) -> None:
    """GNOME's runtime is extended by what is called after freedesktop's."""
    tree = FlatpakTree(str(tmp_path))

    def deployed(full: str, metadata: str) -> None:
        (tmp_path / full / "active").mkdir(parents=True)
        (tmp_path / full / "active/metadata").write_text(metadata)

    extension = tree.full("runtime", "org.freedesktop.Platform.GL.default", "23.08")
    deployed(extension, "[Runtime]\nname=org.freedesktop.Platform.GL.default\n")
    work = FlatpakWork(str(tmp_path / "place"), tree, lambda unit: None, lambda: ("boot", 0))
    assert not work._is_needed(extension), "the control"
    gnome = tree.full("runtime", "org.gnome.Platform", "45")
    deployed(
        gnome, "[Runtime]\nname=org.gnome.Platform\n[Extension org.freedesktop.Platform.GL@x]\nversion=1\n"
    )
    assert tree.extensions_of(gnome) == frozenset({"org.freedesktop.Platform.GL"})
    assert work._is_needed(extension) and not work._is_needed(gnome)
    (tmp_path / gnome / "active/metadata").unlink()
    assert work._is_needed(extension), "who does not say may be extended by it"


def test_key_files_as_glib_reads_them() -> None:
    text = "# one\n[a]\nx = 1\nx=2 \n\n[b c]\n y=[z]=\n[a]\nw=\n"
    assert groups(text) == {"a": {"x": "2", "w": ""}, "b c": {"y": "[z]="}}
    for none in ("x=1", "[a]\nx", "[a", "[a]\n=1", "\0", "[a][b]\n"):
        assert groups(none) == {}
