"""From a verified word to the compiled policy of this laptop: out of the cache, or made anew.

A document that cannot be read keeps its last readable version in force; those are remembered here. Nothing of
this decides what is enforced: that is one write of `Enforced`, by whoever asked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent import __version__
from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.daemon.choosing import taken_in
from agent.daemon.enforced import Enforced, Trouble, compiled_path
from agent.policy import compile as compiler
from agent.policy import compiled as cache
from agent.policy.arranging import NOTHING, Arrangement
from agent.policy.choosing import NOBODY, Chosen
from agent.policy.compiled import Compiled
from agent.policy.document import Source, read_document
from agent.policy.scheduling import At, During, names
from agent.policy.syntax.problems import Problems
from agent.policy.targeting import DeviceFacts, meant
from agent.store.statefile import StateFile

if TYPE_CHECKING:
    from agent.trust.view import SiteView

#: Orders that the verification itself obeys; the others are the command worker's.
STANDING = ("assign", "readmit")
#: More are not looked ahead at.
MOST_TIMETABLES = 20


@dataclass(frozen=True, slots=True)
class LastGood:
    """The state file ``documents``: each document as it was when it could last be read."""

    documents: tuple[Source, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


Tolerant = Callable[[Callable[[], LastGood | None]], LastGood | None]


@dataclass(frozen=True, slots=True)
class Made:
    """A compiled policy, and what of it is news."""

    compiled: Compiled
    new_word: bool = False
    turns: tuple[tuple[str, str], ...] = ()  #: id of a scheduled policy → ``begun``, ``ended`` or ``unknown``


def compile_view(
    layout: Layout,
    view: SiteView,
    at: int | None,
    tolerant: Tolerant,
    arrangement: Arrangement = NOTHING,
    session: tuple[str, int] | tuple[()] = (),
    chosen: Chosen = NOBODY,
) -> Made:
    """The compiled policy at ``at``, unix seconds (None: the time is not known), while a teacher has
    ``session`` on. ``tolerant`` reads state that may be damaged."""
    sources = [Source(one.path, one.data, one.role, one.power, one.ranks) for one in view.documents]
    facts = _facts(layout, view)
    path = compiled_path(layout)
    inputs = compiler.fingerprint(sources, facts)
    found = cache.load(path)
    new = found is None or found.inputs != inputs
    timely = found is not None and not new and found.timely(at, session)
    here = (arrangement.digest, chosen.digest)
    if found is not None and timely and (found.arrangement, found.choice) == here:
        return Made(found)
    made = _compile(layout, sources, facts, At(at, session), tolerant, arrangement, chosen)
    cache.save(path, made)
    return Made(made, new, tuple(_turns(found, made)))


def _turns(before: Compiled | None, after: Compiled) -> Iterator[tuple[str, str]]:
    """The scheduled policies that began or ended, or of which that is not known any more."""
    old, new = dict(before.scheduled) if before else {}, dict(after.scheduled)
    for policy in sorted(old.keys() | new.keys()):
        if old.get(policy) != new.get(policy):
            now = new.get(policy)
            yield policy, "ended" if now is None else "begun" if now else "unknown"


def while_on(layout: Layout, compiled: Compiled, arrangement: Arrangement = NOTHING) -> dict[str, Compiled]:
    """What this laptop would be by the documents of ``compiled`` while each timetable that any of them goes
    by is on, by the timetable's name; of documents that cannot be read any more, nothing.
    """
    if not compiled.data["timed"]:
        return {}
    try:
        kept = StateFile(layout.state_file("documents"), LastGood, "documents", stay=True).read()
    except BookbagError:
        return {}
    device = compiled.data["device"]
    assert isinstance(device, dict)  # noqa: S101
    facts = DeviceFacts(**device)
    sources = kept.documents if kept else ()
    read = (read_document(one, Problems()) for one in sources)
    mine = [one for one in read if one is not None and meant(one.applies_to, facts)]
    found = list(names(mine))[:MOST_TIMETABLES]
    return {
        name: compiler.compile_site(
            sources,
            facts,
            None,
            During(frozenset([name])),
            arrangement=arrangement,
            chosen=taken_in(compiled),
        )
        for name in found
    }


def enforcing(before: Enforced, view: SiteView, compiled: Compiled) -> Enforced:
    """``before``, with ``view`` in force as ``compiled``."""
    device = compiled.data["device"]
    assert isinstance(device, dict)  # noqa: S101
    return replace(
        before,
        generation=os.path.basename(view.generation),
        fingerprint=compiled.fingerprint,
        program=__version__,
        device=str(device["device"]),
        site=view.site,
        groups=groups(view),
        signed_at=view.signed_at,
        expires=view.expires,
        versions=dict(view.versions),
        refusals=tuple(Trouble(one.subject, one.code, one.message[:1000]) for one in view.refusals),
        recovering_since=view.recovering_since,
        orders=orders(view),
    )


def groups(view: SiteView) -> dict[str, str]:
    """School, year and class, as a person assigned them; nothing before that."""
    held = view.assignment
    return {"school": held.school, "year": held.year, "class": held.class_} if held else {}


def orders(view: SiteView) -> str:
    """Tells one set of commands from another: those that hold, those refused, those that contradict each
    other."""
    held = [one.digest for one in view.orders if one.kind not in STANDING]
    refused = [f"{one.order} {one.code}" for one in view.refusals if one.order]
    if not (held or refused or view.contested):
        return ""
    told = jsontext.canonical([held, refused, list(view.contested)])
    return hashlib.sha256(told).hexdigest()[:32]


def _facts(layout: Layout, view: SiteView) -> DeviceFacts:
    identity = wiring.identity_of(layout)
    held = groups(view)
    return DeviceFacts(
        view.site,
        identity.id if identity else "",
        held.get("school", ""),
        held.get("year", ""),
        held.get("class", ""),
    )


def _compile(
    layout: Layout,
    sources: list[Source],
    facts: DeviceFacts,
    moment: At,
    tolerant: Tolerant,
    arrangement: Arrangement,
    chosen: Chosen,
) -> Compiled:
    file = StateFile(layout.state_file("documents"), LastGood, "documents")
    kept = tolerant(file.read) or LastGood()
    last = {one.file: one for one in kept.documents}
    found = compiler.compile_site(sources, facts, last, moment, arrangement=arrangement, chosen=chosen)
    good = compiler.good_sources(sources, last)
    now_kept = LastGood(tuple(one for _, one in sorted(good.items())))
    if now_kept != kept:
        file.write(now_kept)
    return found
