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
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--content", metavar="ID", action="append", help="take only this item of content along (repeatable)"
    )
    which.add_argument("--no-content", action="store_true", help="leave learning content out")


def run(args: argparse.Namespace, context: Context) -> int:
    """0 if all went, 4 if a return was refused."""
    from agent.content.sizes import spelled
    from agent.fleet import stick
    from agent.fleet.content import carrying

    folder, console = context.folder, context.console
    target = Path(args.dir).absolute()
    with folder.locked():
        stick.require(folder, target)
        load = carrying.load(folder, target, () if args.no_content else args.content)
        if load.missing:
            console.say(f"{spelled(load.missing)} of learning content are to be copied.")
        progress = console.progress("copying (KiB)", load.missing >> 10)
        try:
            written, removed = carrying.carry(folder, target, load, lambda size: progress.step(size >> 10))
        finally:
            progress.close()
        progress = console.progress("copying", len(stick.published_files(folder)))
        try:
            carried = stick.carry(folder, target, context.now, progress.step)
        finally:
            progress.close()
    console.say(f"{written} blobs of learning content written, {removed} old ones removed.")
    console.say(
        f"{carried.written} files written, {carried.kept} already there, {carried.removed} old ones removed."
    )
    console.say(f"Returns collected: {len(carried.collected)}.")
    for name, why in carried.refused:
        console.say(f"refused    {name}: {why}", "bad")
    console.say("Now unmount the stick before pulling it out.")
    console.result(
        {
            "blobs": {"written": written, "removed": removed, "bytes": load.missing, "of": len(load.blobs)},
            "written": carried.written,
            "kept": carried.kept,
            "removed": carried.removed,
            "collected": list(carried.collected),
            "refused": [{"name": name, "why": why} for name, why in carried.refused],
        }
    )
    return exit_codes.FAILED if carried.refused else exit_codes.IN_SYNC
