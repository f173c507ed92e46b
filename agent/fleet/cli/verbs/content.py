"""Learning content: add a folder, an archive or a file as an item, list what there is, look inside, remove,
check.

Adding packs the files and writes content/ROLE/ID.yaml, which is reviewed and published like everything else.
Adding the same item again makes a new version of it, of which laptops fetch only what changed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context, add_common, add_signing

if TYPE_CHECKING:
    from agent.fleet.content.adding import Added, Asked
    from agent.fleet.content.records import ContentRecord

HELP = "add, list, show, remove and check learning content"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-verbs; without one, the list."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="what there is (the default)")
    add = actions.add_parser("add", help="add an item, or a new version of one")
    _add_arguments(add)
    show = actions.add_parser("show", help="one item, and the files in it")
    remove = actions.add_parser("remove", help="withdraw an item; laptops drop it")
    for one in (show, remove):
        one.add_argument("id", metavar="ID")
        one.add_argument("--role", default="", help="whose item, where two roles have one of that id")
    show.add_argument("--files", action="store_true", help="list every file")
    check = actions.add_parser("check", help="read every blob and listing, as a laptop will")
    tidy = actions.add_parser("tidy", help="delete blobs that nothing here needs any more")
    for one in (listing, add, show, remove, check, tidy):
        add_common(one, inner=True)
    for one in (add, remove):
        add_signing(one)


def _add_arguments(add: argparse.ArgumentParser) -> None:
    add.add_argument(
        "path", metavar="PATH", nargs="?", help="a folder, a zip of pages, an EPUB, a PDF, a video…"
    )
    add.add_argument("--id", default="", help="what it is called in files and addresses (default: from PATH)")
    add.add_argument("--role", default="", help="the role that publishes it (default: the only one that may)")
    add.add_argument(
        "--title", metavar="LANG=TEXT", action="append", default=[], help="its title; once for each language"
    )
    add.add_argument("--lang", help="the language it is in, such as ar or pt-BR (default: as its pages say)")
    add.add_argument("--subject", help="such as mathematics")
    add.add_argument("--grade", action="append", help="whom it suits; may be given more than once")
    add.add_argument(
        "--audience",
        metavar="KEY=VALUE",
        action="append",
        nargs="+",
        help="school=…, year=… or class=…: only these laptops get it (default: all)",
    )
    add.add_argument("--everybody", action="store_true", help="all laptops get it (again)")
    add.add_argument("--licence", help="such as CC-BY-4.0")
    add.add_argument("--due", metavar="DATE", help="needed by then: fetched before what is not due")
    add.add_argument("--pin", action=argparse.BooleanOptionalAction, help="never dropped to make room")
    add.add_argument("--entry", metavar="FILE", default="", help="the file to open first")
    add.add_argument("--without-links", action="store_true", help="leave links out instead of refusing them")


def run(args: argparse.Namespace, context: Context) -> int:
    """Dispatch to the sub-verb."""
    action = args.action or "list"
    if action in ("list", "show", "check"):
        return _ACTIONS[action](args, context)
    with context.folder.locked():
        code = _ACTIONS[action](args, context)
    return _publish(args, context, code)


def _publish(args: argparse.Namespace, context: Context, code: int) -> int:
    """With ``--as``, what was changed is published at once."""
    if code or not getattr(args, "persons", None):
        return code
    from agent.fleet.cli.verbs import publish

    return publish.run(args, context)


def _list(args: argparse.Namespace, context: Context) -> int:
    from agent.content.sizes import spelled
    from agent.fleet.content import records

    folder = context.folder
    rows, listed = [], []
    for role in records.roles(folder):
        for name in records.ids(folder, role):
            record = records.load(folder, role, name)
            rows.append(
                [
                    record.id,
                    role,
                    _title(record),
                    record.lang,
                    record.form,
                    spelled(record.stored),
                    _audience(record) + (", pinned" if record.pin else ""),
                ]
            )
            listed.append(_value(role, record))
    context.console.table(rows, head=["item", "role", "title", "lang", "form", "to fetch", "for"])
    if not rows:
        context.console.say("No content yet. Add some: bookbag-fleet content add PATH")
    context.console.result({"content": listed})
    return exit_codes.IN_SYNC


def _add(args: argparse.Namespace, context: Context) -> int:
    from agent.fleet.content.adding import add

    path = _path(args)
    bar = _Bar(context)
    try:
        added = add(context.folder, Path(path).absolute(), _asked(args), bar.show)
    finally:
        bar.close()
    _report(added, context)
    return exit_codes.IN_SYNC


def _report(added: Added, context: Context) -> None:
    from agent.content.sizes import spelled

    console, record = context.console, added.record
    if added.before is None:
        console.say(f"Added {record.id}: {_title(record)} ({record.form}, {record.files} files).")
        console.say(f"{spelled(record.size)} are packed into {spelled(record.stored)}.")
    elif added.changed:
        console.say(f"Version {record.version} of {record.id}: {record.files} files.")
        if added.rebuilt:
            console.warn("the former version's files were not here: laptops fetch all of it anew")
        console.say(f"A laptop that has the former version fetches {spelled(added.packed.fresh)}.")
    else:
        console.say(f"The files of {record.id} are as they were.")
    for path in added.left_out[:10]:
        console.warn(f"a link was left out: {path}")
    if len(added.left_out) > 10:
        console.warn(f"and {len(added.left_out) - 10} more")
    console.say(f"It is offered once it is published: bookbag-fleet publish --as an editor of {added.role}")
    console.result(
        {
            **_value(added.role, record),
            "changed": added.changed,
            "fetch": added.packed.fresh,
            "left-out": list(added.left_out),
        }
    )


def _show(args: argparse.Namespace, context: Context) -> int:
    from agent.content.sizes import spelled
    from agent.content.version import read_files, read_manifest
    from agent.fleet.content import records
    from agent.fleet.content.store import Store

    folder, console = context.folder, context.console
    role, record = records.find(folder, args.id, args.role)
    console.table(
        [
            ["item", f"{record.id} of {role}, version {record.version}"],
            *[[f"title ({lang})", text] for lang, text in sorted(record.title.items())],
            ["language", record.lang or "not known"],
            ["opens", f"{record.form}: {record.entry}"],
            ["size", f"{spelled(record.size)} in {record.files} files; {spelled(record.stored)} to fetch"],
            ["for", _audience(record)],
            ["licence", record.licence or "not written down"],
        ]
    )
    listed: list[dict[str, object]] = []
    if args.files:
        blobs = Store(folder).blobs
        rows = []
        for file in read_files(blobs, read_manifest(blobs, record.manifest)):
            rows.append([f"  {file.path}", str(file.size), file.lang or record.lang, file.title])
            listed.append({"path": file.path, "size": file.size, "sha256": file.sha256, "title": file.title})
        console.table(rows)
    console.result({**_value(role, record), **({"listing": listed} if args.files else {})})
    return exit_codes.IN_SYNC


def _remove(args: argparse.Namespace, context: Context) -> int:
    from agent.fleet.content import records

    folder = context.folder
    role, record = records.find(folder, args.id, args.role)
    (folder.root / records.TOP / role / f"{record.id}.yaml").unlink()
    context.console.say(f"{record.id} is withdrawn once the catalogue is published; laptops then drop it.")
    context.console.result({"id": record.id, "role": role})
    return exit_codes.IN_SYNC


def _check(args: argparse.Namespace, context: Context) -> int:
    from agent.fleet.cli.findings import show_findings, values
    from agent.fleet.content.checking import check, check_bytes

    folder = context.folder
    findings = [*check(folder, folder.site(), folder.devices()), *check_bytes(folder)]
    show_findings(context.console, findings)
    if not findings:
        context.console.say("Nothing is wrong with the content.", "good")
    context.console.result({"findings": values(findings)})
    return exit_codes.FAILED if findings else exit_codes.IN_SYNC


def _tidy(args: argparse.Namespace, context: Context) -> int:
    from agent.content.sizes import spelled
    from agent.fleet.content import records
    from agent.fleet.content.store import Store

    folder = context.folder
    items = [
        records.load(folder, role, name).offered()
        for role in records.roles(folder)
        for name in records.ids(folder, role)
    ]
    count, size = Store(folder).tidy(items)
    context.console.say(f"{count} blobs deleted, {spelled(size)}.")
    context.console.result({"deleted": count, "bytes": size})
    return exit_codes.IN_SYNC


_ACTIONS = {"list": _list, "add": _add, "show": _show, "remove": _remove, "check": _check, "tidy": _tidy}


class _Bar:
    """One progress line, for whatever is being done."""

    def __init__(self, context: Context) -> None:
        self._console = context.console
        self._what = ""
        self._bar = context.console.progress("", 1)
        self._done = 0

    def show(self, what: str, done: int, of: int) -> None:
        """How far ``what`` is, in bytes."""
        if what != self._what:
            self.close()
            self._what, self._done = what, 0
            self._bar = self._console.progress(f"{what} (KiB)", max(of, done) >> 10)
        self._bar.step((done >> 10) - (self._done >> 10))
        self._done = done

    def close(self) -> None:
        """Remove it."""
        self._bar.close()


def _asked(args: argparse.Namespace) -> Asked:
    from agent.fleet.content.adding import Asked

    audience = _pairs([one for group in args.audience or [] for one in group], "--audience")
    return Asked(
        id=args.id,
        role=args.role,
        title={lang: texts[-1] for lang, texts in _pairs(args.title, "--title").items()},
        lang=_language(args.lang),
        subject=args.subject,
        grade=tuple(args.grade) if args.grade is not None else None,
        licence=args.licence,
        pin=args.pin,
        due=args.due,
        audience={} if args.everybody else (audience or None),
        entry=args.entry,
        without_links=args.without_links,
    )


def _path(args: argparse.Namespace) -> str:
    """What to add. ``--audience`` takes all words after it, so a PATH written there is among them. Raises
    ``bad-argument`` if there is none."""
    if args.path is None:
        for group in args.audience or []:
            if "=" not in group[-1]:
                return str(group.pop())
        raise BookbagError(
            "bad-argument", "cannot tell what to add", remedy="name a PATH: a folder, an archive or a file"
        )
    return str(args.path)


def _pairs(words: Sequence[str], option: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or not value.strip():
            example = "en=Rivers" if option == "--title" else "year=9"
            raise BookbagError(
                "bad-argument", f"cannot take {option} {word!r}", remedy=f"write {option} {example}"
            )
        found[key] = (*found.get(key, ()), value.strip())
    return found


def _language(tag: str | None) -> str | None:
    from agent.content.languages import is_language

    if tag and not is_language(tag):
        raise BookbagError("bad-argument", f"cannot take --lang {tag!r}", remedy="a tag such as ar or pt-BR")
    return tag


def _title(record: ContentRecord) -> str:
    return record.title.get(record.lang) or next(iter(record.title.values()), record.id)


def _audience(record: ContentRecord) -> str:
    parts = [f"{key} {' or '.join(values)}" for key, values in sorted(record.audience.items())]
    return ", ".join(parts) or "all laptops"


def _value(role: str, record: ContentRecord) -> dict[str, object]:
    from agent.core import schema

    return {"role": role, **schema.encode(record)}
