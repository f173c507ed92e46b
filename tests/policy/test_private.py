"""Of a file that not everybody may read, no message tells what its content could be guessed from: not its
size, not its hash, neither of what is there now, nor of what was, nor of what should be.
"""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from agent.core.model import Outcome, Value
from agent.policy.compiled import Compiled
from agent.policy.enforcement.memory import BUCKET
from agent.policy.enforcement.plan import PRIVATE, Run, describe
from agent.policy.explain import explain
from tests.policy.machine import Machine, compiled, source

PATH = "/etc/wifi.key"
ID = f"file:{PATH}"
OLD, NEW, OTHER = "hunter2-hunter2", "correct horse", "somebody else's"  # of lengths of their own
TELLING = [f"{len(one)} bytes" for one in (OLD, NEW, OTHER)] + [
    sha256(one.encode()).hexdigest()[:8] for one in (OLD, NEW, OTHER)
]


def wanting(mode: str, more: str = "") -> Compiled:
    body = f'resources:\n  - file: {{path: {PATH}, content: "{NEW}", mode: "{mode}"}}\n'
    return compiled(source(body, power=True, more=more))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o400, 0o000, 0o711])
def test_a_private_file_is_nothing_more(mode: int) -> None:
    state: dict[str, Value] = {"kind": "file", "content": OLD.encode(), "mode": mode, "owner": "root"}
    assert describe(state) == PRIVATE
    assert describe({"file": state, "effective": "yes"}) == f"file: {PRIVATE}, effective: yes"
    assert describe({"parts": {"key": {"file": state}}}) == f"parts: key: file: {PRIVATE}"
    assert describe({**state, "mode": mode | 0o004}).startswith(f"{len(OLD)} bytes (sha256 "), "the control"
    assert describe({"kind": "file", "content": OLD.encode()}) == PRIVATE, "whose mode nobody knows"


def everything_said(machine: Machine, mode: int) -> str:
    """All that a file of this mode makes planner, engine and ledger say, from first to last."""
    text = f"{mode:04o}"
    wanted = wanting(text)
    said: list[object] = []

    def keep(run: Run, outcome: Outcome) -> None:
        assert outcome in [one.outcome for one in run.reports if one.resource.startswith(ID)], run.reports
        said.extend(run.to_dict().values())

    def ask() -> None:
        state = machine.memory.read()
        said.append(explain(wanted, ID, machine.undo, machine.host, state).to_dict())
        said.append(machine.plan(wanted).to_dict()["changes"])

    machine.write(PATH, OLD, mode)
    keep(machine.apply(wanting(text, "mode: observe\n")), Outcome.PENDING)
    ask()
    keep(machine.apply(wanted), Outcome.CHANGED)
    ask()
    for _ in range(BUCKET):
        machine.write(PATH, OTHER, mode)
        keep(machine.apply(wanted), Outcome.HEALED)
    machine.write(PATH, OTHER, mode)
    keep(machine.apply(wanted), Outcome.BACKED_OFF)
    ask()
    keep(machine.apply(None), Outcome.KEPT)
    said.extend((entry.message, dict(entry.detail)) for entry in machine.ledger.entries())
    return json.dumps(said)


def test_no_message_of_a_files_whole_life_tells_what_is_in_it(machine: Machine) -> None:
    said = everything_said(machine, 0o600)
    assert PRIVATE in said
    assert [one for one in (OLD, NEW, OTHER, *TELLING) if one in said] == []


def test_of_a_file_that_everybody_may_read_it_is_told(machine: Machine) -> None:
    said = everything_said(machine, 0o644)
    assert [one for one in TELLING if one not in said] == [], "the control: what the search above looks for"
