"""A colleague with write access to the folder's git and no key plants links: nothing behind them gets out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fleet.desk import Desk

SECRET = "-----BEGIN PRIVATE KEY-----"


def leaks(folder: Path) -> list[Path]:
    """Every plain file below that holds the secret."""
    return [path for path in folder.rglob("*") if path.is_file() and SECRET in path.read_text("latin-1")]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "id_ed25519"
    path.write_text(SECRET)
    return path


def test_a_stick_carries_nothing_that_lies_behind_a_link(desk: Desk, tmp_path: Path, secret: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    desk.run("stick", str(stick))
    assert (stick / "metadata" / "timestamp.json").exists(), "the control"
    planted = desk.root / "published" / "targets" / "news.json"
    planted.symlink_to(os.path.relpath(secret, planted.parent))
    ran = desk.run("stick", str(stick), expect=1)
    assert ran.value["error"]["place"] == "published/targets/news.json"
    planted.unlink()
    (desk.root / "published" / "targets" / "more").symlink_to(secret.parent)
    desk.run("stick", str(stick))
    assert leaks(stick) == []


def test_a_stick_is_not_filled_from_a_folder_elsewhere(desk: Desk, tmp_path: Path, secret: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    secret.rename(elsewhere / "key.json")
    targets = desk.root / "published" / "targets"
    targets.rename(tmp_path / "targets")
    targets.symlink_to(elsewhere)
    assert desk.run("stick", str(stick), expect=1).value["error"]["code"] == "bad-path"
    assert leaks(stick) == []
