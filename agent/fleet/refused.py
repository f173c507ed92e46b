"""``returns/refused/``: what came back and cannot be believed, out of the way of what can. Somebody may want
to look at it, so it is kept, but never much of it: the oldest makes room.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from agent.core import durable
from agent.core.errors import BookbagError
from agent.fleet.folder import Folder

REFUSED = "refused"
MOST = 1000  #: files
#: What is wrong with a return that no other day or newer Bookbag will mend.
FOR_GOOD = frozenset(
    {
        "already-done",
        "bad-envelope",
        "bad-json",
        "bad-path",
        "bad-signature",
        "not-found",
        "too-large",
        "wrong-device",
    }
)
MOST_BYTES = 64 << 20


def set_aside(folder: Folder, names: Sequence[str]) -> None:
    """Move these returns there. Safe to repeat; what cannot be moved stays, and is told of again."""
    if not names:
        return
    place = folder.returns / REFUSED
    folder.make_dir(place)
    for name in names:
        with contextlib.suppress(OSError):
            os.rename(folder.returns / name, place / name)
    _make_room(str(place))
    durable.sync_directory(str(place))
    durable.sync_directory(str(folder.returns))


def was_refused(folder: Folder, name: str, data: bytes) -> bool:
    """Whether exactly this lies there."""
    try:
        return folder.read(folder.returns / REFUSED / name, most=len(data)) == data
    except BookbagError:
        return False


def _make_room(place: str) -> None:
    found = []
    with os.scandir(place) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if not entry.is_dir(follow_symlinks=False):
                found.append((status.st_mtime_ns, entry.name, status.st_size))
    count, total = len(found), sum(size for _, _, size in found)
    for _, name, size in sorted(found):
        if count <= MOST and total <= MOST_BYTES:
            return
        os.unlink(os.path.join(place, name))
        count, total = count - 1, total - size
