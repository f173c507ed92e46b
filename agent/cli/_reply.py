"""What verbs do with an answer: errors to standard error, JSON whole, the exit code through."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from agent.cli import _terminal as terminal
from agent.client import Answer


def show(args: argparse.Namespace, answer: Answer, text: Callable[[dict[str, object]], str]) -> int:
    """Print the answer, as JSON or as ``text`` makes of its result; returns its exit code."""
    if args.json:
        whole = dict(answer.result)
        if answer.errors:
            whole["errors"] = [problem.to_dict() for problem in answer.errors]
        whole["exit"] = answer.code
        terminal.print_json(whole)
        return answer.code
    if answer.result:
        said = text(answer.result)
        if said:
            print(said)
    for problem in answer.errors:
        terminal.complain(problem)
    return answer.code
