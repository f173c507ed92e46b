"""What a new laptop in a folder is furnished with, by whoever comes first."""

from __future__ import annotations

import os

from agent.core import durable


def write_new(path: str, data: bytes, *, mode: int = 0o644) -> None:
    """Make the real file ``path`` hold ``data``, durably, unless something is there: of two who begin at once
    one wins, and nobody's later work is undone.
    """
    if os.path.lexists(path):
        return
    temporary = f"{path}.{os.urandom(6).hex()}{durable.UNFINISHED}"
    durable.write(temporary, data, mode=mode)
    try:
        os.link(temporary, path)  # unlike rename: the first wins
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
    durable.sync_directory(os.path.dirname(path))
