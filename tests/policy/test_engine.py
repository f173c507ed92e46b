"""What the engine promises, one promise a test; test_properties.py says the same over generated policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.core.model import Outcome
from agent.policy.compiled import Compiled
from agent.policy.resources.file import File
from tests.policy.machine import COPIES, Machine, compiled, outcomes, source

MOTD = 'resources:\n  - file: {path: /etc/motd, content: "ours"}\n'
ALL = """settings:
  screen-lock.after: 10m
  browser.homepage: https://portal.example/
  browser.blocked-sites: ["*.casino.example"]
  browser.bookmarks: [{name: Library, url: "https://library.example/"}]
resources:
  - file: {path: /etc/motd, content: "ours"}
  - file: {path: /usr/share/bookbag/a/b, content: "deep"}
"""


def files(**contents: str) -> Compiled:
    rows = "".join(
        f'  - file: {{path: /usr/share/bookbag/{name}, content: "{text}"}}\n'
        for name, text in contents.items()
    )
    return compiled(source("resources:\n" + rows))


# -- plan and apply


def test_a_plan_changes_nothing_and_applying_it_leaves_an_empty_plan(machine: Machine) -> None:
    policy = compiled(source(ALL))
    before = machine.state()
    plan = machine.plan(policy)
    assert machine.state() == before
    assert machine.undo.resources() == ()
    assert plan.exit_code == exit_codes.CHANGED
    assert len(plan.steps) == 8 + len(COPIES)
    run = machine.apply(policy, plan.hash)
    assert run.exit_code == exit_codes.CHANGED
    assert set(outcomes(run).values()) == {Outcome.CHANGED}
    again = machine.plan(policy)
    assert again.empty
    assert again.exit_code == exit_codes.IN_SYNC
    settled = machine.state()
    second = machine.apply(policy, again.hash)
    assert second.exit_code == exit_codes.IN_SYNC
    assert machine.state() == settled


def test_apply_refuses_a_machine_that_moved_since_the_plan(machine: Machine) -> None:
    machine.write("/etc/motd", "old")
    policy = compiled(source(MOTD))
    plan = machine.plan(policy)
    machine.write("/etc/motd", "moved")
    with pytest.raises(BookbagError) as caught:
        machine.apply(policy, plan.hash)
    assert caught.value.code == "plan-outdated"
    assert machine.read("/etc/motd") == "moved"
    assert machine.undo.resources() == ()
    assert machine.apply(policy, machine.plan(policy).hash).changed


def test_apply_refuses_a_policy_that_moved_since_the_plan(machine: Machine) -> None:
    plan = machine.plan(compiled(source(MOTD)))
    other = compiled(source(MOTD + "  - file: {path: /etc/issue, content: x}\n"))
    with pytest.raises(BookbagError):
        machine.apply(other, plan.hash)


@pytest.mark.parametrize("what", ["mode", "owner", "content", "kind", "xattr"])
def test_each_attribute_is_part_of_the_hash(machine: Machine, what: str) -> None:
    machine.write("/etc/motd", "old")
    policy = compiled(source(MOTD))
    plan = machine.plan(policy)
    changes: dict[str, Callable[[], None]] = {
        "mode": lambda: machine.write("/etc/motd", "old", mode=0o600),
        "owner": lambda: machine.write("/etc/motd", "old", owner="games"),
        "content": lambda: machine.write("/etc/motd", "older"),
        "kind": lambda: machine.remove("/etc/motd"),
        "xattr": lambda: machine.write("/etc/motd", "old", origin=b"x"),
    }
    changes[what]()
    assert machine.plan(policy).hash != plan.hash


# -- healing


def test_what_drifts_is_healed_and_told_apart_from_a_change(machine: Machine) -> None:
    policy = compiled(source(ALL))
    machine.apply(policy)
    machine.remove("/usr/share/bookbag/a/b")
    machine.host.files.remove_empty(["/usr/share/bookbag/a"])
    machine.write("/etc/chromium/policies/managed/bookbag-homepage.json", "{}")
    run = machine.engine.audit(policy)
    assert {name for name, outcome in outcomes(run).items() if outcome is Outcome.HEALED} == {
        "file:/usr/share/bookbag/a/b",
        "chromium:homepage",
    }
    assert machine.read("/usr/share/bookbag/a/b") == "deep"
    assert [entry.kind for entry in machine.ledger.entries(newest=2)] == ["heal", "heal"]
    assert machine.plan(policy).empty


def test_an_audit_of_what_was_touched_looks_at_nothing_else(machine: Machine) -> None:
    policy = files(one="1", two="2")
    machine.apply(policy)
    for name in ("one", "two"):
        machine.write(f"/usr/share/bookbag/{name}", "drift")
    run = machine.engine.audit(policy, ["/usr/share/bookbag/one"])
    assert outcomes(run) == {"file:/usr/share/bookbag/one": Outcome.HEALED}
    assert machine.read("/usr/share/bookbag/two") == "drift"
    folder = machine.engine.audit(policy, ["/usr/share/bookbag"])
    assert outcomes(folder)["file:/usr/share/bookbag/two"] is Outcome.HEALED


def test_a_changed_value_is_a_change_not_a_heal(machine: Machine) -> None:
    machine.apply(files(one="1"))
    run = machine.apply(files(one="2"))
    assert outcomes(run) == {"file:/usr/share/bookbag/one": Outcome.CHANGED}


def test_what_was_in_force_from_the_start_is_healed_and_kept_after_withdrawal(machine: Machine) -> None:
    machine.write("/etc/motd", "ours")
    policy = compiled(source(MOTD))
    assert machine.apply(policy).exit_code == exit_codes.IN_SYNC
    machine.write("/etc/motd", "drift")
    assert outcomes(machine.apply(policy)) == {"file:/etc/motd": Outcome.HEALED}
    machine.apply(None)
    assert machine.read("/etc/motd") == "ours"


# -- undoing


def test_withdrawing_gives_back_value_mode_owner_attributes_and_folders(machine: Machine) -> None:
    machine.write("/etc/motd", "theirs", mode=0o604, owner="games", origin=b"\x00\xff")
    machine.write("/etc/dconf/profile/user", "user-db:user\nsystem-db:local\n")
    before = machine.state()
    machine.apply(compiled(source(ALL)))
    assert machine.state() != before
    run = machine.apply(None)
    assert set(outcomes(run).values()) == {Outcome.RESTORED}
    assert machine.state() == before
    assert machine.undo.resources() == ()
    assert machine.plan(None).empty


def test_a_part_that_is_withdrawn_goes_alone(machine: Machine) -> None:
    machine.apply(files(one="1", two="2"))
    run = machine.apply(files(two="2"))
    assert outcomes(run)["file:/usr/share/bookbag/one"] is Outcome.RESTORED
    assert machine.read("/usr/share/bookbag/one") is None
    assert machine.read("/usr/share/bookbag/two") == "2"


def test_folders_go_with_the_last_file_whatever_came_first(machine: Machine) -> None:
    before = machine.state()
    machine.apply(files(one="1"))
    machine.apply(files(one="1", two="2"))
    machine.apply(files(two="2"))
    machine.apply(None)
    assert machine.state() == before


def test_a_folder_with_something_else_in_it_stays(machine: Machine) -> None:
    machine.apply(files(one="1"))
    machine.write("/usr/share/bookbag/theirs", "precious")
    run = machine.apply(None)
    assert machine.read("/usr/share/bookbag/theirs") == "precious"
    assert machine.read("/usr/share/bookbag/one") is None
    kept = {one.resource for one in run.reports if one.outcome is Outcome.KEPT}
    assert "directory:/usr/share/bookbag" in kept
    assert machine.plan(None).empty


def test_a_folder_that_someone_else_made_meanwhile_is_not_ours_to_remove(machine: Machine) -> None:
    machine.apply(compiled(source("resources:\n  - file: {path: /usr/share/bookbag/one, absent: true}\n")))
    (machine.laptop / "usr/share/bookbag").mkdir(parents=True)
    machine.apply(files(one="1"))
    machine.apply(None)
    assert machine.host.files.names("/usr/share/bookbag") == ()


def test_several_versions_later_the_first_prior_state_comes_back(machine: Machine) -> None:
    machine.write("/usr/share/bookbag/one", "theirs")
    before = machine.state()
    for value in ("1", "2", "3"):
        machine.apply(files(one=value))
    machine.apply(None)
    assert machine.state() == before


def test_what_someone_else_changed_since_is_left_and_reported(machine: Machine) -> None:
    machine.write("/etc/motd", "before")
    machine.apply(compiled(source(MOTD)))
    machine.write("/etc/motd", "someone else")
    run = machine.apply(None)
    assert outcomes(run) == {"file:/etc/motd": Outcome.KEPT}
    assert "someone else changed it since" in run.reports[0].message
    assert machine.read("/etc/motd") == "someone else"
    assert next(machine.ledger.entries()).outcome == "kept"
    assert machine.plan(None).empty


def test_an_edited_profile_loses_only_our_line(machine: Machine) -> None:
    machine.apply(compiled(source("settings:\n  screen-lock.after: 10m\n")))
    machine.write("/etc/dconf/profile/user", "user-db:user\nsystem-db:bookbag\nsystem-db:local\n")
    run = machine.apply(None)
    assert outcomes(run)["dconf-profile:user"] is Outcome.KEPT
    assert machine.read("/etc/dconf/profile/user") == "user-db:user\nsystem-db:local\n"
    assert machine.read("/etc/dconf/db/bookbag") is None


def test_a_change_that_did_not_arrive_still_undoes_to_the_prior_state(machine: Machine) -> None:
    """The journal knows both what lay there and what was about to be written."""
    machine.write("/usr/share/bookbag/one", "theirs")
    machine.apply(files(one="1"))
    machine.host = replace(machine.host, files=Failing(machine.host.files, "/usr/share/bookbag/one"))
    assert outcomes(machine.apply(files(one="2"))) == {"file:/usr/share/bookbag/one": Outcome.FAILED}
    assert isinstance(machine.host.files, Failing)
    machine.host = replace(machine.host, files=machine.host.files.real)
    machine.apply(None)
    assert machine.read("/usr/share/bookbag/one") == "theirs"


# -- failures


class Failing:
    """A disk on which one path cannot be written: everything else is the real port."""

    def __init__(self, real: Any, path: str, error: Exception | None = None) -> None:
        self.real = real
        self._path = path
        self._error = error or BookbagError("disk-full", "cannot write: no space is left", place=path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def write(self, path: str, node: Any) -> None:
        if path == self._path:
            raise self._error
        self.real.write(path, node)


class Full:
    """A journal that has no room for anything new: everything else is the real one."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def remember(self, priors: Any) -> None:
        raise BookbagError("disk-full", "cannot write: no space is left")


@pytest.mark.parametrize("error", [None, RuntimeError("a defect"), OSError(5, "I/O error")])
def test_one_failing_resource_never_stops_the_rest(machine: Machine, error: Exception | None) -> None:
    policy = files(a="1", b="2", c="3")
    real = machine.host
    machine.host = replace(real, files=Failing(real.files, "/usr/share/bookbag/b", error))
    run = machine.apply(policy)
    assert [one.outcome for one in run.reports] == [Outcome.CHANGED, Outcome.FAILED, Outcome.CHANGED]
    assert run.exit_code == exit_codes.CHANGED | exit_codes.FAILED
    assert run.reports[1].code == ("disk-full" if error is None else "internal")
    machine.host = real
    assert outcomes(machine.apply(policy))["file:/usr/share/bookbag/b"] is Outcome.CHANGED


def test_a_folder_of_ours_goes_once_what_could_not_be_put_back_is_gone(machine: Machine) -> None:
    """Folders made for a file stay in the journal as long as the file does, or nobody would remove them."""

    class Stubborn(Failing):
        def remove(self, path: str) -> None:
            if path == self._path:
                raise self._error
            self.real.remove(path)

    def all_outcomes() -> dict[str, Outcome]:
        return {one.resource: one.outcome for one in machine.apply(None).reports}

    before = machine.state()
    machine.apply(compiled(source('resources:\n  - file: {path: /usr/share/bookbag/a/b, content: "x"}\n')))
    real = machine.host
    machine.host = replace(real, files=Stubborn(real.files, "/usr/share/bookbag/a/b"))
    stuck = all_outcomes()
    assert set(stuck.values()) == {Outcome.FAILED}
    assert "directory:/usr/share/bookbag/a" in stuck
    machine.host = real
    assert set(all_outcomes().values()) == {Outcome.RESTORED}
    assert machine.state() == before


def test_a_write_that_does_not_stick_is_a_failure(machine: Machine) -> None:
    """No kind reports its own success: the engine reads back."""

    class Forgetful(Failing):
        def write(self, path: str, node: Any) -> None:
            self.real.write(path, replace(node, content=b"something else"))

    machine.host = replace(machine.host, files=Forgetful(machine.host.files, ""))
    run = machine.apply(files(one="1"))
    assert run.reports[0].outcome is Outcome.FAILED
    assert "reading it back" in run.reports[0].message


def test_a_journal_that_cannot_be_written_stops_the_run_before_the_first_change(machine: Machine) -> None:
    machine.write("/etc/motd", "theirs")
    before = machine.state()

    real = machine.undo
    machine.undo = Full(real)  # type: ignore[assignment]
    with pytest.raises(BookbagError) as caught:
        machine.apply(compiled(source(MOTD)))
    assert caught.value.code == "disk-full"
    assert machine.state() == before
    machine.undo = real
    assert machine.apply(compiled(source(MOTD))).changed


@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 100])
@pytest.mark.parametrize("which", ["memory", "undo"])
def test_damaged_state_is_set_aside_and_enforcement_goes_on(
    machine: Machine, which: str, damage: bytes
) -> None:
    policy = compiled(source(MOTD))
    machine.apply(policy)
    folder = Path(machine.layout.undo if which == "undo" else machine.layout.state)
    for path in folder.iterdir():
        path.write_bytes(damage)
    machine.write("/etc/motd", "drift")
    run = machine.apply(policy)
    assert machine.read("/etc/motd") == "ours"
    assert not run.failed
    assert "state-corrupt" in [entry.code for entry in machine.ledger.entries()]


@pytest.mark.parametrize("wanted", ["absent: true", "content: theirs"])
def test_what_somebody_else_made_as_policy_comes_to_want_it_is_undone_all_the_same(
    machine: Machine, wanted: str
) -> None:
    """A file is removed by hand, and before that is healed a new policy wants it gone: policy holds it so."""
    machine.write("/etc/motd", "before")
    before = machine.state()
    machine.apply(compiled(source("resources:\n  - file: {path: /etc/motd, content: ours}\n")))
    if wanted.startswith("absent"):
        machine.remove("/etc/motd")
    else:
        machine.write("/etc/motd", "theirs")
    run = machine.apply(compiled(source(f"resources:\n  - file: {{path: /etc/motd, {wanted}}}\n")))
    assert outcomes(run) == {"file:/etc/motd": Outcome.IN_FORCE}
    machine.apply(None)
    assert machine.state() == before


# -- effects


def test_written_but_not_effective_names_what_the_user_gets(machine: Machine) -> None:
    policy = compiled(source("settings:\n  browser.homepage: https://portal.example/\n"))
    machine.apply(policy)
    other = "/etc/chromium/policies/managed/zz.json"
    machine.write(other, '{"HomepageLocation": "https://vendor.example/"}')
    run = machine.engine.audit(policy, [other])
    assert run.reports[0].outcome is Outcome.NOT_EFFECTIVE
    assert run.reports[0].message == f"{other} overrides HomepageLocation"
    assert run.exit_code == exit_codes.FAILED
    machine.remove(other)
    assert set(outcomes(machine.engine.audit(policy)).values()) == {Outcome.IN_FORCE}


def test_a_folder_students_may_not_read_is_noticed(machine: Machine) -> None:
    policy = compiled(source("settings:\n  browser.homepage: https://portal.example/\n"))
    machine.apply(policy)
    (machine.laptop / "etc/chromium").chmod(0o700)
    assert "students may not read" in machine.engine.audit(policy).reports[0].message
    (machine.laptop / "etc/chromium").chmod(0o755)


def test_a_desktop_setting_that_a_user_gets_otherwise_is_not_effective(machine: Machine) -> None:
    key = "/org/gnome/desktop/session/idle-delay"
    policy = compiled(source("settings:\n  screen-lock.after: 10m\n"))
    machine.apply(policy)
    dconf = machine.host.dconf
    assert dconf is not None
    assert dconf.effective("student", key) == "uint32 600"
    assert not dconf.writable("student", key)
    machine.write("/etc/dconf/db/bookbag", "{}")  # the compiled database, by someone else
    assert dconf.effective("student", key) != "uint32 600"
    run = machine.engine.audit(policy, ["/etc/dconf/db/bookbag"])
    assert outcomes(run) == {"dconf:screen-lock": Outcome.HEALED}
    assert dconf.effective("student", key) == "uint32 600"


def test_a_lock_that_is_gone_is_not_effective_though_the_value_is(machine: Machine) -> None:
    policy = compiled(source("settings:\n  screen-lock.after: 10m\n"))
    machine.apply(policy)
    database = json.loads(machine.read("/etc/dconf/db/bookbag") or "")
    machine.write("/etc/dconf/db/bookbag", json.dumps({**database, "locks": []}))
    (step,) = machine.plan(policy).steps
    assert step.before is not None
    assert "student could change" in str(step.before["effective"])
    assert outcomes(machine.engine.audit(policy))["dconf:screen-lock"] is Outcome.HEALED


def test_a_database_that_cannot_be_brought_back_is_not_effective_and_tried_again_later(
    machine: Machine,
) -> None:
    policy = compiled(source("settings:\n  screen-lock.after: 10m\n"))
    machine.apply(policy)

    class Stale:
        def __init__(self, real: Any) -> None:
            self.real, self.compiled = real, 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def compile(self, database: str) -> None:
            self.compiled += 1

    stale = Stale(machine.host.dconf)
    machine.host = replace(machine.host, dconf=stale)
    machine.write("/etc/dconf/db/bookbag", "{}")
    for _ in range(3):
        run = machine.engine.audit(policy)
        assert outcomes(run)["dconf:screen-lock"] is Outcome.NOT_EFFECTIVE
    assert stale.compiled == 1, "it was not left alone"
    machine.now += 1000
    machine.engine.audit(policy)
    assert stale.compiled == 2


# -- observe


def test_an_observed_policy_changes_nothing_and_reports_what_it_would(machine: Machine) -> None:
    machine.write("/etc/motd", "theirs")
    policy = compiled(source(ALL, more="mode: observe\n"))
    before = machine.state()
    run = machine.apply(policy)
    assert machine.state() == before
    assert set(outcomes(run).values()) == {Outcome.PENDING}
    assert run.exit_code == exit_codes.IN_SYNC
    assert "would go from 6 bytes" in next(one.message for one in run.reports if "motd" in one.resource)
    assert machine.undo.resources() == ()
    plan = machine.plan(policy)
    assert plan.empty
    assert plan.exit_code == exit_codes.CHANGED


# -- the ledger


def test_the_ledger_tells_a_refusal_once_and_every_heal(machine: Machine) -> None:
    policy = compiled(source(MOTD + '  - file: {path: /etc/cron.d/x, content: "x"}\n'))
    for _ in range(3):
        machine.apply(policy)
    machine.write("/etc/motd", "drift")
    machine.apply(policy)
    machine.apply(None)
    rows = [(entry.kind, entry.subject) for entry in machine.ledger.entries()]
    assert rows == [
        ("restore", "file:/etc/motd"),
        ("heal", "file:/etc/motd"),
        ("refusal", "file:/etc/cron.d/x"),
        ("policy", "file:/etc/motd"),
    ]
    assert machine.ledger.verify() is None


def test_a_thousand_changes_are_twenty_one_rows(machine: Machine) -> None:
    machine.apply(files(**{f"f{number}": "x" for number in range(60)}))
    rows = list(machine.ledger.entries())
    assert len(rows) == 21
    assert rows[0].detail["count"] == 40


def test_no_content_reaches_ledger_plan_or_report(machine: Machine) -> None:
    machine.write("/etc/motd", "CANARY-BEFORE")
    policy = compiled(source('resources:\n  - file: {path: /etc/motd, content: "CANARY-AFTER"}\n'))
    said = [str(machine.plan(policy).to_dict()), str(machine.apply(policy).to_dict())]
    said += [str(machine.apply(None).to_dict()), *map(str, machine.ledger.entries())]
    assert "CANARY" not in "".join(said)


def test_the_guard_looks_right_before_writing(machine: Machine) -> None:
    """The path was harmless when the policy was compiled; a link made since leads elsewhere."""
    policy = files(one="1")
    machine.host.files.make_parents("/usr/share/x")
    machine.write("/etc/cron.d/keep", "x")
    link = machine.laptop / "usr/share/bookbag"
    link.symlink_to("../../etc/cron.d")
    run = machine.apply(policy)
    assert run.reports[0].outcome is Outcome.FAILED
    assert machine.read("/etc/cron.d/one") is None
    assert File(path="/usr/share/bookbag/one", content="1").power()[0] == "ordinary"
