"""The embedded central service for one school on one machine: the published files, and a place for laptops'
returns.

HTTPS with the site's own certificate. What it serves is signed elsewhere, what it takes is sealed: it is
trusted with nothing.
Keeps the timestamp fresh with the online keys. Events go to standard output as JSON lines; the first one
names the URL.
"""

from __future__ import annotations

import argparse
import json
import signal
from urllib.parse import urlsplit

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context

HELP = "serve the site to laptops from this machine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--host", help="address to listen on (default: all; with --http: loopback)")
    parser.add_argument(
        "--port", type=int, help="port (default: that of the site's first URL; 0: any free one)"
    )
    parser.add_argument(
        "--admin-port", type=int, metavar="PORT", help="port of the read-only fleet page, on loopback"
    )
    parser.add_argument(
        "--http", action="store_true", help="without TLS, on loopback only: for tests and reverse proxies"
    )
    parser.add_argument("--quiet", action="store_true", help="do not log requests")
    parser.add_argument("--refresh-every", type=float, default=60.0, help=argparse.SUPPRESS)


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve until SIGTERM (0) or Ctrl-C (130)."""
    from agent.fleet.service.run import Asked, serve

    folder = context.folder
    port = args.port if args.port is not None else _port(folder.site().urls)
    host = args.host or ("127.0.0.1" if args.http else "0.0.0.0")  # noqa: S104 - laptops come from outside
    if args.http and host not in ("127.0.0.1", "::1"):
        raise BookbagError(
            "bad-argument",
            "cannot serve without TLS beyond this machine",
            remedy="leave out --http, or --host",
        )
    console = context.console

    def tell(event: str, fields: dict[str, object]) -> None:
        if event == "request" and args.quiet:
            return
        level = "error" if event in ("defect", "refresh-failed") else "info"
        console.line(json.dumps({"t": context.now(), "level": level, "event": event, **fields}))

    received = serve(
        folder, Asked(host, port, args.admin_port, args.http, args.refresh_every), context.now, tell
    )
    return exit_codes.INTERRUPTED if received == signal.SIGINT else exit_codes.IN_SYNC


def _port(urls: tuple[str, ...]) -> int:
    parts = urlsplit(urls[0]) if urls else urlsplit("https:///")
    return parts.port or (443 if parts.scheme == "https" else 80)
