"""python-tuf's client, set up our way: a fresh cache for every refresh, our files, lowered caps, time from
our own clock."""

from __future__ import annotations

import datetime
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tuf.api import exceptions
from tuf.api.serialization import DeserializationError, SerializationError
from tuf.ngclient import Updater, UpdaterConfig

from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.trust import paths
from agent.trust.fetcher import BASE, Fetcher

MOST_ROOTS = 64  #: rotations climbed in one refresh
MOST_DELEGATIONS = 8  #: roles visited while looking for one target


def config() -> UpdaterConfig:
    """The caps of DESIGN §4, well below python-tuf's defaults."""
    return UpdaterConfig(
        max_root_rotations=MOST_ROOTS,
        max_delegations=MOST_DELEGATIONS,
        root_max_length=paths.MOST_METADATA,
        timestamp_max_length=paths.MOST_TIMESTAMP,
        snapshot_max_length=paths.MOST_METADATA,
        targets_max_length=paths.MOST_METADATA,
    )


@contextmanager
def open_updater(fetcher: Fetcher, bootstrap: bytes, at: int) -> Iterator[Updater]:
    """An updater that starts from ``bootstrap`` and judges expiry at trusted time ``at`` (unix seconds).

    Its cache lives in a directory of its own that is gone afterwards: python-tuf does not fsync it, so it
    is never believed. A disk that has no room for it ends the whole verification (``disk-full`` and the
    like): a role or mailbox that could not be looked at must not pass for one that was refused.
    """
    cache = ""
    try:
        cache = tempfile.mkdtemp(prefix="bookbag-tuf-")
        with framework_errors(fetcher):
            updater = Updater(
                metadata_dir=os.path.join(cache, "metadata"),
                metadata_base_url=f"{BASE}{paths.METADATA}/",
                target_base_url=f"{BASE}{paths.TARGETS}/",
                fetcher=fetcher,
                config=config(),
                bootstrap=bootstrap,
            )
        set_time(updater, at)
        yield updater
    except OSError as error:
        scratch = str(error.filename or cache or tempfile.gettempdir())
        raise explained(error, "check what arrived", scratch) from None
    finally:
        if cache:
            shutil.rmtree(cache, ignore_errors=True)


def set_time(updater: Updater, at: int) -> None:
    """Judge expiry at ``at``. python-tuf has no public way; a test guards this private one."""
    trusted = updater._trusted_set
    if not isinstance(
        trusted.reference_time, datetime.datetime
    ):  # a renamed attribute must not pass silently
        raise BookbagError("internal", "cannot set the time that expiry is judged by: python-tuf has changed")
    trusted.reference_time = datetime.datetime.fromtimestamp(at, datetime.UTC)


@contextmanager
def framework_errors(fetcher: Fetcher | None = None) -> Iterator[None]:
    """Turn python-tuf's errors into ours: ``expired``, ``under-signed``, ``bad-metadata``, or what reading
    failed with. What our own disk refuses is no fault of what arrived, and goes through."""
    try:
        yield
    except exceptions.ExpiredMetadataError as error:
        raise BookbagError("expired", f"cannot take new state: {error}") from None
    except exceptions.UnsignedMetadataError as error:
        raise BookbagError("under-signed", f"cannot accept metadata: {error}") from None
    except exceptions.DownloadHTTPError as error:
        raise BookbagError("not-found", f"cannot find metadata: {error}") from None
    except exceptions.DownloadError as error:
        if fetcher is not None and fetcher.failure is not None:
            raise fetcher.failure from None
        raise BookbagError("bad-metadata", f"cannot read metadata: {error}") from None
    except (exceptions.RepositoryError, DeserializationError, SerializationError) as error:
        why = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
        raise BookbagError("bad-metadata", f"cannot accept metadata: {why}") from None
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        RecursionError,
        OverflowError,
    ) as error:
        # Signed metadata can still hold shapes that python-tuf does not expect.
        raise BookbagError(
            "bad-metadata", f"cannot accept metadata: {type(error).__name__}: {error}"
        ) from None
