"""The laptop in a folder: what it keeps beside its files, its clock and facts, and that it stays in there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.base import Host, Node
from agent.host.choose import open_host
from agent.host.sandbox.sidecar import COMPACT_BEYOND, Attributes, Sidecar
from tests.contract.subject import refused

SECRET = Node("file", 0o4750, "nobody", "adm", b"x", (("security.capability", b"\1"), ("user.note", b"n")))


@pytest.fixture
def laptop(tmp_path: Path) -> Host:
    return open_host(Layout(str(tmp_path)))


def again(host: Host, tmp_path: Path) -> Host:
    return open_host(Layout(str(tmp_path)))


def test_it_says_that_it_is_simulated(laptop: Host) -> None:
    assert laptop.simulated
    assert laptop.name == "sandbox"


def test_attributes_outlive_the_process(laptop: Host, tmp_path: Path) -> None:
    laptop.files.write("/file", SECRET)
    other = again(laptop, tmp_path)
    assert other.files.read("/file") == SECRET
    assert os.stat(tmp_path / "file").st_mode & 0o7000 == 0, "no real set-id bit is ever put on"
    laptop.files.write("/file", Node("file", content=b"plain"))
    assert other.files.read("/file") == Node("file", content=b"plain"), "news from another process is seen"


def test_who_replaces_a_file_takes_its_attributes_away(laptop: Host, tmp_path: Path) -> None:
    laptop.files.write("/file", SECRET)
    (tmp_path / "new").write_bytes(b"y")
    (tmp_path / "new").rename(tmp_path / "file")
    read = laptop.files.read("/file")
    assert read is not None
    assert (read.owner, read.mode & 0o7000, read.xattrs) == ("root", 0, ())


def test_a_copy_of_the_folder_is_the_same_laptop(laptop: Host, tmp_path: Path) -> None:
    laptop.files.write("/secret", SECRET)
    laptop.files.write("/plain", SECRET)
    laptop.files.write("/plain", Node("file", 0o644, content=SECRET.content))
    shutil.copytree(tmp_path, tmp_path.with_name("copy"))
    copy = open_host(Layout(str(tmp_path.with_name("copy"))))
    assert copy.files.read("/secret") == SECRET
    assert copy.files.read("/plain") == Node("file", 0o644, content=SECRET.content), "the last word counts"


def test_a_chmod_from_outside_shows(laptop: Host, tmp_path: Path) -> None:
    laptop.files.write("/file", Node("file", 0o4750, content=b"x"))
    (tmp_path / "file").chmod(0o640)
    read = laptop.files.read("/file")
    assert read is not None and read.mode == 0o4640


def test_a_torn_line_counts_for_nothing(laptop: Host, tmp_path: Path) -> None:
    laptop.files.write("/file", SECRET)
    log = tmp_path / ".sandbox/attributes.jsonl"
    whole = log.read_bytes()
    for torn in (
        b'["/file", 1',
        b"\xff\xfe\n",
        b"null\n",
        b'["/file"]\n',
        b"[" * 5000 + b"\n",
        b'["/f", 1, {}]\n',
    ):
        log.write_bytes(whole + torn)
        assert again(laptop, tmp_path).files.read("/file") == SECRET
        again(laptop, tmp_path).files.write("/other", SECRET)
        assert again(laptop, tmp_path).files.read("/other") == SECRET, "and what follows it counts"


def test_the_log_is_compacted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sidecar, other = Sidecar(str(path)), Sidecar(str(path))
    for number in range(COMPACT_BEYOND + 100):
        sidecar.put("/file", 7, b"x", Attributes(number % 0o777, 0o644, "root", "root"))
    assert path.read_bytes().count(b"[") < 200
    kept = Attributes((COMPACT_BEYOND + 99) % 0o777, 0o644, "root", "root")
    assert sidecar.get("/file", 7) == other.get("/file", 7) == kept
    assert other.get("/file", 8) is None


def test_its_own_folder_is_not_part_of_the_laptop(laptop: Host) -> None:
    for path in ("/.sandbox", "/.sandbox/facts.json", "/.sandbox/x/y"):
        refused("bad-path", laptop.files.read, path)
        refused("bad-path", laptop.files.write, path, Node("file"))
        refused("bad-path", laptop.files.remove, path)
        refused("bad-path", laptop.files.names, path)
    laptop.files.write("/file", Node("file"))
    assert laptop.files.names("/") == ("dev", "etc", "file", "home", "var")


def test_the_real_root_is_no_sandbox(tmp_path: Path) -> None:
    (tmp_path / "root").symlink_to("/")
    refused("bad-path", open_host, Layout(str(tmp_path / "root")))
    (tmp_path / "file").write_text("x")
    refused("bad-path", open_host, Layout(str(tmp_path / "file")))
    (tmp_path / "laptop").mkdir()
    (tmp_path / "laptop/.sandbox").symlink_to(tmp_path)
    refused("bad-path", open_host, Layout(str(tmp_path / "laptop")))


def test_facts_are_made_up_once_and_may_be_changed(laptop: Host, tmp_path: Path) -> None:
    serial = laptop.facts.serial()
    assert serial.startswith("SANDBOX-")
    assert again(laptop, tmp_path).facts.serial() == serial
    facts = tmp_path / ".sandbox/facts.json"
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "serial": "S-1", "users": ["zoe", "ali"]}))
    assert (laptop.facts.serial(), laptop.facts.users()) == ("S-1", ("ali", "zoe"))
    for broken in ("{", "[]", ""):
        facts.write_text(broken)
        refused("state-corrupt", laptop.facts.serial)


def test_the_clock_can_be_in_1970_and_in_2099_and_stand_still(laptop: Host, tmp_path: Path) -> None:
    settings = tmp_path / ".sandbox/clock.json"
    real = laptop.clock.wall()
    assert not laptop.clock.synchronised()
    for year, there in ((1970, 0), (2099, 4_070_908_800)):
        settings.write_text(
            json.dumps({"offset": there - real, "synchronised": year == 2099, "boot-id": "b"})
        )
        assert abs(laptop.clock.wall() - there) <= 60
        assert laptop.clock.synchronised() == (year == 2099)
        assert laptop.clock.boot_id() == "b"
    settings.write_text(json.dumps({"wall": 1000, "boottime": 77, "offset": 1}))
    assert (laptop.clock.wall(), laptop.clock.boottime()) == (1001, 77)
    settings.write_text("{broken")
    assert abs(laptop.clock.wall() - real) <= 60


def test_the_sandbox_does_not_import_the_real_machine(tmp_path: Path) -> None:
    import subprocess

    script = (
        "import sys\nfrom agent.core.layout import Layout\nfrom agent.host.choose import open_host\n"
        f"open_host(Layout({str(tmp_path)!r}))\nprint(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "agent.host.sandbox.laptop" in loaded
    assert not [name for name in loaded if name.startswith("agent.host.linux") or name == "subprocess"]


def test_a_new_laptop_is_furnished_once(laptop: Host, tmp_path: Path) -> None:
    """What is closed or erased later is not opened again by the next who comes."""
    gate, disk = tmp_path / "etc/security/bookbag-login.conf", tmp_path / "dev/disk"
    assert gate.is_file() and disk.is_file()
    gate.unlink()
    disk.write_bytes(b"erased")
    again(laptop, tmp_path)
    assert not gate.exists() and disk.read_bytes() == b"erased"
    (tmp_path / ".sandbox/facts.json").unlink()  # as another opener finds it who comes at the same time
    gate.write_bytes(b"closed by now")
    again(laptop, tmp_path)
    assert (gate.read_bytes(), disk.read_bytes()) == (b"closed by now", b"erased")
