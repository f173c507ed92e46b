"""Check the folder, stage what changed, sign with the keys given, and publish everything that has enough
signatures.

What lacks a signature stays staged and is reported: the next person adds theirs with `approve`, or runs
publish too.
"""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.fleet.cli.context import Context, add_signing

HELP = "check, sign and publish"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who signs, and in spite of what."""
    add_signing(parser)
    parser.add_argument(
        "--despite-tests", action="store_true", help="publish although tests/ fail, as in an emergency"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Publish; 0 only if all of the folder is now in force, 4 if something is not."""
    from agent.fleet import publication, publiclog
    from agent.fleet.checking import blocking, check_folder
    from agent.fleet.cli.findings import show_findings, values
    from agent.fleet.cli.outcomes import report
    from agent.fleet.cli.signing import opened, require_same
    from agent.fleet.upstream import require_current
    from agent.fleet.wanted import read_wanted

    folder = context.folder
    if args.persons:
        require_current(folder.root)
    found = check_folder(folder, context.now())
    findings = blocking(found, despite_tests=args.despite_tests)
    if findings:
        show_findings(context.console, findings)
        context.console.say("Nothing was published.", "bad")
        context.console.result({"findings": values(findings), "published": []})
        return exit_codes.FAILED
    wanted = read_wanted(folder)
    keyring = opened(context, wanted)
    with folder.locked():
        require_same(folder, wanted)
        progress = context.console.progress("sealing", len(folder.stems("devices")))
        try:
            outcome = publication.publish(
                folder, wanted, keyring, args.persons, context.now(), step=progress.step
            )
        finally:
            progress.close()
    return report(
        context.console,
        outcome,
        [one for one in found if one.code in ("overdue", "unexpected") or one.place == publiclog.FILE],
    )
