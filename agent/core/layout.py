"""Where everything of Bookbag's lies on a laptop. The same tree under ``/`` and under a sandbox's folder.

Imported by the resident process: plain strings, no pathlib.
"""

from __future__ import annotations


class Layout:
    """Absolute paths of the agent's own files below ``root`` (``/`` on a laptop, a folder in the sandbox)."""

    __slots__ = ("root",)

    def __init__(self, root: str = "/") -> None:
        self.root = root.rstrip("/")

    def __repr__(self) -> str:
        return f"Layout({self.root or '/'!r})"

    # -- configuration, written by enrolment and by IT
    @property
    def etc(self) -> str:
        """Configuration, root-owned, world-readable."""
        return f"{self.root}/etc/bookbag"

    @property
    def agent_yaml(self) -> str:
        """The agent's settings on this laptop."""
        return f"{self.etc}/agent.yaml"

    @property
    def bootstrap_root(self) -> str:
        """The site's first trusted root metadata, delivered by the enrol file."""
        return f"{self.etc}/root.json"

    @property
    def ca(self) -> str:
        """PEM certificates the site's host is pinned to; absent: the system's own store."""
        return f"{self.etc}/ca.pem"

    # -- state, root only (0700 below the 0711 top, so that the sync user reaches its spool)
    @property
    def var(self) -> str:
        """The state directory."""
        return f"{self.root}/var/lib/bookbag"

    @property
    def state(self) -> str:
        """Root's typed state files."""
        return f"{self.var}/state"

    @property
    def keys(self) -> str:
        """The device's private keys."""
        return f"{self.var}/keys"

    @property
    def secrets(self) -> str:
        """What the school gave this laptop to keep for itself: a directory of its own, so that one can wait
        for it to change."""
        return f"{self.var}/secrets"

    @property
    def secrets_file(self) -> str:
        """The state file there."""
        return f"{self.secrets}/secrets.json"

    @property
    def ledger(self) -> str:
        """The hash-chained ledger database."""
        return f"{self.var}/ledger/ledger.db"

    @property
    def undo(self) -> str:
        """The undo journal's directory."""
        return f"{self.var}/undo"

    @property
    def lock_undo(self) -> str:
        """The undo journal of the lock."""
        return f"{self.var}/lock"

    @property
    def generations(self) -> str:
        """Root's immutable copies of verified repository generations."""
        return f"{self.var}/generations"

    # -- shared with the unprivileged sync user
    @property
    def spool(self) -> str:
        """Untrusted bytes, owned by the sync user: a mirror of the site repository."""
        return f"{self.var}/spool"

    @property
    def mirror(self) -> str:
        """The mirror directory inside the spool: ``metadata/`` and ``targets/``, one format for host, stick
        and neighbour."""
        return f"{self.spool}/mirror"

    @property
    def blobs(self) -> str:
        """Content as it arrives, by hash, not verified by anybody yet; owned by the sync user."""
        return f"{self.spool}/blobs"

    # -- of the other users without rights
    @property
    def content(self) -> str:
        """Verified learning content, owned by the content user, readable by the portal user."""
        return f"{self.var}/content"

    @property
    def portal(self) -> str:
        """What each student keeps in the portal (where they stopped reading), owned by the portal user."""
        return f"{self.var}/portal"

    @property
    def packages(self) -> str:
        """What is asked of the package manager, and how it goes; ``fetched/`` is the sync user's."""
        return f"{self.var}/packages"

    @property
    def flatpaks(self) -> str:
        """What is asked of flatpak, and how it goes; ``fetched/`` is written by the unit that fetches."""
        return f"{self.var}/flatpaks"

    @property
    def asks(self) -> str:
        """What students ask of the school: ``in/`` is the portal user's way to root, ``told.json`` is what
        root tells the portal of it."""
        return f"{self.var}/asks"

    @property
    def telemetry(self) -> str:
        """Records on their way out and those last sent, owned by the sync user, readable by anyone."""
        return f"{self.var}/telemetry"

    @property
    def boot(self) -> str:
        """What must outlive the erasure of everything else: the state of a wipe under way. Root only."""
        return f"{self.root}/boot/bookbag"

    @property
    def outbox(self) -> str:
        """Sealed returns waiting to be uploaded: written and removed by root, readable by the sync user."""
        return f"{self.var}/outbox"

    @property
    def public(self) -> str:
        """World-readable snapshots written by root: status.json and its neighbours."""
        return f"{self.var}/public"

    # -- run time
    @property
    def run(self) -> str:
        """Volatile files."""
        return f"{self.root}/run/bookbag"

    @property
    def control_socket(self) -> str:
        """The local control API."""
        return f"{self.run}/control.sock"

    def state_file(self, name: str) -> str:
        """Path of the typed state file ``name`` (no suffix)."""
        return f"{self.state}/{name}.json"

    def worker_socket(self, name: str) -> str:
        """The socket on which the service manager starts worker ``name``."""
        return f"{self.run}/worker/{name}.sock"

    def on_laptop(self, path: str) -> str:
        """Where the laptop's absolute ``path`` really lies (inside the sandbox's folder, if there is one)."""
        return f"{self.root}{path}"
