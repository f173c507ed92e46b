"""The portal's process: one thread, two listeners, no network beyond loopback; it ends when nobody came
for a while.

What students read is nowhere logged. A defect is logged as its kind and place, without what was asked for.
"""

from __future__ import annotations

import json
import math
import os
import socket
import sys
from collections.abc import Callable

from agent.content.library import Library
from agent.core import durable
from agent.core.layout import Layout
from agent.host.linux.peer import Peers
from agent.portal.asking import Asking
from agent.portal.guard import Origin
from agent.portal.keeping import Keeping
from agent.portal.people import People
from agent.portal.portal import Portal
from agent.portal.programs import Programs
from agent.portal.public import Public
from agent.portal.readings import Readings
from agent.portal.sockets import Sockets
from agent.portal.tokens import Tokens
from agent.portal.visit import Parts
from agent.web.connection import Times
from agent.web.loop import Listener, Loop
from agent.web.signals import stopping

IDLE = 300.0  #: seconds without anybody connected
MAX_CONNECTIONS = 128


def serve(
    layout: Layout, sockets: Sockets, *, idle: float = IDLE, ready: Callable[[str], None] | None = None
) -> int:
    """Serve until nobody was connected for ``idle`` seconds or a signal came; returns the signal's number or
    0. ``ready`` is told the address."""
    durable.make_directories(layout.portal, mode=0o700)
    service = Service(layout, sockets)
    with stopping(service.loop) as received:
        if ready is not None:
            ready(_origin(sockets.portal).url)
        service.run(idle=idle)
    return received[0] if received else 0


class Service:
    """The whole portal of the laptop at ``layout`` on ``sockets``, not running yet."""

    def __init__(
        self,
        layout: Layout,
        sockets: Sockets,
        *,
        times: Times | None = None,
        defect: Callable[[Exception], None] | None = None,
    ) -> None:
        self._library = Library(layout.content)
        parts = Parts(
            public=Public(layout.public),
            library=self._library,
            keeping=Keeping(layout.portal),
            asking=Asking(layout.asks),
            programs=Programs(layout.asks),
            arranged=Public(layout.asks),
            tokens=Tokens.open(f"{layout.portal}/secret"),
            portal=_origin(sockets.portal),
            content=_origin(sockets.content),
            sent=f"{layout.telemetry}/sent",
        )
        self._peers = Peers(sockets.peers)
        people = People(self._peers.uid, owner=os.geteuid() if layout.root else None)
        self.loop = Loop(
            [
                Listener.inherited(sockets.portal, Portal(parts, people)),
                Listener.inherited(sockets.content, Readings(parts, people)),
            ],
            log=lambda *_: None,
            defect=defect or _defect,
            times=times,
            max_connections=MAX_CONNECTIONS,
            peer=lambda ends: self._peers.uid(ends.client, ends.server),
        )

    def run(self, *, idle: float = math.inf) -> None:
        """Serve until the loop is stopped, or nobody was connected for ``idle`` seconds."""
        try:
            self.loop.run(idle=idle)
        finally:
            self._peers.close()
            self._library.close()


def _origin(sock: socket.socket) -> Origin:
    host, port = sock.getsockname()[:2]
    return Origin(host, port)


def _defect(defect: Exception) -> None:
    where = ""
    frame = defect.__traceback__
    while frame is not None:
        where = f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}"
        frame = frame.tb_next
    told = f"{type(defect).__name__} at {where}"
    line = {"level": "error", "event": "defect", "code": "internal", "msg": told}
    sys.stderr.write(json.dumps(line) + "\n")
