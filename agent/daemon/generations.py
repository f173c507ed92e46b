"""Which of root's verified copies of the site there are."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.core.layout import Layout


def newest(layout: Layout) -> str:
    """The name of the newest finished generation; "" if there is none."""
    try:
        names = sorted(os.listdir(layout.generations), reverse=True)
    except FileNotFoundError:
        return ""
    return next((name for name in names if os.path.exists(f"{layout.generations}/{name}/view.json")), "")
