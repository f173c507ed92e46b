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


MAILBOX = "a" * 32


def test_a_link_among_the_mail_publishes_no_key(desk: Desk) -> None:
    """The service files staged mail by itself, every few hours: nobody would look at it first."""
    mail = desk.root / "staged" / "mail"
    mail.mkdir(parents=True, exist_ok=True)
    key = desk.root / "keys" / "online" / "timestamp.pem"
    assert SECRET in key.read_text(), "the control: there is something to lose"
    (mail / MAILBOX).symlink_to(os.path.relpath(key, mail))
    error = desk.run("refresh", expect=1).value["error"]
    assert (error["code"], error["place"]) == ("bad-path", f"staged/mail/{MAILBOX}")
    assert leaks(desk.root / "published") == []
    (mail / MAILBOX).unlink()
    desk.run("refresh")


def test_mail_that_is_not_sealed_is_not_filed(desk: Desk) -> None:
    mail = desk.root / "staged" / "mail"
    mail.mkdir(parents=True, exist_ok=True)
    (mail / MAILBOX).write_text(SECRET)
    error = desk.run("refresh", expect=1).value["error"]
    assert (error["code"], error["place"]) == ("bad-envelope", f"staged/mail/{MAILBOX}")
    assert leaks(desk.root / "published") == []


@pytest.mark.parametrize(
    "name", ["staged/metadata", "staged/mail", "published/metadata", "published/targets"]
)
def test_a_folder_that_is_a_link_is_neither_read_nor_written_nor_cleared(
    desk: Desk, tmp_path: Path, name: str
) -> None:
    place = desk.root / name
    place.mkdir(parents=True, exist_ok=True)
    elsewhere = tmp_path / "elsewhere"
    place.rename(elsewhere)
    (elsewhere / f"{'0' * 64}.thesis").write_text("mine")
    before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
    place.symlink_to(elsewhere)
    desk.policy("base")
    ran = desk.run("publish", "--as", "ict-1", expect=None)
    assert ran.code in (1, 4)
    assert "link" in ran.out
    assert {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()} == before
