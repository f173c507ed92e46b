"""What one person who may sign for one class tries, to have more say than that; and a student, to be left
alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.core.model import Outcome
from agent.host.base import Dconf
from agent.policy.compiled import Compiled
from tests.policy.machine import Machine, compiled, source

LOCK = "settings:\n  screen-lock.after: {value: 5m, final: true}\n"
NEVER = 'resources:\n  - dconf: {group: zz, values: {/org/gnome/desktop/session/idle-delay: "uint32 0"}}\n'
DELAY = "/org/gnome/desktop/session/idle-delay"


def ids(found: Compiled) -> set[str]:
    return {item.id for item in found.items()}


def test_a_key_that_a_setting_forces_is_no_other_groups_to_force() -> None:
    """dconf reads key files in the order of their names, so the group zz would win over any final value."""
    assert "dconf:zz" in ids(compiled(source(NEVER, name="own", rank="class"))), "the control"
    both = compiled(source(LOCK, name="top"), source(NEVER, name="own", rank="class"))
    assert ids(both) == {"dconf-profile:user", "dconf:screen-lock"}
    assert [one["subject"] for one in both.conflicts] == ["dconf:zz"]


def test_of_two_groups_with_one_key_the_nearer_rank_has_it_whatever_their_names() -> None:
    school = NEVER.replace("uint32 0", "uint32 600")
    near = NEVER.replace("group: zz", "group: aa")
    found = compiled(source(school, name="top"), source(near, name="own", rank="class"))
    assert ids(found) == {"dconf-profile:user", "dconf:aa"}


def test_no_group_takes_the_place_of_the_folder_of_locks() -> None:
    found = compiled(source(NEVER.replace("group: zz", "group: locks")))
    assert ids(found) == set()
    assert "other than locks" in found.refusals[0]["message"]


@pytest.mark.parametrize("value", ["garbage[", "'never'", "uint32 -1", "uint32", "true", "int32 5"])
def test_a_value_that_spoils_the_database_of_all_takes_two_persons(value: str) -> None:
    odd = f'resources:\n  - dconf: {{group: zz, values: {{{DELAY}: "{value}"}}}}\n'
    found = compiled(source(odd))
    assert (ids(found), found.refusals[0]["code"]) == (set(), "root-power")
    assert ids(compiled(source(odd, power=True))) == {"dconf-profile:user", "dconf:zz"}


@pytest.mark.parametrize("text", ["\\x1b]0;x\\x07", "\\x9b2J", "a\\rb", "\\x7f", "\\b"])
def test_a_text_that_drives_terminals_takes_two_persons(text: str) -> None:
    """Root logs in where /etc/motd is shown."""
    odd = f'resources:\n  - file: {{path: /etc/motd, content: "{text}"}}\n'
    found = compiled(source(odd))
    assert (ids(found), found.refusals[0]["code"]) == (set(), "root-power")
    assert ids(compiled(source(odd, power=True))) == {"file:/etc/motd"}
    plain = odd.replace(text, "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\\t\u2014 \\n")
    assert ids(compiled(source(plain))) == {"file:/etc/motd"}, "the control: a joiner, tab, line end"


class Silent:
    """dconf on a laptop whose student lets nobody ask on their behalf."""

    def __init__(self, real: Dconf) -> None:
        self.compile = real.compile
        self.asked = 0

    def effective(self, user: str, key: str) -> str | None:
        self.asked += 1
        raise BookbagError("worker-timeout", "cannot wait longer for dconf: it was stopped")

    default = effective

    def writable(self, user: str, *keys: str) -> bool:
        raise AssertionError("the first question was not answered")


def test_a_student_whose_dconf_never_answers_gets_the_settings_all_the_same(tmp_path: Path) -> None:
    """A pipe in place of one's own database makes the program wait for ever."""
    with Machine(tmp_path) as machine:
        found = compiled(source(LOCK))
        assert machine.host.dconf is not None
        silent = Silent(machine.host.dconf)
        machine.host = replace(machine.host, dconf=silent)
        ran = machine.engine.apply(found)
        told = {report.resource: report for report in ran.reports}["dconf:screen-lock"]
        assert told.outcome is Outcome.NOT_EFFECTIVE
        assert "cannot be asked" in told.message
        assert silent.asked <= 2, "one look before, one after: nobody is asked again and again"
        keys = machine.laptop / "etc/dconf/db/bookbag.d/screen-lock"
        written = keys.read_text()
        assert "idle-delay=uint32 300" in written
        keys.write_text("")
        machine.engine.audit(found, [f"/{keys.relative_to(machine.laptop)}"])
        assert keys.read_text() == written, "and they are put back"
