"""``public/content.json``: which of the verified learning content is meant for this laptop, written by root
for the content worker, which knows nothing of signatures.

Who a laptop is to its school is decided by its signed assignment alone; what is in no verified catalogue any
more is in this file no more, and is then dropped.
"""

from __future__ import annotations

from agent.content.bounds import MOST_ITEMS
from agent.content.wishes import MOST_OTHERS, NAME, Other, Wish, Wishes, begin, to_bytes
from agent.core import durable
from agent.core.errors import BookbagError
from agent.daemon.machine import Machine
from agent.daemon.worker import Context
from agent.trust.catalogue import CatalogueItem
from agent.trust.generation import load_generation
from agent.trust.verified import Verified
from agent.trust.view import SiteView


def publish(context: Context, machine: Machine) -> None:
    """Bring the file up to date with the generation in force. A full disk is logged and costs nothing
    else."""
    if not machine.enforced.generation:
        return
    path = f"{context.layout.public}/{NAME}"
    of = f"{machine.enforced.generation} {machine.enforced.device}"
    if _is_of(path, of):
        return
    try:
        word = load_generation(machine.folder(machine.enforced.generation))
        data = to_bytes(offered(word, of))
        if not _same(path, data):
            durable.write(path, data, mode=0o644)
    except (OSError, BookbagError) as problem:
        context.log("warning", f"cannot say which learning content is meant for this laptop: {problem}")


def offered(word: Verified[SiteView], of: str) -> Wishes:
    """What a verified word offers to this laptop, and what it offers to others."""
    view = word.value
    held = view.assignment
    groups = {"school": held.school, "year": held.year, "class": held.class_} if held else {}
    mine, others = [], []
    for one in view.catalogues:
        for item in one.catalogue.items:
            if item.is_for(groups):
                mine.append(_wish(one.role, item))
            else:
                others.append(Other(item.id, one.role, dict(item.title)))
    return Wishes(of, tuple(mine[:MOST_ITEMS]), tuple(others[:MOST_OTHERS]))


def _wish(role: str, item: CatalogueItem) -> Wish:
    return Wish(
        id=item.id,
        role=role,
        manifest=item.manifest,
        manifest_size=item.manifest_size,
        size=item.size,
        stored=item.stored,
        files=item.files,
        title=dict(item.title),
        form=item.form,
        lang=item.lang,
        subject=item.subject,
        grade=item.grade,
        licence=item.licence,
        pin=item.pin,
        due=item.due,
    )


def _is_of(path: str, of: str) -> bool:
    """Whether the file was made from exactly this; its beginning says so."""
    wanted = begin(of)
    try:
        with open(path, "rb") as file:
            return file.read(len(wanted)) == wanted
    except OSError:
        return False


def _same(path: str, data: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(data) + 1) == data
    except OSError:
        return False
