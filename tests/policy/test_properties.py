"""The engine's guarantees over generated policies and machine states: real sandbox, real journal, real
ledger.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.model import Outcome
from agent.host.base import Node
from agent.policy.compiled import Compiled
from agent.policy.enforcement import audit
from tests.policy.machine import Machine, compiled, outcomes, source

#: Places a generated policy may manage and a generated machine may have files at, some below others' folders.
PATHS = (
    "/etc/motd",
    "/etc/issue",
    "/usr/share/bookbag/a",
    "/usr/share/bookbag/deep/er/b",
    "/usr/share/bookbag/deep/c",
)
#: Thousands of fsyncs prove nothing here; tests/policy/test_crash.py is about those.
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
EXAMPLES = settings(max_examples=60, deadline=None)

texts = st.sampled_from(["", "one\n", "two\n", "ünï\n", "x" * 5000])
modes = st.sampled_from(["0644", "0600", "0640", "0666"])
owners = st.sampled_from(["root", "games", "4711"])
#: Where a generated link leads, from any of `PATHS`: harmless places all.
targets = st.sampled_from(["/etc/motd", "/usr/share/bookbag/no/where", "/usr/share/bookbag/deep"])
managed = st.one_of(
    st.fixed_dictionaries({"absent": st.just(True)}),
    st.fixed_dictionaries({"content": texts}, optional={"mode": modes, "owner": owners, "group": owners}),
    st.fixed_dictionaries({"link": targets}),
)
#: What lies in some of `PATHS`, and one of them, so that what was a file becomes a directory.
FOLDERS = ("/usr/share/bookbag/deep", "/usr/share/bookbag/deep/er", "/usr/share/bookbag/a")
folders = st.dictionaries(
    st.sampled_from(FOLDERS),
    st.fixed_dictionaries({}, optional={"mode": st.sampled_from(["0755", "0700", "1777"]), "owner": owners}),
    max_size=len(FOLDERS),
)
bodies = st.dictionaries(st.sampled_from(PATHS), managed, max_size=len(PATHS))
forced = st.fixed_dictionaries(
    {},
    optional={
        "screen-lock.after": st.sampled_from(["1m", "10m", "1h"]),
        "browser.homepage": st.sampled_from(["https://a.example/", "https://b.example/"]),
        "browser.blocked-sites": st.lists(
            st.sampled_from(["a.example", "b.example", "c.example/x"]), min_size=1, unique=True
        ),
    },
)
xattrs = st.lists(st.tuples(st.just("user.mark"), st.binary(max_size=8)), max_size=1).map(tuple)
nodes = st.one_of(
    st.builds(
        Node,
        kind=st.just("file"),
        mode=modes.map(lambda text: int(text, 8)),
        owner=owners,
        group=owners,
        content=st.binary(max_size=40),
        xattrs=xattrs,
    ),
    st.builds(Node, kind=st.just("symlink"), mode=st.just(0o777), content=st.just(b"/nowhere")),
)
machines = st.dictionaries(
    st.sampled_from(
        (*PATHS, "/etc/chromium/policies/managed/bookbag-homepage.json", "/etc/dconf/profile/user")
    ),
    nodes,
    max_size=4,
)


def policy(
    body: dict[str, dict[str, object]],
    wanted: dict[str, object],
    within: dict[str, dict[str, object]] | None = None,
) -> Compiled:
    """A policy as YAML would give it (JSON is a subset of it)."""
    rows = [{"file": {"path": path, **keys}} for path, keys in body.items()]
    rows += [
        {"directory": {"path": path, **keys}} for path, keys in (within or {}).items() if path not in body
    ]
    text = f"settings: {json.dumps(wanted)}\nresources: {json.dumps(rows)}\n"
    result = compiled(source(text))
    assert not result.refusals
    return result


policies = st.builds(policy, bodies, forced)


@contextmanager
def laptop(files: dict[str, Node]) -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(dir=FAST) as folder, Machine(Path(folder)) as machine:
        for path, node in files.items():
            machine.host.files.make_parents(path)
            machine.host.files.write(path, node)
        yield machine


def tamper(machine: Machine, files: dict[str, Node | None]) -> None:
    for path, node in files.items():
        if node is None:
            machine.host.files.remove(path)
        elif machine.host.files.names(path.rpartition("/")[0]) is not None:
            machine.host.files.write(path, node)


both = st.builds(policy, bodies, st.just({}), folders)
directories = st.dictionaries(
    st.sampled_from(FOLDERS),
    st.builds(
        Node,
        kind=st.just("directory"),
        mode=st.sampled_from([0o755, 0o700, 0o2775]),
        owner=owners,
        group=owners,
        xattrs=xattrs,
    ),
    max_size=2,
)


@settings(EXAMPLES, max_examples=25)
@given(machines, directories, st.lists(both, min_size=1, max_size=4))
def test_files_and_directories_come_and_go_and_everything_is_as_it_was(
    files: dict[str, Node], there: dict[str, Node], wanted: list[Compiled]
) -> None:
    """Of one who found a file where it wants a directory, or the other way round, nothing is claimed here but
    that it says so, and that what was there comes back.
    """
    with laptop({path: node for path, node in files.items() if path not in there}) as machine:
        for path, node in sorted(there.items()):
            machine.host.files.make_parents(path)
            machine.host.files.make_directory(path, node)
        before = machine.state()
        for one in wanted:
            plan = machine.plan(one)
            run = machine.apply(one, plan.hash)
            assert {report.code for report in run.failed} <= {"bad-path"}, run.failed
            if not run.failed:
                assert machine.plan(one).empty
        machine.apply(None)
        assert machine.state() == before
        assert machine.undo.resources() == ()


drifts = st.dictionaries(st.sampled_from(PATHS), st.one_of(st.none(), nodes), max_size=3)


@EXAMPLES
@given(machines, policies)
def test_a_plan_changes_nothing_and_is_empty_once_applied(files: dict[str, Node], wanted: Compiled) -> None:
    with laptop(files) as machine:
        before = machine.state()
        plan = machine.plan(wanted)
        assert machine.state() == before
        assert machine.plan(wanted).hash == plan.hash
        run = machine.apply(wanted, plan.hash)
        assert not run.failed
        settled = machine.state()
        assert (settled == before) is plan.empty
        again = machine.plan(wanted)
        assert again.empty
        assert machine.apply(wanted, again.hash).done == ()
        assert machine.state() == settled


@EXAMPLES
@given(machines, st.lists(policies, min_size=1, max_size=4))
def test_removing_policies_restores_everything_they_ever_changed(
    files: dict[str, Node], wanted: list[Compiled]
) -> None:
    with laptop(files) as machine:
        before = machine.state()
        for one in wanted:
            assert not machine.apply(one).failed
        machine.apply(None)
        assert machine.state() == before
        assert machine.undo.resources() == ()


@EXAMPLES
@given(machines, policies, drifts)
def test_drift_is_healed_and_still_undone(
    files: dict[str, Node], wanted: Compiled, drift: dict[str, Node | None]
) -> None:
    with laptop(files) as machine:
        before = machine.state()
        machine.apply(wanted)
        settled = machine.state()
        managed_here = {item.id.partition(":")[2] for item in wanted.items()}
        tamper(machine, {path: node for path, node in drift.items() if path in managed_here})
        changed = machine.state() != settled
        run = machine.engine.audit(wanted)
        assert set(outcomes(run).values()) <= {Outcome.HEALED, Outcome.IN_FORCE}
        assert (Outcome.HEALED in outcomes(run).values()) is changed
        assert machine.state() == settled
        machine.apply(None)
        assert machine.state() == before


@EXAMPLES
@given(machines, policies, drifts)
def test_what_someone_else_changed_is_never_overwritten_by_undoing(
    files: dict[str, Node], wanted: Compiled, drift: dict[str, Node | None]
) -> None:
    with laptop(files) as machine:
        before = machine.state()
        machine.apply(wanted)
        settled = machine.state()
        tamper(machine, drift)
        theirs = {path: machine.host.files.read(path) for path in drift}
        machine.apply(None)
        for path in drift:
            moved = theirs[path] != settled.get(path)
            found = machine.host.files.read(path)
            assert found == theirs[path] if moved else found == before.get(path)
        assert machine.plan(None).empty


@EXAMPLES
@given(machines, policies, drifts)
def test_a_plans_hash_is_of_this_machine_and_no_other(
    files: dict[str, Node], wanted: Compiled, drift: dict[str, Node | None]
) -> None:
    with laptop(files) as machine:
        plan = machine.plan(wanted)
        seen = {step.id: step.before for step in plan.steps}
        tamper(machine, drift)
        again = machine.plan(wanted)
        same = {step.id: step.before for step in again.steps} == seen
        assert (again.hash == plan.hash) is same


@EXAMPLES
@given(machines, policies)
def test_an_observed_policy_changes_nothing(files: dict[str, Node], wanted: Compiled) -> None:
    for item in wanted.data["items"]:  # type: ignore[attr-defined]
        item["observe"] = True
    with laptop(files) as machine:
        before = machine.state()
        run = machine.apply(wanted)
        assert set(outcomes(run).values()) <= {Outcome.PENDING, Outcome.IN_FORCE}
        assert machine.state() == before
        assert machine.undo.resources() == ()


@EXAMPLES
@given(machines, policies, drifts)
def test_the_lean_audit_never_vouches_for_what_the_engine_would_change(
    files: dict[str, Node], wanted: Compiled, drift: dict[str, Node | None]
) -> None:
    with laptop(files) as machine:
        machine.apply(wanted)
        checklist = str(machine.folder / "checklist")
        audit.save_checklist(checklist, wanted, machine.host)
        tamper(machine, drift)
        suspects = audit.suspects(checklist, wanted.fingerprint, str(machine.laptop))
        assert suspects is not None
        changes = {step.id for step in machine.plan(wanted).steps}
        if not suspects:
            assert not changes
        run = machine.engine.audit(wanted, suspects) if suspects else None
        healed = {name for name, one in outcomes(run).items() if one is Outcome.HEALED} if run else set()
        assert changes == healed
        assert machine.plan(wanted).empty
