"""Learning content as trust sees it: small catalogues, for tests that care about who may sign them."""

from __future__ import annotations

import hashlib

from agent.trust.catalogue import Catalogue, CatalogueItem


def offer(name: str, title: str = "", **more: object) -> CatalogueItem:
    """An item called ``name``; its hash follows from name and title."""
    digest = hashlib.sha256(f"{name} {title}".encode()).hexdigest()
    known: dict[str, object] = {"lang": "en", "subject": "maths", **more}
    return CatalogueItem(
        id=name,
        manifest=digest,
        manifest_size=700,
        size=1000,
        stored=400,
        files=3,
        title={"en": title or name},
        form="site",
        **known,  # type: ignore[arg-type]
    )


def catalogue(site: str, role: str, *items: CatalogueItem) -> bytes:
    """catalogue.json of a role."""
    return Catalogue(site, role, tuple(items)).to_bytes()
