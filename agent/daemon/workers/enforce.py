"""enforce: bring this laptop to the school's word. Root; no network. One run at a time; every run may be cut
off anywhere.

audit (heal what drifted) · refresh (take new word, then apply) · plan · apply · pause · resume. An audit that
only follows an event (``lean``) ends here, if all is well, without importing what would mend it.
"""

from __future__ import annotations

from agent.daemon import lean, wiring
from agent.daemon.lock import Lock
from agent.daemon.worker import Context


def run(context: Context) -> int:
    """Do the request's ``op``; returns the bits of `agent.core.exit_codes`."""
    layout = context.layout
    touched: list[str] | None = None
    wiring.prepare(layout)
    lock = Lock.take(f"{layout.state}/enforce.lock", wait=True)
    try:
        if context.request.get("op") == "audit" and context.request.get("lean") is True:
            touched = lean.look(layout)
            if touched == []:
                context.all_is_well()
                return 0
        from agent.daemon import operations

        return operations.run(context, touched)
    finally:
        lock.release()
