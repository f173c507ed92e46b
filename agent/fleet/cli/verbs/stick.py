"""Fill a USB stick with the published site for laptops without a network, and collect what they returned on
it.

On the laptop: bookbag sync --from DIR. What is on a stick is signed and sealed: losing one gives nothing
away.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.core import exit_codes
from agent.fleet.cli.context import Context

HELP = "fill a USB stick with the site; collect returns from it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stick's folder."""
    parser.add_argument("dir", metavar="DIR", help="where the stick is mounted")


def run(args: argparse.Namespace, context: Context) -> int:
    """0 if all went, 4 if a return was refused."""
    from agent.fleet import stick

    folder, console = context.folder, context.console
    with folder.locked():
        progress = console.progress("copying", len(stick.published_files(folder)))
        try:
            carried = stick.carry(folder, Path(args.dir).absolute(), progress.step)
        finally:
            progress.close()
    console.say(
        f"{carried.written} files written, {carried.kept} already there, {carried.removed} old ones removed."
    )
    console.say(f"{len(carried.collected)} returns collected.")
    for name, why in carried.refused:
        console.say(f"refused    {name}: {why}", "bad")
    console.say("Now unmount the stick before pulling it out.")
    console.result(
        {
            "written": carried.written,
            "kept": carried.kept,
            "removed": carried.removed,
            "collected": list(carried.collected),
            "refused": [{"name": name, "why": why} for name, why in carried.refused],
        }
    )
    return exit_codes.FAILED if carried.refused else exit_codes.IN_SYNC
