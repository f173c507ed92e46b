"""What `check` finds in a whole folder: everything at once, in order, each with place and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.policy.desk.check import Finding, check_documents
from agent.policy.desk.preview import needs_power
from agent.policy.document import Source
from tests.policy.machine import compiled, policy, source
from tests.policy.powerful import powerful_setting

HOME = "settings:\n  browser.homepage: https://{}.example/\n"


def found(*sources: Source) -> list[tuple[str, str]]:
    return [(one.place, one.code) for one in check_documents(sources)]


def test_every_document_is_checked_even_after_a_broken_one() -> None:
    broken = Source("policy/ict/a.yaml", b"policy: [\n", "ict")
    wrong = Source("policy/ict/b.yaml", policy("settings:\n  screen-lock.after: 10\n", name="b"), "ict")
    fine = Source("policy/ict/c.yaml", policy(HOME.format("c"), name="c"), "ict")
    assert found(fine, wrong, broken) == [
        ("policy/ict/a.yaml:2:1", "bad-yaml"),
        ("policy/ict/b.yaml:6:22", "bad-policy"),
    ]


def test_root_power_belongs_to_the_power_folder() -> None:
    body = 'resources:\n  - file: {path: /etc/cron.d/x, content: "x"}\n'
    (finding,) = check_documents([source(body)])
    assert (finding.place, finding.code) == ("policy/ict/test.yaml:6:5", "root-power")
    assert "two persons" in finding.remedy
    assert not check_documents([source(body, power=True)])
    assert needs_power(source(body)) == (
        "file:/etc/cron.d/x: a file there can run code as root or destroy data",
    )
    assert needs_power(source(HOME.format("a"))) == ()


@pytest.fixture
def nightly(tmp_path: Path) -> Iterator[str]:
    with powerful_setting(tmp_path) as key:
        yield f"settings:\n  {key}: beep\n"


def test_a_setting_with_root_power_belongs_there_too_i7(nightly: str) -> None:
    """I-7 at the desk, as on the laptop: what counts is what a setting compiles to."""
    (finding,) = check_documents([source(nightly)])
    assert (finding.place, finding.code) == ("policy/ict/test.yaml:6:3", "root-power")
    assert "test.nightly in policies/: a file there can run code as root" in finding.message
    assert not check_documents([source(nightly, power=True)])
    assert [row["code"] for row in compiled(source(nightly)).refusals] == ["root-power"]


def test_a_rank_beyond_the_role_is_named() -> None:
    wide = Source("p.yaml", policy(HOME.format("a"), rank="district"), "teachers", ranks=("class",))
    (finding,) = check_documents([wide])
    assert (finding.code, finding.remedy) == (
        "not-allowed",
        "use class, or have trust.json give the role more",
    )


def test_an_id_used_twice_is_named_at_the_second() -> None:
    one = Source("a.yaml", policy(HOME.format("a")), "ict")
    two = Source("b.yaml", policy(HOME.format("a")), "ict")
    assert found(one, two) == [("b.yaml:1:1", "conflict")]


def test_equal_ranks_that_contradict_on_one_device_are_findings() -> None:
    one = Source("a.yaml", policy(HOME.format("a"), name="a"), "ict")
    two = Source("b.yaml", policy(HOME.format("b"), name="b"), "ict")
    (finding,) = check_documents([one, two])
    assert (finding.place, finding.code) == ("b.yaml:6", "conflict")
    assert "a.yaml:6 and b.yaml:6" in finding.message


def test_equal_ranks_that_never_meet_are_none() -> None:
    one = Source("a.yaml", policy(HOME.format("a"), name="a", more="applies-to: {year: [7, 8]}\n"), "ict")
    two = Source("b.yaml", policy(HOME.format("b"), name="b", more="applies-to: {year: [9]}\n"), "ict")
    assert not found(one, two)
    meets = Source(
        "c.yaml", policy(HOME.format("c"), name="c", more="applies-to: {school: x, year: 9}\n"), "ict"
    )
    assert found(one, two, meets) == [("c.yaml:7", "conflict")]


def test_one_file_wanted_twice_by_equal_ranks_is_a_finding() -> None:
    body = 'resources:\n  - file: {{path: /etc/motd, content: "{}"}}\n'
    one = Source("a.yaml", policy(body.format("a"), name="a"), "ict")
    two = Source("b.yaml", policy(body.format("b"), name="b"), "ict")
    same = Source("c.yaml", policy(body.format("a"), name="c"), "ict")
    assert found(one, two) == [("b.yaml:6:5", "conflict")]
    assert not found(one, same)
    twice = source(
        'resources:\n  - file: {path: /etc/motd, content: "a"}\n  - file: {path: /etc/motd, absent: true}\n'
    )
    assert found(twice) == [("policy/ict/test.yaml:7:5", "bad-policy")]


DELAY = "/org/gnome/desktop/session/idle-delay"
GROUP = f'resources:\n  - dconf: {{{{group: {{}}, values: {{{{{DELAY}: "uint32 {{}}"}}}}}}}}\n'


def both(*sources: Source) -> list[Finding]:
    """What the desk finds, and the laptop must have had to decide."""
    assert compiled(*sources).conflicts, "or it is no contradiction"
    return check_documents(sources)


def test_one_desktop_key_held_by_two_groups_is_a_finding() -> None:
    one = source(GROUP.format("aa", 600), name="a")
    two = source(GROUP.format("zz", 60), name="b")
    (finding,) = both(one, two)
    assert (finding.place, finding.code) == ("policy/ict/b.yaml:6:5", "conflict")
    assert f"dconf-key:{DELAY} both here and at policy/ict/a.yaml:6:5 (dconf:zz, dconf:aa)" in finding.message
    near = source(GROUP.format("zz", 60), name="b", rank="class")
    assert not check_documents([one, near]), "a nearer rank may differ"
    assert not compiled(one, near).conflicts


def test_a_resource_that_a_setting_holds_is_a_finding_whatever_its_rank() -> None:
    lock = "settings:\n  screen-lock.after: 5m\n"
    for rank in ("district", "school", "class"):
        (finding,) = both(source(lock, name="a"), source(GROUP.format("zz", 0), name="b", rank=rank))
        assert "the setting screen-lock.after decides it" in finding.message
    within = source(lock + GROUP.format("zz", 0))
    (finding,) = both(within)
    assert finding.place == "policy/ict/test.yaml:8:5"


def test_the_same_wish_twice_contradicts_nothing() -> None:
    one, two = source(GROUP.format("aa", 600), name="a"), source(GROUP.format("aa", 600), name="b")
    assert not check_documents([one, two])
    assert not compiled(one, two).conflicts
