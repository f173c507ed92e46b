"""Write the browser settings of this folder for laptops that Bookbag does not look after: Windows registry
files, Microsoft Intune profiles, and JSON for the Google Admin console; one file for each group.

They hold what laptops with Linux get of the same policies. What a form cannot say is told.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.fleet.cli.console import Console
from agent.fleet.cli.context import Context

if TYPE_CHECKING:
    from agent.fleet.export.making import Made
    from agent.fleet.export.output import Written

HELP = "write browser settings for other laptops: Windows, Intune, Google"
_NEXT = {
    "reg": "on Windows, as administrator: reg import FILE; remove.reg takes everything away again. Chrome and"
    " Edge follow home page and search engine only where a domain or a management owns the laptop.",
    "intune": "give Intune chrome.admx, msedge.admx and firefox.admx once, as Chrome, Edge and Firefox; then "
    "POST FILE to https://graph.microsoft.com/v1.0/deviceManagement/deviceConfigurations.",
    "google": "paste FILE in the Admin console, Chrome browser > Custom configurations, for the group's "
    "enrolled browsers. What the console has a switch of its own for it wants set there, and says so.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom, how, and where to."""
    parser.add_argument(
        "--for",
        dest="groups",
        metavar="GROUP",
        action="append",
        default=[],
        help="school=NAME,year=9,class=9a, or device=NAME; may be given more than once (default: every group "
        "that a laptop is assigned to)",
    )
    parser.add_argument(
        "--format", choices=(*_NEXT, "all"), default="all", help="which form (default: all of them)"
    )
    parser.add_argument(
        "--output", metavar="DIR", required=True, help="the folder to write to; made if it is not there"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """0 if the files are written, 4 if the folder has errors."""
    from agent.fleet import policies
    from agent.fleet.checking import blocking, check_folder
    from agent.fleet.cli.findings import show_findings, values
    from agent.fleet.export import groups, making, output
    from agent.fleet.export.gathering import gather

    folder, console = context.folder, context.console
    target = Path(args.output).absolute()
    output.require(folder, target)
    findings = blocking(check_folder(folder, context.now()))
    if findings:
        show_findings(console, findings)
        console.say("Cannot export while the folder has errors.", "bad")
        console.result({"findings": values(findings)})
        return exit_codes.FAILED
    site = folder.site()
    chosen = groups.wanted(args.groups, site, folder.devices())
    forms = [name for name in making.FORMS if args.format in (name, "all")]
    progress = console.progress("compiling", len(chosen))
    try:
        made = making.make(gather(policies.sources(folder, site), chosen), forms, progress.step)
    finally:
        progress.close()
    whole = () if args.groups else tuple(making.FORMS[name][0] for name in forms)
    with folder.locked():
        done = output.write(target, made.files, whole)
    _show(console, made, done)
    for name in forms:
        console.say(f"{name}: {_NEXT[name]}")
    console.result(_value(made, done))
    return exit_codes.IN_SYNC


def _show(console: Console, made: Made, done: Written) -> None:
    for name in done.written:
        console.say(f"written  {name}", "good")
    for name in done.removed:
        console.say(f"removed  {name}: there is no such group any more")
    console.say(f"{len(done.written)} written, {len(done.kept)} already so, {len(done.removed)} removed.")
    if made.left:
        console.say("Left out:", "warn")
        console.table([[f"  {one.setting}", one.where, one.why] for one in made.left])
    if made.elsewhere:
        console.say(f"Not about browsers, for laptops with Bookbag only: {', '.join(sorted(made.elsewhere))}")


def _value(made: Made, done: Written) -> dict[str, object]:
    return {
        "written": list(done.written),
        "kept": list(done.kept),
        "removed": list(done.removed),
        "left-out": [
            {"setting": one.setting, "where": one.where, "why": one.why, "groups": names}
            for one, names in made.left.items()
        ],
        "not-browsers": sorted(made.elsewhere),
    }
