"""Which watcher this laptop gets. Part of the resident process."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.core.layout import Layout
    from agent.host.base import Watch


def open_watch(layout: Layout) -> Watch:
    """Our own small inotify on a laptop; the watchdog package, which knows every system, in the sandbox."""
    if not layout.root:
        from agent.host.linux.inotify import Inotify

        return Inotify()
    from agent.host.watchdog_watch import WatchdogWatch

    return WatchdogWatch(layout.root)
