"""The publisher's online keys in ``keys/online/``: readable by the service without a passphrase, never in
git.

Whoever steals them can make old things look fresh or withhold new ones, until the next root; he can command
nothing.
"""

from __future__ import annotations

import os

from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.fleet.records import OnlineRecord
from agent.trust.keys import PublicKey, SigningKey
from agent.trust.site.online import Online, OnlinePublic

NAMES = ("timestamp", "snapshot", "mail")


def save(folder: Folder, online: Online) -> None:
    """Write the three keys, mode 0600; those they replace are kept as ``previous-…`` until the next
    rotation."""
    for name in NAMES:
        path = folder.online / f"{name}.pem"
        if path.exists():
            folder.write(folder.online / f"previous-{name}.pem", folder.read(path), mode=0o600)
        key: SigningKey = getattr(online, name)
        folder.write(path, key.to_pem(), mode=0o600)


def here(folder: Folder) -> bool:
    """Whether this is the machine that publishes."""
    return (folder.online / "timestamp.pem").exists()


def load(folder: Folder) -> Online:
    """The three keys. Raises ``bad-key`` if this machine does not have them."""
    previous = None
    if all((folder.online / f"previous-{name}.pem").exists() for name in NAMES):
        previous = _set(folder, "previous-", None)
    return _set(folder, "", previous)


def _set(folder: Folder, prefix: str, previous: Online | None) -> Online:
    timestamp, snapshot, mail = (_load(folder, prefix + name) for name in NAMES)
    return Online(timestamp, snapshot, mail, previous)


def _load(folder: Folder, name: str) -> SigningKey:
    path = folder.online / f"{name}.pem"
    place = folder.relative(path)
    if not path.exists():
        raise BookbagError(
            "bad-key",
            "cannot publish from this machine: the online keys are not here",
            place=place,
            remedy="publish where they are (the machine that runs serve), or copy keys/online/ from there",
        )
    if os.stat(path).st_mode & 0o077:
        raise BookbagError(
            "bad-key",
            "cannot use this key: others on this machine can read it",
            place=place,
            remedy=f"chmod 600 {path}; if others may have read it: bookbag-fleet rotate online",
        )
    return SigningKey.load_pem(folder.read(path), place=place)


def record(online: Online) -> OnlineRecord:
    """Their public halves, for site.yaml."""
    public = online.public
    return OnlineRecord(public.timestamp.hex, public.snapshot.hex, public.mail.hex)


def public(told: OnlineRecord) -> OnlinePublic:
    """The public halves that site.yaml names. Raises ``bad-key``."""
    return OnlinePublic(*[PublicKey.from_hex(getattr(told, name)) for name in NAMES])
