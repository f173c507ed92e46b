"""What a laptop does with news of policy: compile what every rank says, plan, verify that it holds."""

from __future__ import annotations

import json

import yaml

from agent.policy import kinds
from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.document import Source
from agent.policy.syntax.yamltext import load
from tests.bench.measures.load import in_turns
from tests.bench.rows import Bench, Budget, Measured, Promise, Results
from tests.bench.world import World
from tests.policy.machine import DEVICE, Machine, policy
from tests.policy.plain import plain

DECIDE = Promise("decide", "compile, plan and verify 200 settings of several ranks, CPU", "ms", Budget(500))
COUNT = 200
#: GNOME has one place for what happens to a laptop that nobody uses, and `power.sleep` says it.
CONTESTED = ("accounts.idle-log-out",)
RANKS = ("ministry", "district", "school", "year", "class", "device")


def documents() -> list[Source]:
    """So many documents that they say `COUNT` things in all, each with the example of its reference page."""
    examples = {
        key: plain(load(one.example.encode(), key))[key]
        for key, one in kinds.settings().items()
        if key not in CONTESTED
    }
    said = [(key, value) for _ in range(COUNT) for key, value in examples.items()][:COUNT]
    found: list[Source] = []
    for number in range(0, COUNT, len(examples)):
        rows = dict(said[number : number + len(examples)])
        text = "settings:\n" + "".join(f"  {key}: {json.dumps(value)}\n" for key, value in rows.items())
        name = f"n{number}"
        rank = RANKS[len(found) % len(RANKS)]
        found.append(Source(f"power/ict/{name}.yaml", policy(text, name=name, rank=rank), "ict", power=True))
    return found


def measure(world: World) -> Results:
    sources = documents()
    folder = world.folder / "decide"
    folder.mkdir()
    with Machine(folder) as machine:
        first = compile_site(sources, DEVICE)
        if first.refusals or first.conflicts or machine.apply(first).failed:
            raise RuntimeError(f"the policies are not taken: {[*first.refusals, *first.conflicts]}")
        ours, parsed = in_turns(
            world.rounds(9),
            lambda: _decide(machine, sources, first),
            lambda: [yaml.load(one.data, yaml.CSafeLoader) for one in sources],
        )
    note = (
        f"{len(sources)} documents, {len(first.settings)} different settings, {len(list(first.items()))} "
        "resources; verified by looking at each; in one process, imports not counted"
    )
    return {DECIDE.name: Measured(ours, {"CSafeLoader, the same YAML": parsed}, note)}


def _decide(machine: Machine, sources: list[Source], first: Compiled) -> None:
    compiled = compile_site(sources, DEVICE)
    plan = machine.plan(compiled)
    run = machine.engine.audit(compiled)
    if not plan.empty or run.done or len(run.reports) != len(list(first.items())):
        raise RuntimeError("what was applied is not found in force")


BENCH = Bench("decide", (DECIDE,), measure)
