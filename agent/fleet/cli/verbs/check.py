"""Look at the whole folder, run the tests in tests/ on its policies, and list everything that is wrong, each
with its place and what to do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.fleet.cli.context import Context
from agent.fleet.cli.findings import show_findings, values

if TYPE_CHECKING:
    from agent.fleet.policytests import Tested

HELP = "list everything that is wrong with the folder, and run the tests of its policies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing of its own."""


def run(args: argparse.Namespace, context: Context) -> int:
    """0 if nothing is wrong, notices aside; 4 if something is."""
    from agent.fleet.checking import blocking, check_all

    checked = check_all(context.folder, context.now())
    findings, tested = checked.findings, checked.tested
    show_findings(context.console, findings)
    errors = len(blocking(findings))
    if tested.files:
        context.console.say(_told(tested), "bad" if tested.failures else "")
    if findings:
        context.console.say(f"{_many(errors, 'error')}, {_many(len(findings) - errors, 'notice')}")
    else:
        context.console.say("Nothing is wrong.", "good")
    context.console.result({"findings": values(findings), "errors": errors, "tests": _value(tested)})
    return exit_codes.FAILED if errors else exit_codes.IN_SYNC


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _told(tested: Tested) -> str:
    counted = f"{_many(tested.tests, 'test')}, {_many(tested.expectations, 'expectation')}"
    if not tested.ran:
        return f"{counted}: not run, because of the errors above"
    failed = len(tested.failures)
    return (
        f"{counted}: {f'{failed} do not hold' if failed > 1 else '1 does not hold' if failed else 'all hold'}"
    )


def _value(tested: Tested) -> dict[str, object]:
    return {
        "files": tested.files,
        "tests": tested.tests,
        "expectations": tested.expectations,
        "ran": tested.ran,
        "failures": [
            {
                "place": one.place,
                "about": one.about,
                "laptop": one.laptop,
                "key": one.key,
                "expected": one.expected,
                "got": one.got,
                "policy": one.policy or None,
                "decided-at": one.decided_at or None,
            }
            for one in tested.failures
        ],
    }
