"""`bookbag portal`: where the pages for students are; with ``--root DIR`` those of a laptop in a folder
are served."""

from __future__ import annotations

import argparse
import os

from agent.cli import _terminal as terminal
from agent.cli._arguments import duration, layout_of
from agent.core.errors import BookbagError
from agent.core.layout import Layout

SUMMARY = "the pages for students: the library, and what this laptop does and why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where and how long to serve a sandbox; whether to open a browser."""
    parser.add_argument("--open", action="store_true", help="open the pages in this desktop's browser")
    parser.add_argument(
        "--port", type=_port, default=None, metavar="N", help="with --root: listen on N and N+1 (0: any two)"
    )
    parser.add_argument(
        "--idle",
        type=duration,
        default=None,
        metavar="TIME",
        help="with --root: end when nobody came for so long, such as 5m (the default)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the address, or serve until nobody comes any more."""
    layout = layout_of(args)
    if layout.root:
        return serve_sandbox(args, layout)
    if args.port is not None or args.idle is not None:
        raise BookbagError(
            "bad-argument",
            "cannot choose --port or --idle for this laptop: systemd starts its portal",
            remedy="portal-port in agent.yaml, or --root DIR for a laptop in a folder",
        )
    _tell(args, f"http://127.0.0.1:{configured_port(layout)}/")
    return 0


def configured_port(layout: Layout) -> int:
    """The port that agent.yaml names. Raises ``bad-config``."""
    from agent.daemon.settings import read_settings
    from agent.portal.sockets import PORT
    from agent.store import atomic

    data = atomic.read(layout.agent_yaml, max_bytes=64 << 10)
    return PORT if data is None else read_settings(data, layout.agent_yaml).portal_port


def serve_sandbox(args: argparse.Namespace, layout: Layout) -> int:
    """Serve the laptop in a folder, in the foreground."""
    from agent.host.landlock import confine
    from agent.portal import serve, sockets

    if not os.path.isdir(layout.root):
        raise BookbagError("not-found", "cannot serve the portal: there is no such folder", place=layout.root)
    port = args.port if args.port is not None else configured_port(layout)
    handed = sockets.opened(port)
    os.makedirs(layout.portal, mode=0o700, exist_ok=True)
    loop_idle = float(args.idle) if args.idle is not None else serve.IDLE

    def ready(address: str) -> None:
        _tell(args, f"{address}/")
        # From now on it writes there only, notes what was opened last and leaves what students ask; it
        # connects to nobody.
        others = [path for path in (f"{layout.content}/opened", f"{layout.asks}/in") if os.path.isdir(path)]
        confine([layout.portal, *others], network=False)

    serve.serve(layout, handed, idle=loop_idle, ready=ready)
    return 0


def serve_activated() -> int:
    """What bookbag-portal.service runs."""
    from agent.portal import serve, sockets

    try:
        serve.serve(Layout(), sockets.inherited())
    except BookbagError as problem:
        terminal.complain(problem)
        return 1
    return 0


def _tell(args: argparse.Namespace, address: str) -> None:
    if args.json:
        terminal.print_json({"url": address})
    else:
        print(address, flush=True)
    if args.open:
        _open(address)


def _open(address: str) -> None:
    from agent.host.processes import run as run_program

    desktop = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "XDG_CURRENT_DESKTOP", "HOME")
    wanted = {name: os.environ[name] for name in (*desktop, "DBUS_SESSION_BUS_ADDRESS") if name in os.environ}
    ended = run_program(["xdg-open", address], timeout=20, environment=wanted)
    if ended.status:
        raise BookbagError("not-supported", "cannot open a browser here", remedy=f"open {address} yourself")


def _port(text: str) -> int:
    if not text.isdecimal() or not (text == "0" or 1024 <= int(text) <= 65534):
        raise argparse.ArgumentTypeError("a port is a number from 1024 to 65534, or 0 for any")
    return int(text)
