"""The only place that joins ports to implementations. The resident uses the first half; what is heavy is
imported inside functions.
"""

from __future__ import annotations

import os

from agent.core.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.commands.arranged import Arrangements
    from agent.commands.asking import Asking
    from agent.commands.choosing import Choices
    from agent.commands.holding import Holding
    from agent.commands.machine import Parts
    from agent.commands.replies import Reply
    from agent.commands.secrets import Secrets
    from agent.commands.sessions import Sessions
    from agent.core.clock import Now
    from agent.host.base import Host, Watch, Workers
    from agent.store.clockfile import ClockFile
    from agent.store.highwater import HighWaterFile
    from agent.store.ledger import SqliteLedger
    from agent.store.spool import Spool
    from agent.store.undo import UndoJournal
    from agent.trust.identity import DeviceIdentity

SYNC_USER = "bookbag-sync"
CONTENT_USER = "bookbag-content"
PORTAL_USER = "bookbag-portal"
MAX_OUTBOX = 4 << 20  #: bytes


# -- for the resident process: nothing heavy


def open_workers(layout: Layout) -> Workers:
    """How workers are started here."""
    if layout.root:
        from agent.host.forked import ForkedWorkers

        return ForkedWorkers(layout)
    from agent.host.workers import SystemdWorkers

    return SystemdWorkers(layout)


def open_watch(layout: Layout) -> Watch | None:
    """A watcher of this laptop's files."""
    from agent.host import watch

    return watch.open_watch(layout)


def check_machine() -> None:
    """Refuse to look after a machine that is no laptop of ours, before anything is made there. (Workers check
    again.)
    """
    from agent.host import choose

    choose.check_systemd()


def prepare(layout: Layout) -> None:
    """Make the directories of the agent that are not there yet. Safe to repeat; modes of existing ones are
    the installer's (and `bookbag doctor`'s) business, for the resident may not change them.
    """
    from agent.core import durable

    for path, mode in _directories(layout):
        if not os.path.isdir(path):
            durable.make_directories(os.path.dirname(path), mode=0o755)
            durable.make_directories(path, mode=mode)
    sync, content, portal = (_ids(layout, one) for one in (SYNC_USER, CONTENT_USER, PORTAL_USER))
    for path, mode, owner in (
        (layout.spool, 0o711, sync),
        (layout.blobs, 0o2750, sync and content and (sync[0], content[1])),
        (layout.outbox, 0o750, sync and (0, sync[1])),
        (layout.telemetry, 0o755, sync),
        (layout.content, 0o750, content and portal and (content[0], portal[1])),
        (f"{layout.content}/opened", 0o770, content and portal and (content[0], portal[1])),
        (layout.asks, 0o750, portal and (0, portal[1])),
        (f"{layout.asks}/in", 0o770, portal and (0, portal[1])),
    ):
        if not os.path.isdir(path):
            make_for(path, mode, owner or None)


def make_for(path: str, mode: int, owner: tuple[int, int] | None) -> None:
    """Make a directory for another user, perhaps in one of theirs, where they may put something else in its
    place at any moment: what is given away is what was opened, and no link is followed. One that cannot be
    made is missed by its user alone, who says so (I-3).
    """
    try:
        os.mkdir(path, 0o700)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if owner:
            os.fchown(fd, *owner)
        os.fchmod(fd, mode if owner else mode & 0o777)
        os.fsync(fd)
    finally:
        os.close(fd)


def _directories(layout: Layout) -> tuple[tuple[str, int], ...]:
    return (
        (layout.etc, 0o755),
        (layout.run, 0o755),
        (layout.var, 0o711),
        (layout.state, 0o700),
        (layout.keys, 0o700),
        (os.path.dirname(layout.ledger), 0o700),
        (layout.undo, 0o700),
        (layout.lock_undo, 0o700),
        (layout.generations, 0o700),
        (layout.secrets, 0o700),
        (layout.public, 0o755),
    )


def _sync_ids(layout: Layout) -> tuple[int, int] | None:
    """uid and gid of the sync user."""
    return _ids(layout, SYNC_USER)


def _ids(layout: Layout, user: str) -> tuple[int, int] | None:
    """uid and gid of a user of ours; None in a sandbox, where there is one user only."""
    if layout.root:
        return None
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


# -- for workers


def open_host(layout: Layout, *, enrolling: bool = False) -> Host:
    """The machine, or the laptop in a folder. Refuses a machine that is not a laptop of ours."""
    from dataclasses import replace

    from agent.host import choose

    return replace(choose.open_host(layout, enrolling=enrolling), secrets=open_secrets(layout))


def open_clock(layout: Layout, host: Host) -> ClockFile:
    """Trusted time."""
    from agent.store.clockfile import ClockFile

    return ClockFile(layout.state_file("clock"), host.clock)


def open_high_water(layout: Layout) -> HighWaterFile:
    """The memory of the newest signed things accepted."""
    from agent.store.highwater import HighWaterFile

    return HighWaterFile(layout.state_file("high-water"))


def open_ledger(layout: Layout) -> SqliteLedger:
    """The record of what was decided and done."""
    from agent.store.ledger import SqliteLedger

    return SqliteLedger(layout.ledger)


def open_undo(layout: Layout) -> UndoJournal:
    """The journal of what was there before."""
    from agent.store.undo import UndoJournal

    return UndoJournal(layout.undo)


def open_holding(layout: Layout, host: Host) -> Holding:
    """The lock of this laptop, and what its layers were before."""
    from agent.commands.holding import Holding
    from agent.store.undo import UndoJournal

    return Holding(layout.state_file("hold"), UndoJournal(layout.lock_undo), host.lock_layers)


def open_commands(layout: Layout, host: Host) -> Parts:
    """What the command machine acts through."""
    from agent.commands.book import BookFile
    from agent.commands.machine import Parts
    from agent.commands.messages import Messages
    from agent.commands.replies import Replies
    from agent.commands.staging import Staged

    def startable() -> Mapping[str, int]:
        from agent.policy import compiled

        found = compiled.load(layout.state_file("compiled"))
        return found.startable if found is not None else {}

    return Parts(
        host,
        BookFile(layout.state_file("commands")),
        open_holding(layout, host),
        Messages(layout.state_file("messages")),
        Replies(layout.state_file("replies")),
        open_secrets(layout),
        open_arranged(layout),
        _check_arranged,
        open_sessions(layout),
        Staged(layout.boot),
        open_ledger(layout),
        open_outbox(layout),
        startable,
    )


def open_secrets(layout: Layout) -> Secrets:
    """What the school gave this laptop to keep for itself."""
    from agent.commands.secrets import Secrets

    return Secrets(layout.secrets_file)


def open_arranged(layout: Layout) -> Arrangements:
    """What is arranged for whoever has this laptop."""
    from agent.commands.arranged import Arrangements

    return Arrangements(layout.state_file("arranged"))


def choices_path(layout: Layout) -> str:
    """What people here chose from the shelf: a file of root's, where the worker that takes it may write."""
    return f"{layout.asks}/choices.json"


def open_choices(layout: Layout) -> Choices:
    """What it says. Raises ``state-corrupt`` if no copy of it is whole."""
    from agent.commands.choosing import Choices, open_file

    return open_file(choices_path(layout)).read() or Choices()


def told_arranged(layout: Layout) -> str:
    """What root tells the portal of it."""
    return f"{layout.asks}/arranged.json"


def _check_arranged(settings: Mapping[str, object]) -> None:
    from agent.policy.arranging import check

    check(settings)


def open_sessions(layout: Layout) -> Sessions:
    """What teachers started on this laptop."""
    from agent.commands.sessions import Sessions

    return Sessions(layout.state_file("session"))


def open_replies(layout: Layout) -> tuple[Reply, ...]:
    """What the school answered to requests of this laptop."""
    from agent.commands.replies import Replies

    return Replies(layout.state_file("replies")).read()


def open_asking(layout: Layout, now: Now, answered: set[str]) -> Asking:
    """The requests of this laptop's students."""
    from agent.commands.asking import Asking

    return Asking(f"{layout.asks}/book.json", f"{layout.asks}/in", open_outbox(layout), now, answered)


def portal_group(layout: Layout) -> tuple[int, int] | None:
    """Owner of what root tells the portal alone; None in a sandbox."""
    portal = _ids(layout, PORTAL_USER)
    return (0, portal[1]) if portal else None


def open_outbox(layout: Layout) -> Spool:
    """Sealed returns on their way out: written by root, readable by the sync user."""
    from agent.store.spool import Spool

    sync = _sync_ids(layout)
    return Spool(
        layout.outbox,
        max_bytes=MAX_OUTBOX,
        mode=0o640 if sync else 0o600,
        dir_mode=0o750,
        owner=(os.geteuid(), sync[1]) if sync else None,
    )


def spool_owner(layout: Layout) -> int | None:
    """The uid that must own every file of the spool's mirror."""
    sync = _sync_ids(layout)
    return sync[0] if sync else os.geteuid()


def identity_path(layout: Layout) -> str:
    """Where the device's private keys lie."""
    return f"{layout.keys}/device.json"


def identity_of(layout: Layout) -> DeviceIdentity | None:
    """Who this laptop is; None before enrolment. Raises ``state-corrupt``."""
    from agent.store import atomic
    from agent.trust.identity import DeviceIdentity

    path = identity_path(layout)
    data = atomic.read(path, max_bytes=4096)
    return None if data is None else DeviceIdentity.from_bytes(data, place=path)
