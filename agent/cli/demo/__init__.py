"""`bookbag demo`: a school of twelve laptops, from IT's first signature to the last policy withdrawn, in one
folder; nothing outside it is touched and no root is needed.

Each ✓ is the word of `judge`, a process of its own that reads the disk. ``--sabotage N`` breaks something in
step N.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import tempfile
import time

from agent.cli.demo.stage import Claim, Stage
from agent.cli.demo.steps import STEPS
from agent.cli.demo.telling import Telling
from agent.core import exit_codes
from agent.core.errors import BookbagError

#: What is claimed comes true within seconds, on a machine that has nothing else to do. Where a step is
#: sabotaged nobody needs to wait as long.
PATIENCE_SECONDS = 60.0
SABOTAGED_SECONDS = 3.0
SUMMARY = "a school of twelve laptops in a folder, from the first signature to the last; nothing else touched"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to break, and whether to leave it running."""
    parser.add_argument(
        "--sabotage",
        type=int,
        default=0,
        metavar="N",
        choices=range(1, len(STEPS) + 1),
        help=f"break something in step N (1 to {len(STEPS)}): the demonstration must show ✗ there and exit 4",
    )
    parser.add_argument("--small", action="store_true", help="three laptops instead of twelve")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave all of it running until Ctrl-C, to be a student, IT, or a thief, and keep the folder",
    )


def run(args: argparse.Namespace) -> int:
    """Play every step, judge each; 0 if all hold, 4 at the first that does not."""
    for ending in (
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # as Ctrl-C: the laptops' agents must not outlive their story
        signal.signal(ending, signal.default_int_handler)
    folder = tempfile.mkdtemp(prefix="bookbag-demo-")
    telling = Telling(folder, as_json=args.json)
    try:
        with Stage(folder, small=args.small, stays=args.keep) as stage:
            telling.begin(len(stage.laptops))
            for number in range(1, len(STEPS) + 1):
                telling.step(number)
                if not _play(stage, telling, number, broken=number == args.sabotage):
                    break
            code = exit_codes.IN_SYNC if telling.held == len(STEPS) else exit_codes.FAILED
            telling.end(code, sabotage=args.sabotage, stays=args.keep)
            if args.keep and code == exit_codes.IN_SYNC:
                telling.invite(stage)
                _until_interrupted()
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return code


def _play(stage: Stage, telling: Telling, number: int, *, broken: bool) -> bool:
    """One step, each of its claims judged as soon as it is made; whether all hold."""
    try:
        for claim in STEPS[number - 1](stage, broken):
            ok, evidence = _judged(stage, claim, SABOTAGED_SECONDS if broken else PATIENCE_SECONDS)
            telling.claim(claim, ok, evidence)
            if not ok:
                return False
    except (
        BookbagError,
        OSError,
        ValueError,
        KeyError,
    ) as problem:  # it could not be played: it does not hold
        telling.failed(STEPS[number - 1].__doc__ or "", str(problem))
        return False
    telling.done()
    return True


def _judged(stage: Stage, claim: Claim, patience: float) -> tuple[bool, str]:
    """The judge's word; asked again while it is no, for ``patience`` seconds."""
    end = time.monotonic() + patience
    while True:
        ok, evidence = stage.judge(claim)
        if ok or time.monotonic() > end:
            return ok, evidence
        time.sleep(0.5)


def _until_interrupted() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return
