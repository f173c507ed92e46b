"""The sheet of first passwords: slips to cut out, written once, for whoever prints them; never into the
folder, whose history forgets nothing.
"""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.core import durable
from agent.core.errors import BookbagError
from agent.fleet.folder import Folder

_STYLE = (
    "body{font-family:sans-serif}div{border:1px dashed;padding:1em;margin:.5em;break-inside:avoid}"
    "b{font-family:monospace;font-size:1.3em}"
)


@dataclass(frozen=True, slots=True)
class Slip:
    """One student's."""

    laptop: str
    class_: str
    shown: str
    login: str
    password: str = field(repr=False)


def check_place(folder: Folder, path: Path) -> None:
    """Raises ``bad-argument`` for a place in the folder, ``exists`` where something is."""
    real = path.parent.resolve()
    if real.is_relative_to(folder.root.resolve()):
        remedy = "name a file outside of it, print it, and destroy it"
        raise BookbagError(
            "bad-argument", "cannot write passwords into IT's folder", place=str(path), remedy=remedy
        )
    if os.path.lexists(path):
        remedy = "name another file: its passwords may be nowhere else"
        raise BookbagError(
            "bad-argument", "cannot write it: something is there", place=str(path), remedy=remedy
        )
    if not real.is_dir():
        raise BookbagError("bad-argument", "cannot write it: there is no such folder", place=str(path))


def write(path: Path, slips: Sequence[Slip]) -> None:
    """Write it, for its owner's eyes alone: a page to print, or lines of text where the name does not end in
    ``.html``."""
    ordered = sorted(slips, key=lambda one: (one.class_, one.shown, one.login))
    text = (
        _page(ordered)
        if path.suffix.lower() in (".html", ".htm")
        else "\n\n".join(map(_lines, ordered)) + "\n"
    )
    durable.write(str(path), text.encode(), mode=0o600)


def _lines(one: Slip) -> str:
    head = f"{one.shown}, {one.class_}" if one.class_ else one.shown
    return f"{head}\n  laptop    {one.laptop}\n  login     {one.login}\n  password  {one.password}"


def _page(slips: Sequence[Slip]) -> str:
    rows = "\n".join(
        f"<div><p dir=auto>{_esc(one.shown)} {_esc(one.class_)} · {_esc(one.laptop)}</p>"
        f"<p dir=ltr>login <b>{_esc(one.login)}</b><br>password <b>{_esc(one.password)}</b></p></div>"
        for one in slips
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>First passwords</title><style>{_STYLE}</style>\n{rows}\n"
    )


def _esc(text: str) -> str:
    return html.escape(text)
