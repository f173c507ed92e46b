"""Bringing what root listed into flatpak's own repository, and installing nothing: by flatpak itself, in a
unit that has the network and may write there alone.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress

from agent.core import durable, jsontext
from agent.core.errors import BookbagError
from agent.host.flatpaks import check_source, parts
from agent.host.linux.flatpak_tree import PROGRAM, FlatpakTree
from agent.host.processes import run
from agent.host.tree_files import READ

#: Seconds for one application, which on a slow line takes hours; what came of it is there the next time. Four
#: of them are what the unit has.
LONGEST = 3 * 3600.0
#: Bytes that stay free: a runtime alone takes as much.
ROOM = 2 << 30
#: What is said of one while it is fetched, so that it is not the first again when that ends everything.
CUT_OFF = "fetching it was cut off"
MOST = 100  #: applications
_MOST_BYTES = 1 << 20


def list_path(place: str) -> str:
    """What is to be fetched."""
    return f"{place}/fetch.json"


def said_path(place: str) -> str:
    """What came of it."""
    return f"{place}/fetched/said.json"


def write_list(place: str, wanted: Mapping[str, str]) -> None:
    """``wanted``: application → source; fetched in this order."""
    rows = [{"application": name, "source": source} for name, source in wanted.items()]
    durable.make_directories(place, mode=0o711)
    with suppress(OSError):  # of what was fetched for others
        os.unlink(said_path(place))
    durable.write(list_path(place), json.dumps({"v": 1, "fetch": rows}).encode())


def read_said(place: str) -> Mapping[str, str]:
    """Application → why it could not be fetched; "": it could."""
    rows = _read(said_path(place)).get("said")
    return {str(name): str(why)[:500] for name, why in rows.items()} if isinstance(rows, dict) else {}


def fetch(place: str, tree: FlatpakTree) -> Mapping[str, str]:
    """Fetch what is listed in ``place``; gives, and writes down, what came of each."""
    said: dict[str, str] = {}
    durable.make_directories(os.path.dirname(said_path(place)), mode=0o700)
    for name, source in _listed(place):
        _say(place, {**said, name: CUT_OFF})
        said[name] = _fetch(tree, name, source)
        _say(place, said)
    return said


def command(verb: str, *words: str) -> tuple[str, ...]:
    """Never asks anybody anything, and is about what all people have."""
    return (PROGRAM, verb, "--system", "--noninteractive", "--assumeyes", *words)


def _say(place: str, said: Mapping[str, str]) -> None:
    durable.write(said_path(place), json.dumps({"v": 1, "said": said}).encode())


def _fetch(tree: FlatpakTree, name: str, source: str) -> str:
    try:
        full = tree.full("app", *parts(name))
        check_source(source)
        if tree.free() < ROOM:
            return f"less than {ROOM >> 30} GB are free"
        ended = run(
            command("install", "--no-deploy", source, full), timeout=LONGEST, environment=tree.environment
        )
    except BookbagError as error:
        return error.message
    return "" if ended.status == 0 else complaint(ended.errors) or "flatpak does not say why"


def complaint(errors: bytes) -> str:
    """The first that flatpak says is wrong; warnings before it are none."""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    first = next((line for line in lines if line.startswith("error:")), lines[-1] if lines else "")
    return first.removeprefix("error:").strip()[:300]


def _listed(place: str) -> Iterator[tuple[str, str]]:
    rows = _read(list_path(place)).get("fetch")
    for row in rows[:MOST] if isinstance(rows, list) else ():
        if isinstance(row, dict):
            yield str(row.get("application")), str(row.get("source"))


def _read(path: str) -> dict[str, object]:
    """What the other unit may have put there."""
    try:
        with open(os.open(path, READ), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return {}
            found = jsontext.parse(file.read(_MOST_BYTES), what=path, max_bytes=_MOST_BYTES)
    except (OSError, BookbagError):
        return {}
    return found if isinstance(found, dict) else {}
