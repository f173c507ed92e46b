"""Make IT's folder for a new site: people, keys, certificates, roles, and the first repository, ready to
sign and publish."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.core import exit_codes
from agent.fleet.cli.context import Context, add_passphrase
from agent.store import atomic

HELP = "make IT's folder for a new site"

_PAPER = """\
# Paper key of {person}, site {site}
#
# What this is: the key of the second person, who decides together with IT whom the school's laptops obey.
# Whatever runs with full rights on laptops, and every change of persons, needs this signature beside IT's.
# The head of school keeps it apart from IT's keys. Whoever holds only one of the
# two cannot take the laptops over.
#
# To sign: type the groups below into a file {person}.paper.txt on a stick (lines with # are ignored), then
#   bookbag-fleet approve --list
#   bookbag-fleet approve --as {person} --keys STICK
# If it is lost: two of the other holders replace it; if there are none, the laptops must be enrolled anew.

{key}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the site is."""
    parser.add_argument("dir", metavar="DIR", help="a new or empty folder")
    parser.add_argument("--site", required=True, metavar="NAME", help="the site's id, such as north")
    parser.add_argument(
        "--url",
        dest="urls",
        required=True,
        action="append",
        metavar="URL",
        help="where laptops will find it, such as https://bookbag.north.example:8443/ (repeatable)",
    )
    parser.add_argument(
        "--profile",
        choices=("three-admin", "one-admin"),
        default="three-admin",
        help="one-admin: the second person's key is printed for the head of school",
    )
    parser.add_argument(
        "--connectivity",
        choices=("connected", "mixed", "sneakernet"),
        default="connected",
        help="sneakernet: news comes by stick, so what is published stays fresh for 45 days",
    )
    parser.add_argument(
        "--person",
        dest="persons",
        action="append",
        required=True,
        metavar="ID",
        help="a person who decides for the site (repeatable; three-admin needs three)",
    )
    parser.add_argument(
        "--language",
        dest="languages",
        action="append",
        metavar="CODE",
        help="languages that reasons are written in (default: en)",
    )
    parser.add_argument(
        "--fleet-size", type=int, default=100, metavar="N", help="about how many laptops (100)"
    )
    parser.add_argument("--template", metavar="NAME", help="begin with policies for this kind of school")
    parser.add_argument("--paper", metavar="FILE", help="with one-admin: where the paper key goes")
    add_passphrase(parser.add_argument_group("signing"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Make it."""
    from agent.fleet.beginning import Beginning, begin

    target = Path(args.dir).absolute()
    asked = Beginning(
        site=args.site,
        urls=tuple(args.urls),
        profile=args.profile,
        connectivity=args.connectivity,
        persons=tuple(args.persons),
        languages=tuple(args.languages or ["en"]),
        fleet_size=max(0, args.fleet_size),
        template=args.template,
    )
    begun = begin(target, asked, context.passphrases, context.now())
    console = context.console
    console.say(f"Site {args.site} begun in {target}", "good")
    console.say(
        "  keys/online/ stays on the machine that publishes (git ignores it); all else may go into git."
    )
    for policy in begun.policies:
        console.say(f"  {policy}: adapt it, above all owner and review-by")
    if begun.policies:
        console.say("  tests/: what laptops shall get of them, which bookbag-fleet check looks at every time")
    paper = None
    if begun.paper is not None:
        person, key = begun.paper
        paper = Path(args.paper).absolute() if args.paper else target.parent / f"{person}.paper.txt"
        text = _PAPER.format(person=person, site=args.site, key=key)
        atomic.write(str(paper), text.encode(), mode=0o600)
        console.say()
        console.say(text)
        console.say(
            f"Written to {paper}. Print it, sign as below, give it to {person}, then delete that file.",
            "warn",
        )
    console.say()
    console.say("Next: look at `bookbag-fleet plan`, then sign with two persons:")
    keys = f" --keys {paper.parent}" if paper else ""  # the paper key lies outside IT's folder
    console.say(f"  bookbag-fleet publish --as {args.persons[0]} --as {args.persons[1]}{keys}")
    console.result(
        {
            "folder": str(target),
            "site": args.site,
            "policies": list(begun.policies),
            "paper": str(paper) if paper else None,
        }
    )
    return exit_codes.IN_SYNC
