"""Puts the service together from IT's folder and runs it until a signal."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from agent.core.errors import BookbagError
from agent.fleet import fleetpage
from agent.fleet.classroom.door import Door
from agent.fleet.expected import Expected
from agent.fleet.folder import Folder
from agent.fleet.installations import Installations
from agent.fleet.reports import ReportStore
from agent.fleet.returnbox import ReturnBox
from agent.fleet.service.classes import Classes
from agent.fleet.service.filer import Filer
from agent.fleet.service.heard import Heard
from agent.fleet.service.intake import Intake
from agent.fleet.service.page import Page, View
from agent.fleet.service.refresher import Refresher
from agent.fleet.service.repository import Repository
from agent.fleet.service.returns import Returns
from agent.fleet.service.site import Site
from agent.web.bodies import Room
from agent.web.descriptors import places
from agent.web.loop import Listener, Loop
from agent.web.signals import stopping

Tell = Callable[[str, dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """How to serve. ``admin_port`` None: no fleet page."""

    host: str
    port: int
    admin_port: int | None
    http: bool
    refresh_every: float


def serve(folder: Folder, asked: Asked, now: Callable[[], int], tell: Tell) -> int:
    """Serve until SIGTERM or SIGINT; returns the signal's number. Raises BookbagError if it cannot begin."""
    tls = None if asked.http else _tls(folder)
    box = ReturnBox(str(folder.returns))
    room = Room()
    heard = Heard(str(folder.returns))
    returns = Returns(box, Expected(folder, now), room, lambda name: heard.note(name, now()))
    prefixes = [urlsplit(url).path.rstrip("/") for url in folder.site().urls]
    store = ReportStore(folder.reports)
    try:
        installations = Installations(folder)
        installations.known()  # thousands of records take seconds: now, not while a laptop waits
        intake = Intake(store, installations.known, now, room)
        filer = Filer(folder, now, tell)
        classes = Classes(Door(folder, now, heard.last), filer, now)
        site = Site(Repository(str(folder.published)), returns, intake, classes, prefixes=prefixes)
        page = Page(lambda view: fleetpage.content(folder, now(), store, view))
        if asked.admin_port is not None:
            fleetpage.content(folder, now(), store, View())  # and these, for the same reason
        threads = (Refresher(folder, now, tell, every=asked.refresh_every), filer)
        return _run(asked, tell, _listeners(asked, site, page, tls), threads)
    finally:
        store.close()


def _listeners(asked: Asked, site: Site, page: Page, tls: ssl.SSLContext | None) -> list[Listener]:
    listeners = [_listen(asked.host, asked.port, site, tls)]
    try:
        if asked.admin_port is not None:
            listeners.append(_listen("127.0.0.1", asked.admin_port, page, None))
    except BookbagError:
        listeners[0].sock.close()
        raise
    return listeners


def _run(asked: Asked, tell: Tell, listeners: list[Listener], threads: tuple[Refresher | Filer, ...]) -> int:
    loop = Loop(
        listeners,
        log=lambda method, path, status, size, seconds: tell(
            "request",
            {"method": method, "path": path, "status": status, "bytes": size, "ms": round(seconds * 1000)},
        ),
        defect=lambda error: tell("defect", {"message": repr(error)}),
        max_connections=places(),
    )
    with stopping(loop) as received:
        tell("serving", _addresses(listeners, asked))
        for one in threads:
            one.start()
        try:
            loop.run()
        finally:
            for one in threads:
                one.stop()
    tell("stopped", {"signal": received[0] if received else 0})
    return received[0] if received else 0


def _addresses(listeners: list[Listener], asked: Asked) -> dict[str, object]:
    public = listeners[0]
    scheme = "http" if asked.http else "https"
    host = f"[{public.host}]" if ":" in public.host else public.host
    told: dict[str, object] = {"url": f"{scheme}://{host}:{public.port}/", "port": public.port}
    if len(listeners) > 1:
        told |= {"admin": f"http://127.0.0.1:{listeners[1].port}/", "admin-port": listeners[1].port}
    return told


def _listen(host: str, port: int, handler: Site | Page, tls: ssl.SSLContext | None) -> Listener:
    try:
        return Listener(host, port, handler, tls)
    except OSError as error:
        raise BookbagError(
            "network",
            f"cannot listen: {error.strerror}",
            place=f"{host}:{port}",
            remedy="another program has the port, or the address is not ours; choose with --host, --port",
        ) from None


def _tls(folder: Folder) -> ssl.SSLContext:
    path = folder.online / "server.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(path)
    except FileNotFoundError:
        raise BookbagError(
            "bad-key",
            "cannot serve https: there is no server certificate",
            place=folder.relative(path),
            remedy="serve on the machine that has keys/online/, or make one: bookbag-fleet rotate server",
        ) from None
    except (ssl.SSLError, OSError) as error:
        raise BookbagError(
            "bad-key",
            f"cannot serve https: {error}",
            place=folder.relative(path),
            remedy="make a new one: bookbag-fleet rotate server",
        ) from None
    return context
