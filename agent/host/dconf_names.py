"""What may name a dconf database and a dconf key."""

from __future__ import annotations

from agent.core.errors import BookbagError


def check_database(name: str) -> None:
    """Refuse a database name that is no plain name (``bad-argument``)."""
    plain = name.replace("-", "").replace("_", "")
    if not (plain.isascii() and plain.isalnum()):
        raise BookbagError("bad-argument", f"cannot use {name!r} as the name of a dconf database")


def check_key(key: str) -> None:
    """Refuse what is no dconf key: it begins with a slash, does not end with one, has no empty part."""
    if not key.startswith("/") or key.endswith("/") or "//" in key:
        raise BookbagError(
            "bad-argument", f"cannot use {key!r} as a dconf key", remedy="write it as /org/gnome/…/name"
        )
