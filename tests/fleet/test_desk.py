"""Whole workflows of the desk through the real command line, judged by a laptop's real verification."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import BookbagError
from tests.fleet.desk import DAY, NOW, PASSPHRASE, PERSONS, Desk, Laptop, deliver, enrolled, make_desk


def test_init_makes_a_folder_that_may_go_into_git(fresh: Desk) -> None:
    root = fresh.root
    assert {one.name for one in root.iterdir()} >= {
        "site.yaml", "people", "keys", "ca.pem", "staged", "repository.json", ".gitignore",
    }  # fmt: skip
    assert "/keys/online/" in (root / ".gitignore").read_text()
    for path in (root / "keys").rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for path in root.rglob("*"):
        if path.is_file() and "online" not in path.parts:
            assert b"PRIVATE KEY" not in path.read_bytes(), path
    assert fresh.run("check").value["errors"] == 0  # only what still waits for signatures


def test_editors_are_told_of_policies_without_a_network(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "it", "--template", "secondary")
    text = (desk.root / "policy.schema.json").read_text()
    assert text == desk.run("schema", as_json=False).out
    assert desk.run("schema").value == json.loads(text)
    for policy in (desk.root / "policies/ict").iterdir():
        key, _, place = policy.read_text().partition("\n")[0].partition("$schema=")
        assert key == "# yaml-language-server: "
        assert (policy.parent / place).resolve() == desk.root / "policy.schema.json"
    assert "schema" in desk.run("completion", "bash", as_json=False).out


def test_the_same_folder_content_gives_the_same_bytes(desk: Desk) -> None:
    before = (desk.root / "site.yaml").read_bytes()
    desk.run("person", "role", "ict", "ict-1")
    assert (desk.root / "site.yaml").read_bytes() == before


def test_two_persons_sign_at_different_times_and_then_a_laptop_believes(fresh: Desk, tmp_path: Path) -> None:
    assert fresh.run("plan", expect=2).value["to-sign"]
    first = fresh.publish("ict-1", expect=4)
    assert first["timestamp"] is None
    assert {one["role"]: one["missing"] for one in first["waiting"]} == {"root": 1, "targets": 1}
    assert not (fresh.root / "published/metadata/timestamp.json").exists()
    fresh.run("approve", "--as", "ict-1")  # the same person again changes nothing
    assert {one["missing"] for one in fresh.run("approve", "--list").value["waiting"]} == {1}
    fresh.now += 3600
    second = fresh.run("approve", "--as", "head-1").value
    assert {"root", "targets"} <= set(second["published"])
    laptop = Laptop(tmp_path / "laptop", root=(fresh.root / "published/metadata/1.root.json").read_bytes())
    view = laptop.verify(fresh.root / "published", fresh.now)
    assert [one.id for one in view.trust.persons] == ["head-1", "ict-1", "ict-2"]


def test_a_policy_from_yaml_to_a_laptop_and_back(desk: Desk, tmp_path: Path) -> None:
    laptop = enrolled(desk, tmp_path, "lap-1", "school=north-high", "year=9", "class=9a")
    desk.publish("ict-1")
    assert desk.run("plan").value["changing"] == 0
    desk.policy("secondary")
    plan = desk.run("plan", expect=2).value
    assert plan["changing"] == 1 and plan["devices"] == 1
    lines = {one["key"]: (one["before"], one["after"]) for one in plan["changes"][0]["settings"]}
    assert lines["screen-lock.after"][0] is None
    assert plan["to-sign"] == [
        {"role": "policy-ict", "needed": 1, "may": ["head-1", "ict-1", "ict-2"], "have": []}
    ]
    text = desk.run("plan", expect=2, as_json=False).out
    assert "1 of 1 laptop change" in text and "screen-lock.after" in text
    desk.publish("ict-1")
    view = laptop.verify(desk.root / "published", desk.now)
    assert view.assignment is not None
    assert (view.assignment.school, view.assignment.year, view.assignment.class_) == ("north-high", "9", "9a")
    assert [one.path for one in view.documents] == ["policy/ict/secondary.yaml"]
    assert view.refusals == ()
    assert desk.run("plan").value["changes"] == []
    # changed: from → to
    desk.policy("secondary", after="5m")
    changed = desk.run("plan", expect=2).value["changes"][0]["settings"]
    assert [(one["key"], one["policy"]) for one in changed] == [("screen-lock.after", "secondary")]
    assert changed[0]["before"] and changed[0]["after"] and changed[0]["before"] != changed[0]["after"]
    # withdrawn
    (desk.root / "policies/ict/secondary.yaml").unlink()
    plan = desk.run("plan", expect=2).value
    assert {one["key"]: one["after"] for one in plan["changes"][0]["settings"]} == {
        "screen-lock.after": None, "browser.homepage": None,
    }  # fmt: skip
    desk.publish("ict-1")
    assert laptop.verify(desk.root / "published", desk.now).documents == ()


def test_the_blast_radius_counts_only_laptops_that_change(desk: Desk, tmp_path: Path) -> None:
    for number in range(4):
        enrolled(desk, tmp_path, f"lap-{number}", f"year={9 if number < 3 else 12}")
    desk.publish("ict-1")
    desk.policy("nine", extra="applies-to: {year: [9]}\n")
    text = desk.run("plan", expect=2, as_json=False).out
    assert "3 of 4 laptops change" in text
    assert "3 laptops: lap-0, lap-1, lap-2" in text


def test_power_needs_two_persons_and_the_rest_is_published_meanwhile(desk: Desk, tmp_path: Path) -> None:
    desk.policy("ordinary")
    desk.policy("mighty", power=True)
    outcome = desk.publish("ict-1", expect=4)
    assert "policy-ict" in outcome["published"]
    assert [(one["role"], one["have"], one["missing"]) for one in outcome["waiting"]] == [
        ("power-ict", ["ict-1"], 1)
    ]
    laptop = Laptop(tmp_path / "laptop", root=(desk.root / "published/metadata/1.root.json").read_bytes())
    assert [one.path for one in laptop.verify(desk.root / "published", desk.now).documents] == [
        "policy/ict/ordinary.yaml"
    ]
    assert desk.run("status", expect=2).value["waiting"][0]["role"] == "power-ict"
    desk.run("approve", "--as", "ict-1")
    desk.run("approve", "--as", "head-1")
    view = laptop.verify(desk.root / "published", desk.now)
    assert {one.path: (one.power, one.persons) for one in view.documents}["power/ict/mighty.yaml"] == (
        True, ("head-1", "ict-1"),
    )  # fmt: skip


def test_gathered_signatures_survive_another_publish_but_not_an_edit(desk: Desk) -> None:
    desk.policy("mighty", power=True)
    desk.publish("ict-1", expect=4)
    desk.publish("ict-1", expect=4)
    assert desk.run("approve", "--list").value["waiting"][0]["have"] == ["ict-1"]
    desk.policy("mighty", after="7m", power=True)
    with_edit = desk.run("approve", "--as", "head-1", expect=1)
    assert "not what this folder says" in with_edit.err
    outcome = desk.publish("head-1", expect=4)
    assert outcome["waiting"][0]["have"] == ["head-1"]


@pytest.mark.parametrize("role", ["root", "targets", "power-ict"])
def test_nobody_signs_staged_metadata_that_was_edited_on_the_way(desk: Desk, role: str) -> None:
    """Someone with write access to git adds a key of theirs to what waits for the head's routine approval."""
    stranger = make_desk(desk.root.parent / "stranger")
    desk.policy("mighty", power=True)
    if role in ("root", "targets"):
        desk.run("person", "remove", "ict-2", expect=0)
        desk.run("person", "add", "ict-3")
        site = (desk.root / "site.yaml").read_text()
        (desk.root / "site.yaml").write_text(site.replace("- head-1\nonline", "- head-1\n  - ict-3\nonline"))
    desk.publish("ict-1", expect=4)
    path = desk.root / f"staged/metadata/{role}.json"
    honest = json.loads(path.read_text())
    evil = json.loads(path.read_text())
    key = json.loads((stranger.root / "staged/metadata/root.json").read_text())["signed"]
    keyid = key["roles"]["root"]["keyids"][0]
    if role == "root":
        evil["signed"]["keys"][keyid] = key["keys"][keyid]
        evil["signed"]["persons"][keyid] = "head-1"
        evil["signed"]["roles"]["root"]["keyids"].append(keyid)
    elif role == "targets":
        evil["signed"]["delegations"]["keys"][keyid] = key["keys"][keyid]
        evil["signed"]["delegations"]["roles"][0]["keyids"].append(keyid)
    else:
        target = next(one for name, one in evil["signed"]["targets"].items() if name.endswith("mighty.yaml"))
        target["hashes"]["sha256"] = "0" * 64
    path.write_text(json.dumps(evil))
    refused = desk.run("approve", "--as", "head-1", expect=1)
    assert "not what this folder says" in refused.err and role in refused.err
    path.write_text(json.dumps(honest))
    desk.run("approve", "--as", "head-1", expect=None)
    assert role not in {one["role"] for one in desk.run("approve", "--list").value["waiting"]}


def test_refresh_needs_no_persons_key_and_moves_the_expiry(desk: Desk, tmp_path: Path) -> None:
    desk.now += 5 * DAY
    laptop = Laptop(tmp_path / "laptop", root=(desk.root / "published/metadata/1.root.json").read_bytes())
    with pytest.raises(BookbagError) as caught:
        laptop.verify(desk.root / "published", desk.now)
    assert caught.value.code == "expired"
    assert desk.run("status", expect=None).value["expired"] == ["timestamp"]
    for path in (desk.root / "keys").glob("*.json"):
        path.unlink()
    del desk.environ["BOOKBAG_PASSPHRASE"]
    assert desk.run("refresh").value["expires"] > desk.now + 2 * DAY
    assert laptop.verify(desk.root / "published", desk.now).site == "north"


def test_what_runs_out_is_announced_and_signed_again_by_publish(desk: Desk, tmp_path: Path) -> None:
    desk.policy("secondary")
    desk.publish("ict-1")
    desk.now += 160 * DAY
    notices = desk.run("check").value
    assert notices["errors"] == 0
    assert any(
        one["place"] == "published: policy-ict" and one["code"] == "expired" for one in notices["findings"]
    )
    outcome = desk.publish("ict-1")
    assert "policy-ict" in outcome["published"]
    assert not any("policy" in one["place"] for one in desk.run("check", expect=None).value["findings"])


def test_removing_a_person_ends_what_they_signed(desk: Desk, tmp_path: Path) -> None:
    laptop = enrolled(desk, tmp_path, "lap-1", "year=9")
    desk.policy("secondary")
    desk.publish("ict-1")
    assert laptop.verify(desk.root / "published", desk.now).assignment is not None
    desk.run("person", "add", "ict-3")
    desk.run("person", "role", "ict", "ict-3")
    refused = desk.run("person", "remove", "ict-1")
    assert refused.value["epoch"] == 2
    assert desk.run("check", expect=4).value["errors"] > 0  # three holders are needed, and one is gone
    site = (desk.root / "site.yaml").read_text()
    (desk.root / "site.yaml").write_text(site.replace("holders:\n", "holders:\n  - ict-3\n"))
    desk.run("assign", "--renew", "--as", "head-1")
    outcome = desk.publish("head-1", "ict-2", "ict-3")
    assert {"root", "targets", "policy-ict"} <= set(outcome["published"])
    desk.now += 60
    view = laptop.verify(desk.root / "published", desk.now)
    assert view.epoch == 2
    assert "ict-1" not in [one.id for one in view.trust.persons]
    assert view.assignment is not None and view.assignment.persons == ("head-1",)


def test_one_admin_prints_the_second_persons_key_and_keeps_no_copy(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "it")
    paper = tmp_path / "stick" / "head-1.paper.txt"
    paper.parent.mkdir()
    ran = desk.run(
        "init", str(desk.root), "--site", "north", "--url", "https://n.example/", "--profile", "one-admin",
        "--person", "ict-1", "--person", "head-1", "--paper", str(paper), as_json=False,
    )  # fmt: skip
    text = paper.read_text()
    key = "".join(line for line in text.splitlines() if "#" not in line).replace(" ", "")
    assert len(key) == 112 and "head of school" in text and "head of school" in ran.out
    for path in desk.root.rglob("*"):
        assert not path.is_file() or key[:16].encode() not in path.read_bytes().replace(b" ", b"")
    assert not (desk.root / "keys/head-1.json").exists()
    desk.publish("ict-1", expect=4)
    assert "--keys" in desk.run("approve", "--as", "head-1", expect=1).err
    mistyped = text.replace(text.splitlines()[-1][:4], "AAAA")
    paper.write_text(mistyped)
    assert "group" in desk.run("approve", "--as", "head-1", "--keys", str(paper.parent), expect=1).err
    paper.write_text(text.lower())
    assert {"root", "targets"} <= set(
        desk.run("approve", "--as", "head-1", "--keys", str(paper.parent)).value["published"]
    )


def test_sneakernet_stays_fresh_for_weeks(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "it", "--connectivity", "sneakernet")
    desk.publish()
    laptop = Laptop(tmp_path / "laptop", root=(desk.root / "published/metadata/1.root.json").read_bytes())
    assert laptop.verify(desk.root / "published", NOW + 40 * DAY).site == "north"


# -- enrolment


def test_a_token_is_for_one_laptop_once(desk: Desk, tmp_path: Path) -> None:
    file = Path(desk.run("device", "lap-1").value["file"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert desk.run("assign", "lap-1", "--as", "ict-1", expect=1).value["error"]["code"] == "not-found"
    laptop = Laptop(tmp_path / "lap-1")
    name, data = laptop.enrol(desk, file)
    deliver(desk, name, data)
    assert desk.run("device").value["devices"][0]["state"] == "pending"
    assert desk.run("device", "--as", "ict-1").value["devices"][0]["error"] is None
    desk.run("assign", "lap-1", "year=9", "--as", "ict-1")
    assert (desk.root / "returns/done" / name).exists() and not (desk.root / "returns" / name).exists()
    # the same token from another laptop, put back by a malicious server
    other = Laptop(tmp_path / "lap-2")
    deliver(desk, *other.enrol(desk, file))
    listed = desk.run("device", "--as", "ict-1", expect=4).value["devices"][0]
    assert listed["error"]["code"] == "already-done"
    before = (desk.root / "devices/lap-1.yaml").read_bytes()
    assert (
        desk.run("assign", "lap-1", "year=9", "--as", "ict-1", expect=1).value["error"]["code"]
        == "already-done"
    )
    assert (desk.root / "devices/lap-1.yaml").read_bytes() == before


def test_a_server_that_swaps_two_laptops_is_caught(desk: Desk, tmp_path: Path) -> None:
    returns = {}
    for name in ("lap-1", "lap-2"):
        file = Path(desk.run("device", name).value["file"])
        returns[name] = Laptop(tmp_path / name).enrol(desk, file)
    deliver(desk, returns["lap-1"][0], returns["lap-2"][1])
    deliver(desk, returns["lap-2"][0], returns["lap-1"][1])
    for name in ("lap-1", "lap-2"):
        assert desk.run("assign", name, "--as", "ict-1", expect=1).value["error"]["code"] == "bad-signature"
    for name, (where, data) in returns.items():
        deliver(desk, where, data)
        desk.run("assign", name, "--as", "ict-1")


def test_another_machine_than_the_one_meant_is_refused(desk: Desk, tmp_path: Path) -> None:
    file = Path(desk.run("device", "lap-1", "--serial", "PF-9").value["file"])
    deliver(desk, *Laptop(tmp_path / "lap-1", serial="PF-8").enrol(desk, file))
    assert desk.run("assign", "lap-1", "--as", "ict-1", expect=1).value["error"]["code"] == "wrong-serial"
    deliver(desk, *Laptop(tmp_path / "lap-1b", serial="PF-9").enrol(desk, file))
    desk.run("assign", "lap-1", "--as", "ict-1")


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "huge", "link", "fifo"])
def test_damaged_returns_are_refused_and_named(desk: Desk, tmp_path: Path, damage: str) -> None:
    import os

    file = Path(desk.run("device", "lap-1").value["file"])
    name, data = Laptop(tmp_path / "lap-1").enrol(desk, file)
    path = desk.root / "returns" / name
    path.parent.mkdir(exist_ok=True)
    if damage == "flip":
        path.write_bytes(data[:500] + bytes([data[500] ^ 1]) + data[501:])
    elif damage == "cut":
        path.write_bytes(data[:-1])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "huge":
        path.write_bytes(bytes(1 << 20))
    elif damage == "link":
        path.symlink_to(desk.root / "keys/ict-1.json")
    else:
        os.mkfifo(path)
    listed = desk.run("device", "--as", "ict-1", expect=4).value["devices"][0]
    assert listed["state"] == "refused" and listed["error"]["code"] in (
        "bad-envelope",
        "bad-path",
        "too-large",
    )


def test_an_expired_token_is_refused(desk: Desk, tmp_path: Path) -> None:
    file = Path(desk.run("device", "lap-1", "--days", "1").value["file"])
    deliver(desk, *Laptop(tmp_path / "lap-1").enrol(desk, file))
    desk.now += 2 * DAY
    assert desk.run("assign", "lap-1", "--as", "ict-1", expect=1).value["error"]["code"] == "expired"


def test_a_laptop_that_changes_class_hears_of_it_and_a_retired_one_hears_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    laptop = enrolled(desk, tmp_path, "lap-1", "year=9", "class=9a")
    assert desk.publish("ict-1")["mailed"] == ["lap-1"]
    assert desk.publish("ict-1")["mailed"] == []
    desk.run("assign", "lap-1", "class=9b", "--as", "head-1")
    assert desk.run("plan", expect=2).value["orders"] == ["lap-1"]
    desk.publish("ict-1")
    view = laptop.verify(desk.root / "published", desk.now)
    assert view.assignment is not None
    assert (view.assignment.year, view.assignment.class_, view.assignment.seq) == ("9", "9b", 2)
    desk.run("device", "lap-1", "--remove")
    desk.publish("ict-1")
    fresh = Laptop(tmp_path / "again", serial=laptop.serial, identity=laptop.identity, root=laptop.root)
    assert fresh.verify(desk.root / "published", desk.now).assignment is None


def test_the_host_learns_nothing_of_whom_it_serves(desk: Desk, tmp_path: Path) -> None:
    enrolled(desk, tmp_path, "lap-canary", "school=canary-school", "class=canary-class")
    desk.publish("ict-1")
    for path in (desk.root / "published").rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes()
        assert "canary" not in path.name


# -- keys


def test_wrong_missing_and_weak_passphrases(desk: Desk, tmp_path: Path) -> None:
    desk.policy("secondary")
    before = sorted(path.name for path in (desk.root / "staged/metadata").glob("*"))
    desk.environ["BOOKBAG_PASSPHRASE"] = "not the one"
    error = desk.run("publish", "--as", "ict-1", expect=1).value["error"]
    assert error["code"] == "bad-key" and error["place"] == "keys/ict-1.json"
    assert sorted(path.name for path in (desk.root / "staged/metadata").glob("*")) == before
    del desk.environ["BOOKBAG_PASSPHRASE"]
    assert "--passphrase-file" in desk.run("publish", "--as", "ict-1", expect=1).value["error"]["remedy"]
    secret = tmp_path / "secret"
    secret.write_text("four random little words\n")
    secret.chmod(0o644)
    ran = desk.run("publish", "--as", "ict-1", "--passphrase-file", f"ict-1={secret}")
    assert "can be read by others" in ran.err
    secret.write_text("")
    assert (
        desk.run("publish", "--as", "ict-1", "--passphrase-file", str(secret), expect=1).value["error"][
            "code"
        ]
        == "bad-key"
    )
    desk.environ["BOOKBAG_PASSPHRASE"] = "short"
    assert desk.run("person", "add", "ict-9", expect=1).value["error"]["code"] == "bad-key"
    assert not (desk.root / "people/ict-9.yaml").exists()


def test_a_private_key_that_is_not_the_persons_is_refused(desk: Desk) -> None:
    desk.policy("secondary")
    key = desk.root / "keys/ict-1.json"
    key.write_bytes((desk.root / "keys/ict-2.json").read_bytes())
    assert "does not belong" in desk.run("publish", "--as", "ict-1", expect=1).value["error"]["message"]
    value = json.loads(key.read_text())
    key.write_text(json.dumps({**value, "id": "ict-1"}))
    assert desk.run("publish", "--as", "ict-1", expect=1).value["error"]["code"] == "bad-key"
    key.unlink()
    assert "--keys" in desk.run("publish", "--as", "ict-1", expect=1).value["error"]["remedy"]
    assert "ict-1" in desk.run("publish", "--as", "nobody", expect=1).value["error"]["remedy"]


def test_keys_made_elsewhere_come_in_by_their_public_half(desk: Desk, tmp_path: Path) -> None:
    desk.run("person", "keygen", "ict-7", "--out", str(tmp_path / "stick"))
    public = tmp_path / "stick/people/ict-7.yaml"
    desk.run("person", "add", "ict-7", "--public", str(public), "--role", "ict", "--as", "ict-1")
    assert not (desk.root / "keys/ict-7.json").exists()
    desk.publish()
    desk.policy("secondary")
    desk.run("publish", "--as", "ict-7", "--keys", str(tmp_path / "stick"))
    listed = {one["id"]: one for one in desk.run("person", "list").value["persons"]}
    assert listed["ict-7"]["opens-returns"] and not listed["ict-7"]["key-here"]


def test_a_template_is_ready_to_publish(tmp_path: Path) -> None:
    from agent.policy.desk.preview import templates

    for_one = {"large-view.yaml"}  # names a laptop that a new folder does not have
    for number, name in enumerate(sorted(set(templates()) - for_one)):
        desk = make_desk(tmp_path / f"it-{number}", "--template", name.removesuffix(".yaml"))
        assert (desk.root / "policies/ict" / name).is_file()
        assert desk.run("check").value["errors"] == 0
        assert "policy-ict" in desk.publish()["published"]
    assert number >= 2


def test_nobody_waits_while_a_passphrase_is_looked_for(desk: Desk, tmp_path: Path) -> None:
    """The folder is free until then, and what was looked at is what is signed."""
    path = desk.policy("secondary")
    slow = tmp_path / "slow"
    os.mkfifo(slow, 0o600)
    free: list[bool] = []

    def whoever_types(meanwhile: bytes | None) -> None:
        with slow.open("wb") as answer, (desk.root / ".lock").open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where somebody has it
            free.append(True)
            if meanwhile is not None:
                path.write_bytes(meanwhile)
            fcntl.flock(held, fcntl.LOCK_UN)
            answer.write(PASSPHRASE.encode())

    def publish(meanwhile: bytes | None, expect: int) -> dict[str, Any]:
        typing = threading.Thread(target=whoever_types, args=(meanwhile,), daemon=True)
        typing.start()
        ran = desk.run("publish", "--as", "ict-1", "--passphrase-file", f"ict-1={slow}", expect=expect)
        typing.join()
        return ran.value

    before = sorted(path.name for path in (desk.root / "staged/metadata").glob("*"))
    error = publish(path.read_bytes().replace(b"10m", b"5m"), 1)["error"]
    assert error["code"] == "plan-outdated" and free == [True]
    assert sorted(path.name for path in (desk.root / "staged/metadata").glob("*")) == before
    assert "policy-ict" in publish(None, 0)["published"] and free == [True, True]


def test_what_changes_while_the_folder_is_checked_is_not_signed(desk: Desk, tmp_path: Path) -> None:
    """Somebody saves a policy after it was looked at; repository.json is what `check` reads last."""
    path, slow = desk.policy("secondary"), desk.root / "repository.json"
    judged = path.read_bytes()
    settings = slow.rename(tmp_path / "settings")
    os.mkfifo(slow)

    def whoever_saves() -> None:
        with slow.open("wb") as answer:  # goes on once it is read
            path.write_bytes(judged.replace(b"10m", b"for ever"))
            data = settings.read_bytes()
            settings.rename(slow)
            answer.write(data)

    saving = threading.Thread(target=whoever_saves, daemon=True)
    saving.start()
    before = {one: one.read_bytes() for one in desk.root.glob("*ed/metadata/*")}
    error = desk.run("publish", "--as", "ict-1", expect=1).value["error"]
    saving.join()
    assert error["code"] == "plan-outdated" and "while it was looked at" in error["message"]
    assert {one: one.read_bytes() for one in desk.root.glob("*ed/metadata/*")} == before
    found = desk.run("publish", "--as", "ict-1", expect=4).value["findings"]
    assert [one["place"].partition(":")[0] for one in found] == ["policies/ict/secondary.yaml"], "the control"
    path.write_bytes(judged)
    assert "policy-ict" in desk.publish("ict-1")["published"]


def test_publish_tells_everything_that_is_wrong_at_once(desk: Desk) -> None:
    """Also where what the folder asks for cannot even be read."""
    desk.policy("one", extra="nonsense: 1\n")
    (desk.root / "people/ict-2.yaml").write_bytes(b"id: [")
    (desk.root / "policies/ict/UPPER.yaml").write_bytes(b"x: 1")
    ran = desk.run("publish", "--as", "ict-1", expect=4).value
    places = [one["place"] for one in ran["findings"]]
    for part in ("policies/ict/one.yaml:", "people/ict-2.yaml:", "policies/ict/UPPER.yaml"):
        assert any(place.startswith(part) for place in places), (part, places)
    assert ran["published"] == []


def test_a_wrong_name_is_told_before_a_passphrase_is_asked_for(fresh: Desk, tmp_path: Path) -> None:
    """No passphrase and no terminal: whoever got as far as asking would say so."""
    forgot = Desk(fresh.root, environ={})
    assert "cannot find device 'lian'" in forgot.run("receipts", "lian", expect=1, as_json=False).err
    where = ["--site", "north", "--url", "https://127.0.0.1:8443/", *[f"--person={one}" for one in PERSONS]]
    said = forgot.run(
        "init", str(tmp_path / "new"), *where, "--template", "secondry", expect=1, as_json=False
    ).err
    assert "cannot find a template 'secondry'" in said
    assert "secondary" in said
    assert not (tmp_path / "new").exists()
    said = forgot.run(
        "init", str(tmp_path / "new"), *where, "--template", "secondary", expect=1, as_json=False
    ).err
    assert "no passphrase" in said  # positive control
