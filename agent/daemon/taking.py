"""Taking new word: verify what lies in the mirror, keep it as a generation, compile it. What is not taken
leaves the last good in force.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent import __version__
from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.daemon import lean, wiring
from agent.daemon.enforced import Trouble, compiled_path
from agent.daemon.machine import Machine
from agent.daemon.pending import membership
from agent.policy import compile as compiler
from agent.policy import compiled as cache
from agent.policy.compiled import Compiled
from agent.policy.document import Source
from agent.policy.targeting import DeviceFacts
from agent.store import atomic
from agent.store.statefile import StateFile
from agent.trust.device import Wanted, verify_site
from agent.trust.identity import serial_hash
from agent.trust.paths import MOST_METADATA
from agent.trust.verified import Verified
from agent.trust.view import SiteView

KEPT = 2  #: finished generations
#: Orders that the verification itself obeys; the others are the command worker's.
STANDING = ("assign", "readmit")


@dataclass(frozen=True, slots=True)
class Kept:
    """One document's last readable version."""

    file: str
    data: bytes
    role: str
    power: bool
    ranks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LastGood:
    """The state file ``documents``: each document as it was when it could last be read."""

    documents: tuple[Kept, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


def take(machine: Machine) -> Verified[SiteView]:
    """Verify the mirror and make it what is enforced. Raises what verification refuses with; that is
    remembered, too.
    """
    seen = lean.mirror_seen(machine.layout)
    try:
        word = _verified(machine)
    except BookbagError as problem:
        trouble = Trouble.of("news", problem)
        if machine.enforced.problem is None or machine.enforced.problem.code != trouble.code:
            machine.record("refusal", "news", "refused", trouble.code, trouble.message)
        since = (
            machine.now.at if problem.code == "recovering" and not machine.enforced.recovering_since else 0
        )
        machine.keep(
            replace(
                machine.enforced,
                seen=seen,
                problem=trouble,
                recovering_since=machine.enforced.recovering_since or since,
            )
        )
        raise
    machine.believe(word)
    view = word.value
    _note(machine, view)
    machine.keep(
        replace(
            machine.enforced,
            generation=os.path.basename(view.generation),
            site=view.site,
            groups=_groups(view),
            signed_at=view.signed_at,
            expires=view.expires,
            versions=dict(view.versions),
            refusals=tuple(Trouble(one.subject, one.code, one.message[:1000]) for one in view.refusals),
            recovering_since=view.recovering_since,
            orders=_orders(view),
            seen=seen,
            problem=None,
        )
    )
    compile_view(machine, word)
    prune(machine)
    return word


def compile_view(machine: Machine, word: Verified[SiteView]) -> Compiled:
    """The compiled policy of a verified word, from the cache if nothing that matters has changed."""
    view = word.value
    identity = wiring.identity_of(machine.layout)
    groups = _groups(view)
    device = identity.id if identity else ""
    facts = DeviceFacts(
        view.site, device, groups.get("school", ""), groups.get("year", ""), groups.get("class", "")
    )
    sources = [Source(one.path, one.data, one.role, one.power, one.ranks) for one in view.documents]
    key = compiler.fingerprint(sources, facts)
    path = compiled_path(machine.layout)
    found = cache.load(path, key)
    if found is None:
        found = _compile(machine, sources, facts)
        cache.save(path, found)
        machine.record(
            "word",
            view.site,
            "taken",
            message=f"{len(view.documents)} documents, policy {found.fingerprint[:16]}",
        )
    machine.keep(
        replace(
            machine.enforced,
            generation=os.path.basename(view.generation),
            fingerprint=found.fingerprint,
            program=__version__,
            device=device,
            site=view.site,
            groups=groups,
            signed_at=view.signed_at,
            expires=view.expires,
            versions=dict(view.versions),
            recovering_since=view.recovering_since,
        )
    )
    return found


def prune(machine: Machine) -> None:
    """Drop all generations but the newest ones, and attempts that were never finished."""
    top = machine.layout.generations
    names = sorted(os.listdir(top), reverse=True)
    finished = [name for name in names if os.path.exists(f"{top}/{name}/view.json")]
    for name in names:
        if name != machine.enforced.generation and name not in finished[:KEPT]:
            shutil.rmtree(f"{top}/{name}", ignore_errors=True)


def _verified(machine: Machine) -> Verified[SiteView]:
    layout = machine.layout
    identity = wiring.identity_of(layout)
    root = atomic.read(layout.bootstrap_root, max_bytes=MOST_METADATA)
    if identity is None or root is None:
        raise BookbagError(
            "not-enrolled",
            "cannot take new state: this laptop is not enrolled",
            remedy="use `bookbag enrol FILE`",
        )
    held = membership(layout)
    if held is None:
        raise BookbagError(
            "not-enrolled",
            "cannot take new state: this laptop is of no site",
            remedy="use `bookbag enrol FILE`",
        )
    before = machine.enforced.generation
    wanted = Wanted(
        site=held.site,
        bootstrap_root=root,
        now=machine.now,
        generation=_next_folder(layout.generations),
        previous=machine.folder(before) if before else None,
        enrolled=bool(before),
        identity=identity,
        serial_sha256=serial_hash(held.site, machine.host.facts.serial()),
        lost_since=_lost_since(machine),
    )
    return verify_site(
        layout.mirror, wanted, wiring.open_high_water(layout), mirror_owner=wiring.spool_owner(layout)
    )


def _lost_since(machine: Machine) -> int:
    """Since when this laptop is locked as lost. What cannot be read counts as not lost: then there is
    grace."""
    try:
        return wiring.open_holding(machine.layout, machine.host).read().lost_since
    except BookbagError:
        return 0


def _next_folder(top: str) -> str:
    numbers = [int(name[4:]) for name in os.listdir(top) if name.startswith("gen-") and name[4:].isdecimal()]
    return f"{top}/gen-{max(numbers, default=0) + 1:08d}"


def _compile(machine: Machine, sources: list[Source], facts: DeviceFacts) -> Compiled:
    file = StateFile(machine.layout.state_file("documents"), LastGood, "documents")
    kept = machine.tolerant(file.read) or LastGood()
    last = {one.file: Source(one.file, one.data, one.role, one.power, one.ranks) for one in kept.documents}
    found = compiler.compile_site(sources, facts, last)
    good = compiler.good_sources(sources, last)
    now_kept = LastGood(
        tuple(Kept(one.file, one.data, one.role, one.power, one.ranks) for _, one in sorted(good.items()))
    )
    if now_kept != kept:
        file.write(now_kept)
    return found


def _groups(view: SiteView) -> dict[str, str]:
    held = view.assignment
    return {"school": held.school, "year": held.year, "class": held.class_} if held else {}


def _orders(view: SiteView) -> str:
    """Tells one set of commands from another: those that hold, those refused, those that contradict each
    other."""
    held = [one.digest for one in view.orders if one.kind not in STANDING]
    refused = [f"{one.order} {one.code}" for one in view.refusals if one.order]
    if not (held or refused or view.contested):
        return ""
    told = jsontext.canonical([held, refused, list(view.contested)])
    return hashlib.sha256(told).hexdigest()[:32]


def _note(machine: Machine, view: SiteView) -> None:
    """In the ledger: refusals that are new, and a new assignment."""
    known = {(one.subject, one.code) for one in machine.enforced.refusals}
    for refusal in view.refusals:
        if (refusal.subject, refusal.code) not in known:
            machine.record("refusal", refusal.subject, "refused", refusal.code, refusal.message)
    groups = _groups(view)
    if groups and groups != dict(machine.enforced.groups):
        said = ", ".join(f"{name} {value}" for name, value in groups.items() if value)
        machine.record("assign", machine.enforced.device or view.site, "done", message=said)
