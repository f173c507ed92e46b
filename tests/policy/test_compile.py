"""Compiling for one device: entitlements, refusals, last good, determinism, and the form on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.policy import compiled as form
from agent.policy.compile import compile_site, fingerprint, good_sources
from agent.policy.desk.check import check_documents
from agent.policy.document import Source
from tests.policy.machine import COPIES, DEVICE, compiled, policy, source

HOME = "settings:\n  browser.homepage: https://portal.example/\n"
HOMEPAGE = ["chromium:homepage", "firefox:policies", *COPIES]
MOTD = 'resources:\n  - file: {path: /etc/motd, content: "x"}\n'
CRON = 'resources:\n  - file: {path: /etc/cron.d/x, content: "x"}\n'


def codes(result: form.Compiled) -> list[tuple[str, str]]:
    return [(row["subject"], row["code"]) for row in result.refusals]


def test_root_power_is_decided_on_the_result_and_the_rest_is_taken() -> None:
    """I-7."""
    result = compiled(source(HOME + CRON + MOTD.split("\n")[1] + "\n"))
    assert codes(result) == [("file:/etc/cron.d/x", "root-power")]
    assert result.refusals[0]["place"] == "policy/ict/test.yaml:8"
    assert "power/" in result.refusals[0]["remedy"]
    assert [item.id for item in result.items()] == [*HOMEPAGE, "file:/etc/motd"]
    assert not codes(compiled(source(CRON, power=True)))


def test_what_no_policy_may_manage_is_refused_even_from_two_persons() -> None:
    body = "resources:\n  - file: {path: /var/lib/bookbag/x, absent: true}\n"
    assert codes(compiled(source(body, power=True))) == [("file:/var/lib/bookbag/x", "not-allowed")]


def test_a_rank_beyond_the_role_refuses_that_document_alone() -> None:
    low = Source("a.yaml", policy(HOME, name="a", rank="district"), "teachers", ranks=("class", "year"))
    result = compiled(low, source(MOTD, name="b"))
    assert codes(result) == [("policy:a", "not-allowed")]
    assert [item.id for item in result.items()] == ["file:/etc/motd"]


@pytest.mark.parametrize("power", [False, True])
def test_a_role_without_any_rank_speaks_for_none(power: bool) -> None:
    """As of a role of ``power/`` to which trust.json gives no rank: its index need not name one either."""
    data = policy(HOME, name="a", rank="ministry")
    result = compiled(Source("a.yaml", data, "root", power, ranks=()))
    assert codes(result) == [("policy:a", "not-allowed")] and not list(result.items())
    assert not codes(compiled(Source("a.yaml", data, "root", power, ranks=("ministry",)))), "the control"


def test_a_broken_document_keeps_its_last_good_version_in_force() -> None:
    good, other = source(HOME, name="a"), source(MOTD, name="b")
    broken = Source(good.file, good.data + b"&anchor x", good.role)
    kept = good_sources([good, other], {})
    result = compile_site([broken, other], DEVICE, kept)
    assert codes(result) == [(f"policy:{good.file}", "bad-yaml")]
    assert "its last good version stays in force" in result.refusals[0]["message"]
    assert [item.id for item in result.items()] == [*HOMEPAGE, "file:/etc/motd"]
    assert good_sources([broken, other], kept) == kept
    without = compile_site([broken, other], DEVICE)
    assert "nothing of it is in force" in without.refusals[0]["message"]
    assert [item.id for item in without.items()] == ["file:/etc/motd"]


def test_the_last_good_version_has_no_more_power_than_the_role_has_today() -> None:
    once = source(CRON, power=True)
    broken = Source(once.file, b"{", "root", power=False)
    assert ("file:/etc/cron.d/x", "root-power") in codes(compile_site([broken], DEVICE, {once.file: once}))


def test_two_documents_of_one_id_are_not_both_taken() -> None:
    first = Source("a.yaml", policy(HOME, name="same"), "ict")
    second = Source("b.yaml", policy(MOTD, name="same"), "ict")
    result = compiled(second, first)
    assert codes(result) == [("policy:same", "conflict")]
    assert [item.id for item in result.items()] == HOMEPAGE


def test_nobody_takes_a_document_out_by_signing_another_of_its_name() -> None:
    """Whatever the files are called: two persons' holds before one's, then the farther rank's."""
    closing, nothing = (
        "settings:\n  browser.blocked-sites: [games.example]\n",
        "settings:\n  screen-lock.after: 1h\n",
    )
    for first, second in (
        (source(closing, name="rules", power=True), source(nothing, name="rules", rank="ministry")),
        (source(closing, name="rules", rank="ministry"), source(nothing, name="rules", rank="class")),
    ):
        for file in ("policy/aaa/rules.yaml", "policy/zzz/rules.yaml"):
            policy = compiled(replace(second, file=file), first)
            assert set(policy.settings) == {"browser.blocked-sites"}
            (row,) = policy.refusals
            assert row["code"] == "conflict" and row["place"] == file


def test_a_setting_holds_its_file_against_a_resource_written_directly() -> None:
    body = HOME + (
        "resources:\n  - file: {path: /etc/chromium/policies/managed/bookbag-homepage.json, content: '{}'}\n"
    )
    result = compiled(source(body, power=True))
    assert [item.id for item in result.items()] == HOMEPAGE
    assert "browser.homepage holds it" in result.conflicts[0]["message"]


FIREFOX = "/etc/firefox/policies/policies.json"


def firefox(result: form.Compiled) -> list[tuple[tuple[str, ...], bool, dict[str, object]]]:
    """Settings, whether it is only observed, and the policies of each item that is Firefox's file."""
    found = [item for item in result.items() if item.id == "firefox:policies"]
    return [(one.settings, one.observe_only, one.data["fields"]["policies"]) for one in found]  # type: ignore[index]


def test_settings_that_share_a_file_each_give_their_part_of_it() -> None:
    one = source(HOME, name="one", rank="school")
    other = source("settings:\n  browser.pop-ups: blocked\n", name="other", rank="class")
    result = compiled(one, other)
    assert [item.id for item in result.items()] == [
        "chromium:homepage",
        "chromium:pop-ups",
        "firefox:policies",
        *COPIES,
    ]
    ((settings, observed, policies),) = firefox(result)
    assert settings == ("browser.homepage", "browser.pop-ups")
    assert not observed
    assert sorted(policies) == ["Homepage", "PopupBlocking", "ShowHomeButton"]
    item, *copies = (item for item in result.items() if item.settings == settings)
    assert [copy.id for copy in copies] == COPIES
    assert item.setting == "", "it is of no single setting"
    assert {origin.policy for origin in item.origins()} == {"one", "other"}
    assert compiled(other, one).data == result.data, "in whatever order they come"
    assert check_documents([one, other]) == [], "nor is that a contradiction"


def test_of_a_shared_file_an_observed_setting_changes_its_part_alone() -> None:
    enforced = source(HOME + "  browser.pop-ups: allowed\n", name="enforced")
    watched = source(
        "settings:\n  browser.pop-ups: blocked\n  browser.sign-in: blocked\n",
        name="watched",
        rank="class",
        more="mode: observe\n",
    )
    now, then = firefox(compiled(enforced, watched))
    assert now[:2] == (("browser.homepage", "browser.pop-ups"), False)
    assert then[:2] == (("browser.pop-ups", "browser.sign-in"), True)
    assert now[2]["PopupBlocking"] == {"Default": False, "Locked": True}
    assert then[2] == {
        **now[2],
        "PopupBlocking": {"Default": True, "Locked": True},
        "DisableFirefoxAccounts": True,
    }


def test_a_shared_file_is_held_against_a_resource_written_directly() -> None:
    body = HOME + "  browser.pop-ups: blocked\n"
    body += f"resources:\n  - file: {{path: {FIREFOX}, content: '{{}}'}}\n"
    result = compiled(source(body, power=True))
    assert "browser.homepage, browser.pop-ups holds it" in result.conflicts[0]["message"]
    assert [item.id for item in result.items()] == [
        "chromium:homepage",
        "chromium:pop-ups",
        "firefox:policies",
        *COPIES,
    ]


def test_the_nearest_rank_holds_a_file_and_equal_ranks_are_a_conflict() -> None:
    far = source(MOTD, name="far", rank="district")
    near = source(MOTD.replace('"x"', '"near"'), name="near")
    result = compiled(far, near)
    assert [item.data["fields"]["content"] for item in result.items()] == ["near"]  # type: ignore[index]
    assert not result.conflicts
    twin = source(MOTD.replace('"x"', '"twin"'), name="twin")
    assert [row["subject"] for row in compiled(near, twin).conflicts] == ["file:/etc/motd"]


def test_unknown_settings_are_refused_politely_and_the_rest_is_taken() -> None:
    result = compiled(source(HOME + "  browser.holograms: 7\n"))
    assert codes(result) == [("policy:test", "not-supported")]
    assert [item.id for item in result.items()] == HOMEPAGE


def test_the_same_documents_give_the_same_bytes_in_any_order() -> None:
    documents = [source(HOME, name="a"), source(MOTD, name="b"), source(CRON, name="c")]
    one, two = compiled(*documents), compiled(*reversed(documents))
    assert one.fingerprint == two.fingerprint
    assert sorted(item.id for item in one.items()) == sorted(item.id for item in two.items())


def test_the_fingerprint_covers_everything_that_decides() -> None:
    base = source(HOME)
    variants = [
        Source(base.file, base.data + b"#", base.role),
        Source("other.yaml", base.data, base.role),
        Source(base.file, base.data, "other"),
        Source(base.file, base.data, base.role, power=True),
        Source(base.file, base.data, base.role, ranks=("school",)),
    ]
    keys = [fingerprint([one], DEVICE) for one in (base, *variants)]
    keys.append(fingerprint([base], type(DEVICE)(site="north", device="d" * 32)))
    assert len(set(keys)) == len(keys)


def test_it_comes_back_from_disk_and_damage_means_absent(tmp_path: Path) -> None:
    result = compiled(source(HOME + MOTD))
    path = str(tmp_path / "compiled")
    assert form.load(path) is None
    form.save(path, result)
    again = form.load(path, result.fingerprint)
    assert again is not None
    assert again.data == json.loads(json.dumps(result.data))
    assert [item.resource() for item in again.items()] == [item.resource() for item in result.items()]
    assert form.load(path, "0" * 64) is None
    data = Path(path).read_bytes()
    for damaged in (b"", data[:40], data[:-1], data[:200] + b"x" + data[201:], b"x" + data):
        Path(path).write_bytes(damaged)
        assert form.load(path, result.fingerprint) is None


def test_overdue_reviews_are_named() -> None:
    result = compiled(source(HOME))
    assert not result.overdue("2027-08-01")
    assert [row["id"] for row in result.overdue("2027-08-02")] == ["test"]


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        (
            "agent.policy.compiled",
            {"yaml", "tuf", "sqlite3", "dataclasses", "cryptography", "hashlib"},
        ),
        (
            "agent.policy.enforcement.audit",
            {"yaml", "json", "re", "dataclasses", "typing", "hashlib", "sqlite3", "enum"},
        ),
        ("agent.policy.enforcement.engine", {"yaml", "tuf", "sqlite3", "cryptography", "requests"}),
    ],
)
def test_lean_modules_stay_lean(module: str, forbidden: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert module in run.stdout.split()
    assert not forbidden & set(run.stdout.split())
