"""Loading a policy that has not changed, beside parsing the YAML it came from; compiling and planning."""

from __future__ import annotations

import time
from collections.abc import Callable

import yaml

from agent.policy import compiled as cache
from agent.policy.compile import compile_site
from agent.policy.document import Source
from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.site import HEAD, content
from tests.bench.world import World
from tests.policy.machine import DEVICE, Machine

LOAD = Promise("load", "load of an unchanged policy of 2,000 lines, CPU", "ms", Budget(5))
COMPILE = Promise("compile", "compile and plan 200 files, CPU", "ms", None)


def document(count: int) -> bytes:
    """A policy with ``count`` files, seven lines each."""
    lines = [HEAD.format(name="many") + "resources:"]
    for number in range(count):
        lines += [
            "  - file:",
            f"      path: /usr/share/bookbag/bench/{number:04}",
            f'      content: "{content(number)}"',
            '      mode: "0644"',
            "      owner: root",
            "      group: root",
            "      # seven lines",
        ]
    return ("\n".join(lines) + "\n").encode()


def measure(world: World) -> Results:
    large = document(285)
    path = str(world.folder / "compiled.json")
    wanted = compile_site([Source("many.yaml", large, "ict")], DEVICE)
    if wanted.refusals:
        raise RuntimeError(f"the policy is not taken: {wanted.refusals[0]}")
    cache.save(path, wanted)

    def load() -> None:
        found = cache.load(path, wanted.fingerprint)
        if found is None or sum(1 for _ in found.items()) != 285:
            raise RuntimeError("the compiled policy did not load")

    loaded, parsed = in_turns(world.rounds(30), load, lambda: yaml.load(large, yaml.CSafeLoader))
    note = f"{len(large.splitlines()):,} lines, {len(large):,} bytes; in one process, imports not counted"
    small = document(200)
    (world.folder / "compile").mkdir()
    with Machine(world.folder / "compile") as machine:
        compiled, parsed_small = in_turns(
            world.rounds(9),
            lambda: _plan(machine, small),
            lambda: yaml.load(small, yaml.CSafeLoader),
        )
    name = "CSafeLoader, the same YAML"
    return {
        LOAD.name: Measured(loaded, {name: parsed}, note),
        COMPILE.name: Measured(compiled, {name: parsed_small}),
    }


def _plan(machine: Machine, data: bytes) -> None:
    made = machine.plan(compile_site([Source("many.yaml", data, "ict")], DEVICE))
    if len([step for step in made.steps if step.id.startswith("file:")]) != 200:
        raise RuntimeError("the plan does not hold 200 files")


def in_turns(rounds: int, *things: Callable[[], object]) -> tuple[Samples, ...]:
    """CPU milliseconds of each, in this process, in turns; the first round warms up."""
    found: list[list[float]] = [[] for _ in things]
    for _ in range(rounds + 1):
        for thing, values in zip(things, found, strict=True):
            began = time.process_time()
            thing()
            values.append((time.process_time() - began) * 1e3)
    return tuple(Samples(tuple(values[1:])) for values in found)


BENCH = Bench("load", (LOAD, COMPILE), measure)
