"""What the agent may ask of a machine: a few capabilities with few verbs, each saying what *should be* and
safe to repeat.

Both implementations pass the same contract suite (tests/contract/). Paths are the laptop's absolute paths;
a sandbox maps them into its folder. A capability that a machine lacks is None on `Host`; asking for it
through `agent.host.lacking.need` gives ``not-supported``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from agent.core.model import State
from agent.core.ports import Secrets
from agent.host.accounts import Accounts, Sudo
from agent.host.apt import Apt
from agent.host.assurances import Assurances
from agent.host.certificates import Certificates
from agent.host.firmware import Firmware
from agent.host.flatpaks import Flatpaks
from agent.host.hardware import Hardware
from agent.host.kernel import Kernel
from agent.host.network import Firewall, Links, Resolving
from agent.host.packages import Packages
from agent.host.printing import Printing
from agent.host.programs import Programs
from agent.host.remote_login import RemoteLogin
from agent.host.services import Services
from agent.host.timekeeping import Timekeeping
from agent.host.wireless import Wireless


@dataclass(frozen=True, slots=True)
class Node:
    """What lies at a path, never following a last symlink.

    ``kind`` is ``file``, ``directory``, ``symlink`` or ``other`` (device, socket, FIFO). ``content`` is a
    file's bytes or a symlink's target, else empty. ``owner`` and ``group`` are names, or decimal ids where
    no name is known. ``mode`` and ``xattrs`` of a symlink mean nothing on Linux: they read as 0o777 and ()
    and are not written. Labels that the kernel's security module keeps for itself (security.selinux,
    security.ima…) are never among the xattrs.
    """

    kind: str
    mode: int = 0o644  #: permission bits, 0 to 0o7777
    owner: str = "root"
    group: str = "root"
    content: bytes = b""
    #: Sorted by name; includes POSIX ACLs (system.posix_acl_access).
    xattrs: tuple[tuple[str, bytes], ...] = ()


class Files(Protocol):
    """Files and directories, read without following links and written durably.

    Every path is absolute, without ``.``, ``..``, empty parts or a trailing slash, at most 4095 bytes; else
    ``bad-path``. Names that are not UTF-8 are surrogate-escaped text. One Files belongs to one thread.
    """

    def read(self, path: str, *, limit: int = 16 << 20) -> Node | None:
        """What is at ``path``; None if nothing. Raises ``too-large`` beyond ``limit`` bytes, ``bad-path``
        through a link in a parent that root did not make.
        """
        ...

    def write(self, path: str, node: Node) -> None:
        """Make ``path`` be exactly this file or symlink: temp file beside it, attributes, fsync, rename,
        fsync directory.

        A file, symlink, FIFO or socket there is replaced. Parents must exist (``not-found``). Raises
        ``disk-full``, ``bad-path`` (a directory or device is in the way), ``not-allowed`` (read-only,
        immutable), ``not-found`` (no such owner or group), ``not-supported`` (the file system refuses an
        attribute), ``io-error``. After an error what was there is still there.
        """
        ...

    def batch(self) -> AbstractContextManager[None]:
        """Within it each write is whole and synced, but that names point to it (rename, unlink) is made
        durable only when the batch ends, once per directory: until then a power cut may leave the old file.
        Not nested.
        """
        ...

    def remove(self, path: str) -> None:
        """Make sure nothing is at ``path`` (absent: nothing to do), durably. A directory or device there:
        ``bad-path``.
        """
        ...

    def make_parents(self, path: str) -> tuple[str, ...]:
        """Create missing parent directories (0755, root), durably; returns those created, outermost first."""
        ...

    def make_directory(self, path: str, node: Node) -> None:
        """Make ``path`` be a directory with exactly this mode, owner, group and xattrs, durably; what lies in
        one that is there stays. Its parent must exist (``not-found``). A new one appears whole; of one that
        is there owner and group change first, then the mode, then the xattrs.

        Raises what `write` raises; ``bad-path`` where something else than a directory is there.
        """
        ...

    def remove_empty(self, directories: Iterable[str]) -> None:
        """Remove those directories (innermost first) that exist and are empty; others are left without an
        error.
        """
        ...

    def rename_beside(self, path: str, name: str) -> None:
        """Give what is at ``path``, of whatever kind and whoever's, the name ``name`` in the same directory,
        in one step and durably, batch or not; nothing is copied and no link followed.

        Raises ``not-found`` if nothing is there, ``bad-path`` if something has that name, ``not-allowed``
        (a mount point, immutable, read-only).
        """
        ...

    def names(self, directory: str) -> tuple[str, ...] | None:
        """Sorted names in ``directory``, without our own temporary files; None if it is not there."""
        ...


class Dconf(Protocol):
    """The machine-wide dconf database that forces desktop settings."""

    def compile(self, database: str) -> None:
        """`dconf update` for ``/etc/dconf/db/<database>.d`` after its key files changed."""
        ...

    def effective(self, user: str, key: str) -> str | None:
        """The GVariant text that ``user`` gets for ``key`` (``/org/gnome/…``); None if unset. Reads, never
        writes.
        """
        ...

    def default(self, user: str, key: str) -> str | None:
        """What ``user`` gets for ``key`` as long as they choose nothing themselves; None if unset."""
        ...

    def writable(self, user: str, *keys: str) -> bool:
        """Whether ``user`` could change any of ``keys`` (False when all are locked). Asked at once, it is one
        question.
        """
        ...


class Facts(Protocol):
    """What kind of machine this is."""

    def serial(self) -> str:
        """The machine's serial number; ``""`` if the firmware has none. Never leaves the laptop in clear."""
        ...

    def system(self) -> Mapping[str, str]:
        """``os`` (e.g. debian), ``version``, ``arch``, ``host`` (``linux`` or ``sandbox``)."""
        ...

    def users(self) -> tuple[str, ...]:
        """Login names of people (uid 1000 to 59999), sorted."""
        ...

    def lock_grade(self) -> int:
        """What a lock would be worth here, as far as could be seen: 0 the screen only; 1 it survives a
        restart; 2 the boot chain is closed; 3 the disk is encrypted, with a key slot of the student's that
        can be taken away; 4 an administrator attests closed firmware. Each includes those before it.
        """
        ...


class Clock(Protocol):
    """Raw readings; what they are worth is decided by `agent.core.clock`."""

    def wall(self) -> int:
        """The system clock, unix seconds. May be wrong by decades."""
        ...

    def boottime(self) -> int:
        """Seconds since boot, suspend included; never goes backwards within one boot."""
        ...

    def boot_id(self) -> str:
        """Changes with every boot."""
        ...

    def synchronised(self) -> bool:
        """Whether the kernel says that NTP disciplines the clock."""
        ...


@dataclass(frozen=True, slots=True)
class Battery:
    """A laptop's battery, percent; None where it does not say. ``health``: what it holds of what it held
    new.
    """

    level: int | None
    health: int | None = None
    cycles: int | None = None


class Sensors(Protocol):
    """How the machine itself is. Figures only: nothing here names a machine or a person. None: not known."""

    def battery(self) -> Battery | None:
        """The main battery; None if there is none."""
        ...

    def disk(self) -> tuple[int, int] | None:
        """(size, free) of the system's disk, bytes."""
        ...

    def memory(self) -> tuple[int, int] | None:
        """(all, available), bytes."""
        ...

    def cpu(self) -> tuple[int, int] | None:
        """(busy, whole) time of all processors since boot, milliseconds; both only grow within one boot."""
        ...

    def temperature(self) -> int | None:
        """Of the processor, degrees Celsius."""
        ...

    def restart_needed(self) -> bool | None:
        """Whether an update waits for a restart."""
        ...

    def chassis(self) -> str:
        """``laptop``, ``convertible``, ``tablet``, ``desktop``, ``virtual`` or ``other``."""
        ...


class Watch(Protocol):
    """Says only "look again". A lost or false event is harmless: checking decides."""

    def fileno(self) -> int:
        """A descriptor that becomes readable when there is something to look at."""
        ...

    def set_paths(self, paths: Iterable[str]) -> None:
        """Watch exactly these laptop paths (files that may or may not exist, with their parents).

        Paths not watched before count as touched: call `read` next, or what happened to them before is
        missed.
        """
        ...

    def read(self) -> tuple[frozenset[str], bool]:
        """(paths touched since last asked, whether events were lost), without blocking."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


class LockLayer(Protocol):
    """One layer of a locked laptop: something that lets people in, can be closed, and put back exactly as it
    was found.

    The layers of a machine are closed in their order and restored in the reverse; each verb may be repeated
    after being cut short anywhere.
    """

    @property
    def name(self) -> str:
        """What the layer is called in journal, receipts and status: ``login-gate``, ``boot-target``…"""
        ...

    def observe(self) -> State:
        """How it is now: what `restore` will be given. Plain Values only."""
        ...

    def close(self) -> None:
        """Keep people out. Raises ``not-supported`` if this machine cannot, ``disk-full``, ``io-error``."""
        ...

    def closed(self) -> bool:
        """Read back whether it does keep people out."""
        ...

    def restore(self, prior: State) -> None:
        """Make `observe` say ``prior`` again."""
        ...


@dataclass(frozen=True, slots=True)
class Keyslots:
    """What still opens an encrypted volume. ``header`` is SHA-256 (hex) over its whole header and key-slot
    area, so that any change shows."""

    format: str  #: ``luks1``, ``luks2``; ``none``: no header that could open anything
    slots: tuple[int, ...]
    header: str


class Volumes(Protocol):
    """Encrypted volumes that were found on this machine when it enrolled, and no others: nothing else is ever
    erased."""

    def names(self) -> tuple[str, ...]:
        """What they are called (the path of the device or file), in the order of erasing."""
        ...

    def remember(self) -> None:
        """Find the volumes that this machine runs from now and write them down: when it enrols, at no other
        time. Those that an administrator listed by hand stay listed.
        """
        ...

    def keyslots(self, name: str) -> Keyslots:
        """What opens ``name`` now. Raises ``not-found`` for a volume that is not among them, ``io-error``."""
        ...

    def sample(self, name: str) -> tuple[str, ...]:
        """SHA-256 (hex) of each non-zero 512-byte block of the key-slot area: to look for again after an
        erasure."""
        ...

    def erase_keys(self, name: str) -> None:
        """Destroy every key slot of ``name`` for good (``cryptsetup luksErase``), synced. Of a volume without
        any: nothing to do."""
        ...


class Worker(Protocol):
    """A running worker: bytes go in once, JSON lines come out until it ends."""

    def fileno(self) -> int:
        """Readable when output waits or the worker has ended."""
        ...

    def read(self) -> bytes:
        """Output so far, without blocking; ``b""`` once it has ended and everything was read.
        BlockingIOError if none.
        """
        ...

    def stop(self) -> None:
        """End it now, whatever it is doing (idempotent)."""
        ...


class Workers(Protocol):
    """Starts workers with the privileges that their name is entitled to."""

    def start(self, name: str, request: bytes) -> Worker:
        """Start ``bookbag worker NAME`` and hand it one request (one JSON line)."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """One machine: its capabilities. None where the machine lacks one."""

    name: str  #: ``linux`` or ``sandbox``
    files: Files
    facts: Facts
    clock: Clock
    dconf: Dconf | None = None
    #: From the outermost to the innermost; none: this machine cannot be locked.
    lock_layers: tuple[LockLayer, ...] = ()
    volumes: Volumes | None = None
    services: Services | None = None
    timekeeping: Timekeeping | None = None
    accounts: Accounts | None = None
    sudo: Sudo | None = None
    firewall: Firewall | None = None
    links: Links | None = None
    resolving: Resolving | None = None
    hardware: Hardware | None = None
    assurances: Assurances | None = None
    firmware: Firmware | None = None
    kernel: Kernel | None = None
    certificates: Certificates | None = None
    apt: Apt | None = None
    packages: Packages | None = None
    flatpaks: Flatpaks | None = None
    printing: Printing | None = None
    programs: Programs | None = None
    wireless: Wireless | None = None
    secrets: Secrets | None = None  #: what the school gave this laptop; None: nothing
    remote_login: RemoteLogin | None = None
    simulated: bool = False  #: receipts and status say so


@dataclass(frozen=True, slots=True)
class Readings:
    """What can be read of a machine without touching it."""

    facts: Facts
    clock: Clock
    sensors: Sensors
