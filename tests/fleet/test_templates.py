"""Beginning a policy with a template, in a folder that is in use already."""

from __future__ import annotations

from pathlib import Path

from agent.policy.desk.preview import template_tests, templates
from tests.fleet.desk import Desk, enrolled, make_desk

ALONE = "large-view"


def test_they_are_listed_with_what_they_are_for(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "it")
    found = desk.run("template").value["templates"]
    assert [one["name"] for one in found] == sorted(name.removesuffix(".yaml") for name in templates())
    assert all(len(one["about"]) > 20 and "#" not in one["about"] for one in found)


def test_each_can_be_added_and_checks_clean(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "it")
    names = [one["name"] for one in desk.run("template").value["templates"]]
    names.remove(ALONE)
    for name in names:
        written = desk.run("template", name).value["written"]
        policy, tests = (desk.root / path for path in written)
        assert policy.read_bytes().endswith(templates()[policy.name])
        assert tests.read_bytes() == template_tests()[tests.name]
    found = desk.run("check").value
    assert found["errors"] == 0 and found["tests"]["ran"] and found["tests"]["failures"] == []


def test_one_for_a_single_laptop_is_published_under_its_number_and_no_name(
    desk: Desk, tmp_path: Path
) -> None:
    number = enrolled(desk, tmp_path, "lina", "school=north-high", "year=9", "class=9b").identity.id
    policy, tests = desk.run("template", ALONE, "--device", "lina").value["written"]
    assert (policy, tests) == (f"policies/ict/{ALONE}-{number[:6]}.yaml", f"tests/{ALONE}-{number[:6]}.yaml")
    text = (desk.root / policy).read_text()
    assert f"device: [{number}]" in text and "lina" not in text and "your-laptop" not in text
    found = desk.run("check").value
    assert found["errors"] == 0 and found["tests"]["expectations"] == 2 and not found["tests"]["failures"]
    assert (
        desk.run("template", ALONE, "--device", "lina", expect=1).err.count("cannot write a template over")
        == 1
    )


def test_one_for_a_single_laptop_needs_a_laptop_and_others_none(desk: Desk) -> None:
    desk.run("device", "lina")
    for words, said in (
        ((ALONE,), "add --device NAME"),
        (("exam", "--device", "lina"), "leave --device out"),
    ):
        assert said in desk.run("template", *words, expect=64).err
    assert "has not enrolled yet" in desk.run("template", ALONE, "--device", "lina", expect=1).err
    desk.run("template", ALONE, "--device", "../site", expect=1)
    assert not (desk.root / "tests").exists()


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
