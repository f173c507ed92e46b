"""A three-verb client (``init``, ``refresh``, ``download``) for the public tuf-conformance suite to drive.

Generic: any TUF repository, no fields of ours. What it shares with the laptop is the strict parsing, the
caps and python-tuf. Its metadata directory is python-tuf's cache, as the suite expects, not a generation.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
import urllib.parse
from collections.abc import Iterator, Sequence

from tuf.api import exceptions
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from agent.core.errors import BookbagError
from agent.core.exit_codes import COULD_NOT_RUN, IN_SYNC
from agent.trust.fetcher import check_metadata
from agent.trust.updater import config, framework_errors

_TIMEOUT = 10  #: seconds
_PIECE = 65536
_MOST = 5 << 20


class HttpFetcher(FetcherInterface):
    """Plain http.client: 200 only, no redirects."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        parts = urllib.parse.urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        try:
            connection.request("GET", urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")))
            answer = connection.getresponse()
            if answer.status != 200:
                raise exceptions.DownloadHTTPError(f"{url}: status {answer.status}", answer.status)
            data = answer.read(_MOST + 1)
        finally:
            connection.close()
        if "/metadata" in parts.path and len(data) <= 512 << 10:
            try:
                check_metadata(data, parts.path.rpartition("/")[2])
            except BookbagError as error:
                raise exceptions.RepositoryError(str(error)) from None
        return iter([data[at : at + _PIECE] for at in range(0, len(data), _PIECE)])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 if it succeeded, else 1 with the reason on standard error."""
    args = _parser().parse_args(argv)
    try:
        with framework_errors():
            _VERBS[args.verb](args)
    except (BookbagError, OSError) as error:
        print(f"{args.verb}: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    return IN_SYNC


def _init(args: argparse.Namespace) -> None:
    with open(args.trusted_root, "rb") as file:
        root = file.read(512 << 10)
    os.makedirs(args.metadata_dir, exist_ok=True)
    _updater(args, root)


def _refresh(args: argparse.Namespace) -> None:
    _updater(args, None).refresh()


def _download(args: argparse.Namespace) -> None:
    updater = _updater(args, None)
    for name in args.target_name or ():
        info = updater.get_targetinfo(name)
        if info is None:
            raise BookbagError("not-found", f"cannot find target {name}")
        if updater.find_cached_target(info) is None:
            updater.download_target(info)


_VERBS = {"init": _init, "refresh": _refresh, "download": _download}


def _updater(args: argparse.Namespace, bootstrap: bytes | None) -> Updater:
    return Updater(
        metadata_dir=args.metadata_dir,
        metadata_base_url=args.metadata_url or "http://localhost/",
        target_dir=args.target_dir,
        target_base_url=args.target_base_url,
        fetcher=HttpFetcher(),
        config=config(),
        bootstrap=bootstrap,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m agent.trust.conformance")
    parser.add_argument("--metadata-dir", required=True)
    parser.add_argument("--metadata-url")
    parser.add_argument("--target-name", action="append")
    parser.add_argument("--target-base-url")
    parser.add_argument("--target-dir")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("init").add_argument("trusted_root")
    verbs.add_parser("refresh")
    verbs.add_parser("download")
    return parser


if __name__ == "__main__":
    sys.exit(main())
