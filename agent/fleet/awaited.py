"""Secrets that policies name and laptops were not given: said at the desk, before laptops wait for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.fleet import groups, policies, secrets
from agent.fleet.finding import Finding
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord, SiteRecord
from agent.policy.bases.roster import is_slot
from agent.policy.compiled import Compiled
from agent.policy.desk.preview import compile_each

_SHOWN = 5


def check(folder: Folder, site: SiteRecord, devices: Sequence[DeviceRecord]) -> Iterator[Finding]:
    """One notice for each secret; policies must be sound. Raises BookbagError for a file that cannot be
    read."""
    laptops = [one for one in devices if one.state == "assigned" and one.device]
    facts = [groups.facts(site.site, one) for one in laptops]
    named: dict[str, dict[str, str]] = {}
    lacking: dict[tuple[str, str], list[str]] = {}
    for laptop, compiled in zip(laptops, compile_each(policies.sources(folder, site), facts), strict=True):
        if compiled.fingerprint not in named:
            named[compiled.fingerprint] = _named(compiled)
        wanted = named[compiled.fingerprint]
        given = set(secrets.held(folder, laptop, site.epoch).names) if wanted else set()
        for secret, place in wanted.items():
            if secret not in given:
                lacking.setdefault((secret, place), []).append(laptop.name)
    known = secrets.names(folder) if lacking else []
    for (secret, place), names in sorted(lacking.items()):
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else "")
        if is_slot(secret):
            remedy = "bookbag-fleet roster import ROSTER.csv --sheet FILE --as PERSON"
            why = f"laptops will wait for accounts of the roster, of which none was given to {shown}"
            yield Finding(place, "awaited", why, remedy, blocks=False)
            continue
        begin = "" if secret in known else f"bookbag-fleet secret set {secret}; then "
        remedy = f"{begin}bookbag-fleet secret give {secret} LAPTOP… (or --to year=…) --as PERSON"
        why = f"laptops will wait for the secret {secret}, which was not given to {shown}"
        yield Finding(place, "awaited", why, remedy, blocks=False)


def _named(compiled: Compiled) -> dict[str, str]:
    """Secret → where a policy asks for it first."""
    found: dict[str, str] = {}
    for item in compiled.items():
        for secret in item.resource().secrets():
            origin = item.origins()[0]
            found.setdefault(secret, f"{origin.file}:{origin.line}")
    return found
