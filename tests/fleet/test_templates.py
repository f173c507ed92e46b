"""Beginning a policy with a template, in a folder that is in use already."""

from __future__ import annotations

from pathlib import Path

from agent.policy.desk.preview import template_tests, templates
from tests.fleet.desk import Desk, make_desk


def test_they_are_listed_with_what_they_are_for(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "it")
    found = desk.run("template").value["templates"]
    assert [one["name"] for one in found] == sorted(name.removesuffix(".yaml") for name in templates())
    assert all(len(one["about"]) > 20 and "#" not in one["about"] for one in found)


def test_each_can_be_added_and_checks_clean(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "it")
    for one in desk.run("template").value["templates"]:
        written = desk.run("template", one["name"]).value["written"]
        policy, tests = (desk.root / path for path in written)
        assert policy.read_bytes().endswith(templates()[policy.name])
        assert tests.read_bytes() == template_tests()[tests.name]
    found = desk.run("check", expect=4).value
    assert found["errors"] == 0 and found["tests"]["ran"] and found["tests"]["failures"] == []


def test_nothing_is_written_over_and_nothing_half(desk: Desk) -> None:
    paths = ("policies/ict/exam.yaml", "tests/exam.yaml")
    for path in paths:
        there = desk.root / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text("mine")
        refused = desk.run("template", "exam", expect=1)
        assert f"{path}: cannot write a template over a file" in refused.err
        assert there.read_text() == "mine"
        there.unlink()
        assert not any(
            (desk.root / other).exists() for other in ("policies/ict/exam.yaml", "tests/exam.yaml")
        )


def test_what_there_is_not_is_named_with_what_there_is(desk: Desk) -> None:
    assert "there are: baseline, exam" in desk.run("template", "exams", expect=1).err
    assert "--role one of ict" in desk.run("template", "exam", "--role", "../../etc", expect=1).err
    assert "--role one of" in desk.run("template", "exam", "--role", "nobody", expect=1).err
