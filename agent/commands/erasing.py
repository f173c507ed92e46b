"""Crypto-erasure of a laptop's volumes: looked at before, done, proven by looking again, certified.

The fields of the certificate are those of NIST SP 800-88's sample form; its grade says what was done, never
more.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent import __version__
from agent.commands.case import Case
from agent.core.errors import BookbagError
from agent.host.base import Host, Volumes
from agent.trust.identity import serial_hash

if TYPE_CHECKING:
    from agent.commands.handler import World

MOST_SAMPLED = 512  #: blocks of each volume that are looked for again


def look(host: Host, memory: Mapping[str, object]) -> dict[str, object]:
    """``memory``, and what there is to erase, for `erase` to compare with. A volume that cannot be looked at
    keeps no other from being erased; what was not seen of it is not claimed later."""
    volumes = _volumes(host)
    return {**memory, "volumes": {name: _seen(volumes, name) for name in _names(volumes, memory)}}


def _seen(volumes: Volumes, name: str) -> dict[str, object]:
    try:
        slots, sampled = volumes.keyslots(name), volumes.sample(name)
    except BookbagError:
        return {"format": "not seen", "slots": [], "header": "", "sampled": []}
    return {
        "format": slots.format,
        "slots": list(slots.slots),
        "header": slots.header,
        "sampled": list(sampled[:MOST_SAMPLED]),
    }


def erase(host: Host, memory: Mapping[str, object]) -> BookbagError | None:
    """Destroy every key slot and read back; why it is not proven, None if it is. Safe to repeat."""
    volumes = _volumes(host)
    before, names = memory.get("volumes"), _names(volumes, memory)
    problems = [] if names else ["nothing says any more which volumes there are"]
    for name in names:
        known = before.get(name) if isinstance(before, Mapping) else None
        sampled = known.get("sampled") if isinstance(known, Mapping) else None
        try:
            volumes.erase_keys(name)
            left = volumes.keyslots(name).slots
            old = set(volumes.sample(name)) & set(sampled if isinstance(sampled, (list, tuple)) else ())
        except BookbagError as error:
            problems.append(f"{os.path.basename(name)}: {error.message}")
            continue
        if left or old:
            problems.append(
                f"{os.path.basename(name)}: {len(left)} key slots and {len(old)} old blocks are left"
            )
    if problems:
        return BookbagError("not-effective", f"cannot prove the erasure: {'; '.join(problems)}"[:1000])
    return None


def certificate(case: Case, world: World) -> dict[str, object]:
    """What the desk, and whoever gets the laptop next, may rely on."""
    before = case.memory.get("volumes")
    seen = before if isinstance(before, Mapping) else {}
    return {
        "standard": "NIST SP 800-88r2",
        "sanitization": "purge" if not world.host.simulated else "simulated",
        "technique": "cryptographic erase: every key slot of every volume destroyed",
        "grade": "crypto-erase",
        "tool": f"bookbag {__version__}, {'simulated' if world.host.simulated else 'cryptsetup luksErase'}",
        "verification": "no key slot left, and none of the sampled blocks of the former key area",
        "volumes": [
            {
                "name": os.path.basename(name),
                "format": one["format"],
                "slots-before": len(one["slots"]),
                "blocks-sampled": len(one["sampled"]),
                "slots-after": 0,
            }
            for name, one in sorted(seen.items())
        ],
        "serial-sha256": serial_hash(world.word.value.site, world.host.facts.serial()),
        "ordered-by": list(case.persons),
        "ordered-at": case.issued,
        "erased-at": case.since,
        "clock": world.now.quality,
        "not-covered": "what lies outside these volumes, and copies of their headers kept elsewhere",
    }


def _names(volumes: Volumes, memory: Mapping[str, object]) -> tuple[str, ...]:
    """What is to be erased: a volume that was there when the order was armed is not forgotten because its
    record is."""
    armed = memory.get("names")
    before = [str(name) for name in armed] if isinstance(armed, (list, tuple)) else []
    return tuple(dict.fromkeys((*volumes.names(), *before)))


def _volumes(host: Host) -> Volumes:
    if host.volumes is None:
        raise BookbagError("not-supported", "cannot erase this machine: it has no encrypted volumes")
    return host.volumes
