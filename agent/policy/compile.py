"""Documents and one device become a compiled policy: targeting, ranks, settings to resources, and I-7.

Pure: nothing here looks at a machine or a clock. The same documents for the same device at the same moment
give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, replace

from agent import __version__
from agent.core.errors import BookbagError
from agent.policy.arranging import NOTHING, Arrangement
from agent.policy.building import Build
from agent.policy.choosing import NOBODY, Chosen
from agent.policy.compiled import FORM, Compiled
from agent.policy.document import PolicyDocument, Source, read_document
from agent.policy.scheduling import At, During, Moment, Schedule, schedule, startable
from agent.policy.syntax.problems import Problems
from agent.policy.targeting import DeviceFacts, meant

#: As `read_document`.
Read = Callable[[Source, Problems], PolicyDocument | None]


def fingerprint(sources: Iterable[Source], device: DeviceFacts) -> str:
    """64 hex over all that a compiled policy depends on but the moment: documents, entitlements, device, and
    this program's version.
    """
    documents = sorted(
        [one.file, one.sha256, one.role, one.power, sorted(one.ranks or ())] for one in sources
    )
    text = json.dumps([FORM, __version__, astuple(device), documents], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def compile_site(
    sources: Sequence[Source],
    device: DeviceFacts,
    last_good: Mapping[str, Source] | None = None,
    moment: Moment | None = None,
    read: Read = read_document,
    arrangement: Arrangement = NOTHING,
    chosen: Chosen = NOBODY,
) -> Compiled:
    """What ``device`` should be by these signed documents, at ``moment`` (None: while no timetable is on),
    beside what is arranged for it and what people there chose.

    A document that cannot be read never takes the others down: its last good version (``last_good``, by
    file name) stays in force, under the entitlements of today, and the refusal says so. Everything else
    that is not acceptable is a refusal inside the result.
    """
    build = Build(device, arrangement, chosen)
    documents: list[PolicyDocument] = []
    for source in sources:
        document = _readable(source, (last_good or {}).get(source.file), build, read)
        if document is not None and _entitled(document, build):
            documents.append(document)
    for first, second in _same_id(documents):
        build.refuse(second, "", BookbagError("conflict", _twice(first, second), place=second.source.file))
        documents.remove(second)
    mine = sorted((one for one in documents if meant(one.applies_to, device)), key=lambda one: one.order)
    held = schedule(mine, moment or During())
    build.run(held)
    inputs = fingerprint(sources, device)
    return build.compiled(
        {
            "fingerprint": _at_this_time(inputs, held, arrangement.digest, chosen.digest),
            "inputs": inputs,
            "timed": any(one.when is not None for one in mine),
            "at": moment.at if isinstance(moment, At) else None,
            "session": list(moment.session) if isinstance(moment, At) else [],
            "startable": startable(mine),
            "until": held.until,
            "scheduled": [list(one) for one in held.scheduled],
            **({"told": _at_this_time(inputs, held)} if arrangement.digest or chosen.digest else {}),
        }
    )


def _at_this_time(inputs: str, held: Schedule, *private: str) -> str:
    """64 hex over ``inputs``, which scheduled documents hold, and what is arranged and chosen: two times of
    one word that are alike are one policy."""
    more = [one for one in (held.scheduled, *private) if one]
    return hashlib.sha256(json.dumps([inputs, *more]).encode()).hexdigest() if more else inputs


def good_sources(sources: Iterable[Source], last_good: Mapping[str, Source]) -> dict[str, Source]:
    """What to keep as ``last_good`` for the next time: each readable document, else its earlier version."""
    kept: dict[str, Source] = {}
    for source in sources:
        if read_document(source, Problems()) is not None:
            kept[source.file] = source
        elif source.file in last_good:
            kept[source.file] = last_good[source.file]
    return kept


def _readable(source: Source, earlier: Source | None, build: Build, read: Read) -> PolicyDocument | None:
    problems = Problems()
    document = read(source, problems)
    if document is not None:
        return document
    error = problems.errors[0]
    kept = None
    if earlier is not None:
        kept = read(replace(source, data=earlier.data), Problems())
    stays = "its last good version stays in force" if kept else "nothing of it is in force"
    message = f"{error.message} ({stays})"
    build.refuse_file(source, BookbagError(error.code, message, place=error.place, remedy=error.remedy))
    return kept


def _entitled(document: PolicyDocument, build: Build) -> bool:
    ranks = document.source.ranks
    if ranks is None or document.rank in ranks:
        return True
    role, may = document.source.role, ", ".join(ranks) or "none"
    message = f"cannot accept rank {document.rank} from the role {role!r}: it may use {may}"
    build.refuse(document, "", BookbagError("not-allowed", message, place=document.source.file))
    return False


def _same_id(documents: Sequence[PolicyDocument]) -> list[tuple[PolicyDocument, PolicyDocument]]:
    """Of each id the one that holds, and the others. Whose two persons signed holds, then the farther rank's,
    then the first by its file: nobody takes a document out by signing another of its name."""
    first: dict[str, PolicyDocument] = {}
    pairs = []
    for document in sorted(documents, key=lambda one: (not one.source.power, one.order, one.source.file)):
        if document.id in first:
            pairs.append((first[document.id], document))
        else:
            first[document.id] = document
    return pairs


def _twice(first: PolicyDocument, second: PolicyDocument) -> str:
    holds, falls = first.source.file, second.source.file
    return f"cannot accept two documents called {second.id}: {holds} holds, {falls} does not"
