"""Check the folder, stage what changed, sign with the keys given, and publish everything that has enough
signatures.

What lacks a signature stays staged and is reported: the next person adds theirs with `approve`, or runs
publish too.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context, add_signing

if TYPE_CHECKING:
    from agent.fleet.folder import Folder
    from agent.fleet.wanted import Wanted

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

    folder = context.folder
    if args.persons:
        require_current(folder.root)
    wanted = _wanted(folder)  # before it is checked: what changes meanwhile was not, and is not signed
    found = check_folder(folder, context.now())
    findings = blocking(found, despite_tests=args.despite_tests)
    if findings:
        show_findings(context.console, findings)
        context.console.say("Nothing was published.", "bad")
        context.console.result({"findings": values(findings), "published": []})
        return exit_codes.FAILED
    if isinstance(wanted, BookbagError):
        raise wanted
    keyring = opened(context, wanted)
    with folder.locked():
        if args.persons:
            require_current(folder.root)  # once more: a passphrase may have been looked for since yesterday
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


def _wanted(folder: Folder) -> Wanted | BookbagError:
    """What the folder asks for; the first error of one that is broken, for `check` tells all of them."""
    from agent.fleet.wanted import read_wanted

    try:
        return read_wanted(folder)
    except BookbagError as error:
        return error
