"""The resident process begins: one supervisor per laptop, who is asked through the table of routes."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.daemon import routes
from agent.daemon.lock import Lock
from agent.daemon.log import Log
from agent.daemon.notify import Notify
from agent.daemon.supervisor import Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.layout import Layout
    from agent.host.base import Watch, Workers


def supervise(layout: Layout, workers: Workers, watch: Callable[[], Watch | None]) -> int:
    """Take the laptop's lock and look after it; returns the exit code. Raises ``already-running``."""
    log = Log()
    lock = Lock.take(f"{layout.state}/supervisor.lock")
    try:
        Supervisor(layout, workers, watch(), log, Notify(), routes.answer).run()
    except BookbagError as problem:
        log.write("error", "start", code=problem.code, msg=str(problem))
        return 1
    finally:
        lock.release()
    return 0
