"""Secrets at the desk: kept sealed, given to laptops by name, and in no file, page or output of the desk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.fleet import secrets
from agent.fleet.folder import Folder
from agent.trust import orderargs, secretbox
from agent.trust.view import Order
from tests.fleet.desk import Desk, Laptop, Ran, enrolled
from tests.fleet.test_secrecy import finds

VALUE = "canary-pass-phrase-4711"
OTHER = "canary-pass-phrase-0815"


@pytest.fixture
def lap(desk: Desk, tmp_path: Path) -> Laptop:
    laptop = enrolled(desk, tmp_path, "lap-1", "year=9", "class=9a")
    desk.publish("ict-1")
    return laptop


def file(tmp_path: Path, value: str) -> str:
    path = tmp_path / "value"
    path.write_text(value + "\n")
    path.chmod(0o600)
    return str(path)


def put(desk: Desk, tmp_path: Path, name: str, value: str, *more: str, expect: int = 0) -> Ran:
    return desk.run("secret", "set", name, "--file", file(tmp_path, value), *more, expect=expect)


def ordered(desk: Desk, laptop: Laptop) -> Order | None:
    view = laptop.verify(desk.root / "published", desk.now)
    assert not view.refusals
    return next((one for one in view.orders if one.kind == "secrets"), None)


def opened(desk: Desk, laptop: Laptop) -> dict[str, str]:
    """What the laptop has after this word."""
    order = ordered(desk, laptop)
    assert order is not None
    args = orderargs.secrets_args(order)
    identity = laptop.identity
    return dict(secretbox.open_values(args.box, args.names, "north", identity.id, identity.seal_key))


def test_a_secret_is_set_given_changed_and_taken_back(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    assert put(desk, tmp_path, "staff-wifi", VALUE).value == {"secret": "staff-wifi", "orders": []}
    put(desk, tmp_path, "guest", "another")
    given = desk.run("secret", "give", "staff-wifi", "lap-1", "--as", "ict-1").value["orders"]
    assert [(one["kind"], one["have"], one["needed"]) for one in given] == [("secrets", ["ict-1"], 1)]
    desk.run("secret", "give", "guest", "--to", "year=9", "--as", "ict-1")
    desk.publish("ict-1")
    assert opened(desk, lap) == {"staff-wifi": VALUE, "guest": "another"}

    assert desk.run("secret", "give", "guest", "lap-1", "--as", "ict-1").value["orders"] == [], "it has it"
    desk.now += 60
    assert "ict-1" not in put(desk, tmp_path, "staff-wifi", OTHER, expect=64).out, "nobody signed"
    put(desk, tmp_path, "staff-wifi", OTHER, "--as", "ict-1")
    desk.publish("ict-1")
    assert opened(desk, lap) == {"staff-wifi": OTHER, "guest": "another"}

    desk.run("secret", "remove", "guest", "--as", "ict-1")
    assert [one["name"] for one in desk.run("secret").value["secrets"]] == ["staff-wifi"]
    desk.publish("ict-1")
    assert opened(desk, lap) == {"staff-wifi": OTHER}
    desk.run("secret", "remove", "staff-wifi", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    assert opened(desk, lap) == {}
    (row,) = desk.run("secret", "list").value["secrets"]
    assert (row["name"], row["laptops"]) == ("staff-wifi", []), "the desk has it still"


def test_a_value_is_nowhere_in_the_folder_in_what_is_published_or_said(
    desk: Desk, lap: Laptop, tmp_path: Path
) -> None:
    said = [put(desk, tmp_path, "staff-wifi", VALUE)]
    said.append(desk.run("secret", "give", "staff-wifi", "lap-1", "--as", "ict-1", as_json=False))
    said.append(desk.run("publish", "--as", "ict-1", as_json=False))
    for words in (["secret"], ["status"], ["check"], ["plan"], ["receipts", "lap-1", "--as", "ict-1"]):
        said.append(desk.run(*words, as_json=False, expect=None))
    assert [one for one in said if VALUE in one.out + one.err] == []
    assert finds(desk.root, VALUE) == []
    assert opened(desk, lap) == {"staff-wifi": VALUE}, "the control: it was given"
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "x").write_text(VALUE)
    assert finds(tmp_path / "control", VALUE) == ["x"], "the control: what the search finds"
    args = json.loads(json.dumps(dict(orders_args(desk))))
    assert args["names"] == ["staff-wifi"] and set(args) == {"names", "box"}


def test_who_repairs_a_laptop_is_told_a_value_and_nobody_without_a_key(desk: Desk, tmp_path: Path) -> None:
    put(desk, tmp_path, "firmware-admin", VALUE)
    assert desk.run("secret", "show", "firmware-admin", "--as", "head-1").value["value"] == VALUE
    for words, code in ((["firmware-admin"], 64), (["other", "--as", "head-1"], 1)):
        assert VALUE not in desk.run("secret", "show", *words, expect=code).out
    assert finds(desk.root, VALUE) == []


def orders_args(desk: Desk) -> dict[str, object]:
    from agent.fleet import orders

    found = orders.read_order(Folder(desk.root), "lap-1", "secrets")
    assert found is not None
    assert secrets.said(found) == {"names": ["staff-wifi"]}
    return dict(found.draft.order.args)


def test_a_second_person_who_signs_reads_names_and_no_box(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    from agent.fleet import orders
    from agent.fleet.cli import giving

    put(desk, tmp_path, "staff-wifi", VALUE)
    desk.run("secret", "give", "staff-wifi", "lap-1", "--as", "ict-1", "--reason", "new key")
    found = orders.read_order(Folder(desk.root), "lap-1", "secrets")
    assert found is not None
    assert giving.describe(found, ["ict-1"]).endswith('reason: new key; says: {"names":["staff-wifi"]}')


def test_a_value_comes_from_standard_input_and_never_from_the_command_line(
    desk: Desk, tmp_path: Path
) -> None:
    words = ["secret", "set", "staff-wifi", "--file", "-", "--folder", str(desk.root)]
    done = subprocess.run(
        [sys.executable, "-m", "agent.fleet.cli.main", *words],
        input=VALUE + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [one["name"] for one in desk.run("secret").value["secrets"]] == ["staff-wifi"]
    assert desk.run("secret", "set", "staff-wifi", "=x", expect=64).code == 64
    assert "no terminal" in desk.run("secret", "set", "other", expect=64).err
    desk.run("secret", "set", "Staff", "--file", "-", expect=64)


def test_what_can_be_no_secret_is_refused_without_being_told(desk: Desk, tmp_path: Path) -> None:
    for value in ("two\nlines of canary-77", "x" * 300 + "canary-77", "bell\acanary-77"):
        ran = put(desk, tmp_path, "staff-wifi", value, expect=64)
        assert "canary-77" not in ran.out + ran.err and "cannot use this as a secret" in ran.err
    assert desk.run("secret").value == {"secrets": []}
    ran = desk.run("secret", "give", "staff-wifi", "lap-1", "--as", "ict-1", expect=1)
    assert "there are: none yet" in ran.err


def test_a_file_under_another_name_is_not_taken_for_it(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    """Whoever can write in the folder cannot have one secret given where another one is meant."""
    put(desk, tmp_path, "exam-server", VALUE)
    kept = desk.root / "keys/secrets/exam-server.yaml"
    assert kept.stat().st_mode & 0o777 == 0o600
    text = kept.read_text().replace("exam-server", "guest")
    (desk.root / "keys/secrets/guest.yaml").write_text(text)
    ran = desk.run("secret", "give", "guest", "lap-1", "--as", "ict-1", expect=1)
    assert "cannot open the secret guest" in ran.err


def test_a_laptop_that_enrolled_anew_has_none(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    put(desk, tmp_path, "staff-wifi", VALUE)
    desk.run("secret", "give", "staff-wifi", "lap-1", "--as", "ict-1")
    folder = Folder(desk.root)
    record = folder.device("lap-1")
    assert secrets.held(folder, record, 1) == secrets.Held(("staff-wifi",), frozenset(("staff-wifi",)))
    assert secrets.held(folder, record, 2) == secrets.Held(("staff-wifi",)), "never heard of, perhaps"
    from agent.fleet.folder import replace

    assert secrets.held(folder, replace(record, device="0" * 32), 1) == secrets.Held()


def test_check_says_who_will_wait_for_which_secret(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    def notices() -> list[str]:
        found = desk.run("check", expect=None).value["findings"]
        return [f"{one['message']}: {one['remedy']}" for one in found if one["code"] == "awaited"]

    assert notices() == []
    wifi = "{name: a, ssid: A, security: wpa-personal, secret: staff-wifi}"
    desk.policy("wifi", power=True, extra=f"  network.wifi: [{wifi}]\n")
    (first,) = notices()
    assert "the secret staff-wifi, which was not given to lap-1" in first
    assert "bookbag-fleet secret set staff-wifi; then bookbag-fleet secret give staff-wifi" in first
    put(desk, tmp_path, "staff-wifi", VALUE)
    assert "secret set" not in notices()[0]
    desk.run("secret", "give", "staff-wifi", "lap-1", "--as", "ict-1")
    assert notices() == []
    assert desk.run("check", expect=None).code == 0, "and a notice is no failure anyhow"
