"""What `check` finds in a whole folder: everything at once, in order, each with place and remedy."""

from __future__ import annotations

from agent.policy.check import check_documents
from agent.policy.document import Source
from agent.policy.preview import needs_power
from tests.policy.machine import policy, source

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
