"""`bookbag demo`: the whole path, from IT's signature to a healed file, on a laptop in a folder; nothing
outside it is touched and no root is needed.

Each ✓ is the word of `judge`, a process of its own that reads the disk. ``--sabotage N`` breaks something in
step N.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time

from agent.cli import _terminal as terminal
from agent.cli.demo.stage import Stage
from agent.cli.demo.steps import STEPS, Claim, Step
from agent.core import exit_codes
from agent.core.errors import BookbagError

SUMMARY = "show all of this at work on a laptop in a folder, nothing else touched"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to break, and whether to keep the folder."""
    parser.add_argument(
        "--sabotage",
        type=int,
        default=0,
        metavar="N",
        choices=range(1, len(STEPS) + 1),
        help=f"break something in step N (1 to {len(STEPS)}): the demonstration must show ✗ there and exit 4",
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder afterwards, to look around")


def run(args: argparse.Namespace) -> int:
    """Play every step, judge each; 0 if all hold, 4 at the first that does not."""
    folder = tempfile.mkdtemp(prefix="bookbag-demo-")
    began = time.monotonic()
    results: list[dict[str, object]] = []
    show = (lambda text: None) if args.json else print
    show(f"One school, one laptop in {folder}; nothing outside it is touched.\n")
    try:
        with Stage(folder) as stage:
            for number, step in enumerate(STEPS, 1):
                results.append(_play(stage, number, step, broken=number == args.sabotage))
                show(_line(results[-1]))
                if not results[-1]["ok"]:
                    break
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    held = sum(1 for result in results if result["ok"])
    code = exit_codes.IN_SYNC if held == len(STEPS) else exit_codes.FAILED
    seconds = time.monotonic() - began
    if args.json:
        terminal.print_json(
            {"steps": results, "held": held, "of": len(STEPS), "ms": int(seconds * 1000), "exit": code}
        )
    if args.sabotage and not all(result["ok"] for result in results[args.sabotage - 1 :]):
        show(f"\nStep {args.sabotage} was broken on purpose, and it was noticed.")
    show(
        f"\n{held} of {len(STEPS)} hold, in {seconds:.0f} s."
        + (f" Look around in {folder}" if args.keep else "")
    )
    return code


def _play(stage: Stage, number: int, step: Step, *, broken: bool) -> dict[str, object]:
    began = time.monotonic()
    try:
        claim: Claim = step(stage, broken)
        ok, evidence = stage.judge(claim.check, **claim.arguments)
        said = claim.said
    except (BookbagError, OSError, ValueError) as problem:  # a step that could not be played does not hold
        ok, evidence, said = False, str(problem), (step.__doc__ or "").strip()
    return {
        "step": number,
        "ok": ok,
        "said": said,
        "evidence": evidence,
        "ms": int((time.monotonic() - began) * 1000),
    }


def _line(result: dict[str, object]) -> str:
    mark = terminal.paint("✓", "green") if result["ok"] else terminal.paint("✗", "red")
    evidence = terminal.paint(f"      judged: {terminal.plain(result['evidence'])}", "dim")
    return f" {result['step']} {mark}  {result['said']}\n{evidence}"
