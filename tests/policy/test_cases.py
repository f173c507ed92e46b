"""Every case in tests/cases/KIND/*.yaml: given a machine and a policy → the plan, the result, and back
again.

A case is data. Keys: ``about``; ``given.files`` (path → content, or a mapping with content, mode,
owner, link, xattrs, or directory); ``given.no-dconf``; ``policy`` (what follows the head of a document);
``power``; and ``expect`` with any of ``plan`` (ids of what would change), ``outcomes`` (id → outcome),
``files`` (path → content, mapping, or nothing), ``policies`` (Chromium file → its policies), ``power`` (id →
reason) and ``errors`` (each ``at`` line:column with a part of its ``message`` or ``remedy``). Whatever
it expects, this also checks that a plan changes nothing, that a second run has nothing to do, and that
withdrawing gives back exactly what was given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.core.model import Outcome
from agent.host.base import Node
from agent.policy import kinds
from agent.policy.desk.check import check_documents
from tests.policy.machine import Machine, compiled, outcomes, source
from tests.policy.plain import read

CASES = Path(__file__).parent.parent / "cases"
#: Cases of other rooms live beside ours.
KINDS = (*kinds.settings(), *kinds.resources())
FILES = sorted(path for kind in KINDS for path in (CASES / kind).glob("*.yaml"))
ALLOWED = {"about", "given", "policy", "power", "expect"}
EXPECTED = {"plan", "outcomes", "files", "policies", "power", "errors"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path, tmp_path: Path) -> None:
    case = read(path)
    assert set(case) <= ALLOWED, "a case with a key that nobody reads"
    assert case["expect"], "a case that expects nothing"
    assert set(case["expect"]) <= EXPECTED, "an expectation that nobody reads"
    wanted = source(case["policy"], power=case.get("power", False))
    expect = case["expect"]
    if "errors" in expect:
        check_errors(wanted, expect["errors"])
        return
    unrefused = expect.get("power") is None
    assert not unrefused or check_documents([wanted]) == []
    with Machine(tmp_path) as machine:
        given = case.get("given", {})
        if given.get("no-dconf"):
            machine.host = replace(machine.host, dconf=None)
        for where, what in given.get("files", {}).items():
            put(machine, where, what)
        policy = compiled(wanted)
        before = machine.state()
        plan = machine.plan(policy)
        assert machine.state() == before, "a plan changed something"
        if "plan" in expect:
            assert named((step.id for step in plan.steps), expect["plan"]) == expect["plan"]
        run = machine.apply(policy, plan.hash)
        check(machine, expect, outcomes(run), policy)
        again = machine.plan(policy)
        failing = {step.id for step, report in zip(plan.steps, run.done, strict=True) if report in run.failed}
        assert {step.id for step in again.steps} <= failing, "a second run has something to do"
        withdrawn = machine.apply(None)
        assert not withdrawn.failed
        assert machine.state() == before, "withdrawing did not give back what was there"


def check_errors(wanted: Any, errors: list[dict[str, str]]) -> None:
    findings = check_documents([wanted])
    assert len(findings) == len(errors), [str(finding) for finding in findings]
    for finding, error in zip(findings, errors, strict=True):
        lines = (
            wanted.data.split(b"settings:")[0]
            if b"settings:" in wanted.data
            else wanted.data.split(b"resources:")[0]
        )
        line, column = error["at"].split(":")
        head = lines.count(b"\n")
        assert finding.place == f"{wanted.file}:{int(line) + head}:{column}", str(finding)
        assert error.get("message", "") in finding.message, str(finding)
        assert error.get("remedy", "") in finding.remedy, str(finding)


def check(machine: Machine, expect: dict[str, Any], found: Any, policy: Any) -> None:
    for name, outcome in expect.get("outcomes", {}).items():
        assert found[name] == Outcome(outcome), found
    if "outcomes" in expect:
        assert set(named(found, expect["outcomes"])) == set(expect["outcomes"]), found
        copies = set(found) - set(named(found, ()))
        assert {found[one] for one in copies - set(expect["outcomes"])} <= {Outcome.CHANGED}, found
    for path, what in expect.get("files", {}).items():
        node = machine.host.files.read(path)
        assert node == (None if what is None else as_node(what)), path
    for path, wanted in expect.get("policies", {}).items():
        content = machine.read(path)
        assert content is not None, path
        assert json.loads(content) == wanted
    refusals = {row["subject"]: row["message"] for row in policy.refusals if row["code"] == "root-power"}
    expected = expect.get("power", {})
    assert set(refusals) == set(expected)
    for name, reason in expected.items():
        assert reason in refusals[name]
        assert found[name] is Outcome.REFUSED


def named(ids: Iterable[str], expected: Iterable[str]) -> list[str]:
    """Without the copies for other browsers, which only cases of their own spell out."""
    return [one for one in ids if not one.startswith("other-browser:") or one in expected]


def put(machine: Machine, path: str, what: Any) -> None:
    machine.host.files.make_parents(path)
    node = as_node(what)
    if node.kind == "directory":
        machine.host.files.make_directory(path, node)
    else:
        machine.host.files.write(path, node)


def as_node(what: Any) -> Node:
    if isinstance(what, str):
        what = {"content": what}
    if "link" in what:
        return Node("symlink", 0o777, content=what["link"].encode())
    owner = what.get("owner", "root")
    xattrs = tuple(sorted((name, value.encode()) for name, value in what.get("xattrs", {}).items()))
    mode = int(what.get("mode", "0644"), 8)
    if what.get("directory"):
        return Node("directory", mode, owner, what.get("group", owner), b"", xattrs)
    return Node("file", mode, owner, what.get("group", owner), what["content"].encode(), xattrs)
