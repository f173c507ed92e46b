"""`bookbag enrol FILE`: make this laptop a member of a school's site, from the file that IT carried here."""

from __future__ import annotations

import argparse
import os
import sys

from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.cli._reply import show
from agent.client import Answer, Client, gather
from agent.core.errors import BookbagError
from agent.core.layout import Layout

SUMMARY = "join a school's site, with the file that IT made for this laptop"
MAX_FILE = 48 << 10  #: bytes: what fits a request to the supervisor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, and how."""
    parser.add_argument("file", metavar="FILE", help="enrol-NAME.json, from the desk")
    parser.add_argument("--again", action="store_true", help="become a new device, though enrolled already")
    parser.add_argument(
        "--look",
        action="store_true",
        help="change nothing until `bookbag pause --end`: first see in `bookbag plan` what is there",
    )


def run(args: argparse.Namespace) -> int:
    """Through the supervisor if one runs, else here, under its lock."""
    layout = layout_of(args)
    text = _read(args.file)
    try:
        answer = Client(layout).enrol(text, again=args.again, look=args.look)
    except BookbagError as problem:
        if problem.code != "not-running":
            raise
        answer = enrol_here(layout, text, again=args.again, look=args.look)
    return show(args, answer, said)


def said(result: dict[str, object]) -> str:
    """What was done, and what comes next."""
    held = "; nothing is changed before `bookbag pause --end`, see `bookbag plan`"
    looks = held if result.get("look") is True else ""
    return terminal.plain(
        f"this laptop now belongs to {result.get('site')}, as device {result.get('device')}; "
        f"the desk learns of it with the next sync and must then assign it{looks}"
    )


def enrol_here(layout: Layout, text: str, *, again: bool, look: bool) -> Answer:
    """Without a supervisor: the worker's own code, in this process, with the supervisor locked out."""
    import json

    from agent.daemon import wiring, worker
    from agent.daemon.lock import Lock

    if not layout.root:
        wiring.check_machine()
    wiring.prepare(layout)
    lock = Lock.take(f"{layout.state}/supervisor.lock")
    try:
        read, write = os.pipe()  # what one enrolment says fits a pipe's buffer
        with os.fdopen(read, "rb") as out:
            try:
                request = json.dumps({"op": "enrol", "file": text, "again": again, "look": look})
                code = worker.run("enrol", layout, request.encode(), write)
            finally:
                os.close(write)
            events = [json.loads(line) for line in out]
        answer = gather([*events, {"event": "exit", "code": code}])
        assert answer is not None  # noqa: S101  # the last event is an exit
        return answer
    finally:
        lock.release()


def _read(path: str) -> str:
    try:
        with open(path, "rb") if path != "-" else open(sys.stdin.fileno(), "rb", closefd=False) as file:
            data = file.read(MAX_FILE + 1)
    except OSError as problem:
        raise BookbagError(
            "not-found",
            f"cannot read the enrol file: {problem.strerror}",
            place=path,
            remedy="name the file that `bookbag-fleet device NAME` wrote at the desk",
        ) from None
    if len(data) > MAX_FILE:
        raise BookbagError(
            "too-large", f"cannot use the enrol file: it has more than {MAX_FILE} bytes", place=path
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BookbagError(
            "bad-json", "cannot use the enrol file: it is not UTF-8 text", place=path
        ) from None
