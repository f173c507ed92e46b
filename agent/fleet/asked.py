"""An answer to what a student asked: a *yes* is an ordinary policy in the folder, which is checked, planned,
signed and published like any other; the answer itself allows nothing.

Whether the policy would do what the answer says is found out first, on that very laptop's policies, by the
code that the laptop runs: what `final`, a nearer rank or root power forbids is told before anything is
written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet import groups, policies
from agent.fleet.emit import emit
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord, SiteRecord
from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.desk.check import check_documents
from agent.policy.desk.preview import needs_power
from agent.policy.document import Source, read_document
from agent.policy.scheduling import At
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.sites import EVERY
from agent.trust import drafts
from agent.trust.asks import Request

OPENED, CLOSED = "browser.allowed-sites", "browser.blocked-sites"
#: Where the text of a value goes that was written as in a policy.
_MARK = "value-of-the-answer"
#: For whom → the rank that a yes speaks with.
RANK = {"me": "device", "class": "class", "all": "school"}
LAST_ZONE = "Etc/GMT+12"  #: where a day ends last
_SPAN = 31  #: days of one date of a timetable
MOST_DAYS = 366 * 5  #: that an answer may hold
REVIEWED = 90 * DAY  #: until somebody looks again, where the answer has no end
_WHY = {
    "en": "Somebody asked for this, and the school said yes.",
    "ar": "طلب أحدهم هذا وقالت المدرسة نعم.",
}


@dataclass(frozen=True, slots=True)
class Yes:
    """What a person says yes to. ``value``: the text of the setting's new value, as in a policy; ``until``:
    the last day, YYYY-MM-DD or ""; ``why``: language → text."""

    whom: str
    person: str
    role: str = ""
    value: str = ""
    until: str = ""
    why: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """What a request is about, as it is now by the folder's policies. ``policy``: who decides it."""

    value: str
    policy: str


def policy_id(request: Request) -> str:
    """The id of the policy that brings a yes about."""
    return f"asked-{request.id[:16]}"


def present(request: Request, compiled: Compiled) -> Present:
    """What is decided about it now; empty texts if nothing is."""
    if request.kind == drafts.SITE:
        which = _nearest(_listed(compiled, CLOSED), request.address)
        opened = _nearest(_listed(compiled, OPENED), request.address)
        if not which:
            return Present("", "")
        if opened and (which == EVERY or len(opened) >= len(which)):  # of two names the more exact one holds
            return Present("open", compiled.decided_by(OPENED).policy)
        return Present(f"closed by {which}", _who_says(compiled, CLOSED, which))
    row = compiled.settings.get(request.about)
    return (
        Present("", "")
        if row is None
        else Present(str(row["shown"]), compiled.decided_by(request.about).policy)
    )


def draft(folder: Folder, record: DeviceRecord, request: Request, yes: Yes, now: int) -> Source:
    """The policy of a yes, as a file of the folder that is not written yet. Raises ``not-allowed`` (they may
    not say that, or a policy forbids it), ``root-power``, ``bad-policy``, ``bad-argument``,
    ``already-done``."""
    site = folder.site()
    role = _role(site, yes)
    data = _text(record, request, yes, now)
    file = f"policies/{role}/{policy_id(request)}.yaml"
    source = Source(file, data, role, False, site.roles[role].ranks)
    problems = Problems()
    document = read_document(source, problems, strict=True)
    if document is None or problems.errors:
        raise _as_argument(problems.errors[0], yes)
    if reasons := needs_power(source):
        raise BookbagError(
            "root-power",
            f"cannot answer with this: two persons must decide it ({reasons[0]})",
            remedy="write a policy in power/ and answer with --no and a --text that says so, or tell them",
        )
    others = [one for one in policies.sources(folder, site) if one.file != file]
    found = [one for one in check_documents([*others, source]) if one.place.startswith(file)]
    if found:
        raise BookbagError(
            "not-allowed", f"cannot say yes like this: {found[0].message}", remedy=found[0].remedy
        )
    facts = groups.facts(site.site, record)
    before, after = (compile_site(one, facts, None, At(now)) for one in (others, [*others, source]))
    _require_effect(request, document.settings[0].value, before, after, file)
    return source


def write(folder: Folder, source: Source) -> None:
    """Put it into the folder: it counts once it is signed and published."""
    folder.write(folder.root / source.file, source.data)


def withdraw(folder: Folder, request: Request) -> tuple[str, ...]:
    """Take away what an earlier yes to this request wrote; the names of those files."""
    name = f"{policy_id(request)}.yaml"
    gone = [file for file in folder.document_files() if Path(file).name == name]
    for file in gone:
        (folder.root / file).unlink()
    return tuple(gone)


def _role(site: SiteRecord, yes: Yes) -> str:
    """In whose role the person may say this: the one with the fewest ranks. Raises ``not-allowed``."""
    rank = RANK[yes.whom]
    fits = [
        name
        for name, role in site.roles.items()
        if yes.person in role.persons and rank in role.ranks and yes.role in ("", name)
    ]
    if not fits:
        raise BookbagError(
            "not-allowed",
            f"cannot say yes for {yes.whom} as {yes.person}: no role of theirs speaks for rank {rank}",
            remedy="let somebody answer whose role does, or choose another --for; roles stand in site.yaml",
        )
    return min(fits, key=lambda name: (len(site.roles[name].ranks), name))


def _text(record: DeviceRecord, request: Request, yes: Yes, now: int) -> bytes:
    """The document. It is published in clear: it names no laptop but by its id, no student and no words of
    theirs, and what is said to one alone goes to them sealed."""
    head: dict[str, object] = {
        "policy": policy_id(request),
        "rank": RANK[yes.whom],
        "owner": yes.person,
        **_expiry(policy_id(request), yes.until, now),
    }
    if applies := _applies(record, yes.whom):
        head["applies-to"] = applies
    why = dict(_WHY if yes.whom == "me" else yes.why or _WHY)
    key = OPENED if request.kind == drafts.SITE else request.about
    form: dict[str, object] = {"value": _MARK, "why": why}
    if request.kind == drafts.SITE:
        form["value"] = [request.address]
    text = emit({**head, "settings": {key: form}}, comment="The answer to a request: bookbag-fleet asks")
    return text.replace(_MARK.encode(), yes.value.encode())


def _expiry(name: str, until: str, now: int) -> dict[str, object]:
    """How the document ends: with a day, by a timetable of its own from yesterday until that day is over
    everywhere on earth; without one, not by itself, but somebody looks again."""
    if not until:
        return {"review-by": _day(now + REVIEWED)}
    begin, end = date.fromisoformat(_day(now - DAY)), date.fromisoformat(until) + timedelta(days=1)
    dates = []
    while begin < end:
        after = min(begin + timedelta(days=_SPAN), end)
        dates.append({"from": f"{begin} 00:00", "until": f"{after} 00:00"})
        begin = after
    table = {"zone": LAST_ZONE, "dates": dates}
    return {"review-by": until, "when": {"timetable": name}, "timetables": {name: table}}


def over(folder: Folder, now: int) -> list[str]:
    """The answers whose time is over: what they wrote opens nothing any more."""
    yesterday = _day(now - DAY)
    found = []
    for file in folder.document_files():
        one = folder.document(file) if Path(file).name.startswith("asked-") else None
        document = read_document(Source(file, one.data, one.role), Problems()) if one is not None else None
        if document is not None and document.when is not None and document.review_by < yesterday:
            found.append(file)
    return found


def _applies(record: DeviceRecord, whom: str) -> dict[str, object]:
    if whom == "me":
        return {"device": [record.device or ""]}
    if whom == "all":
        return {}
    if not record.class_:
        raise BookbagError(
            "bad-argument", f"cannot say yes for the class of {record.name}: it is in none", remedy="--for me"
        )
    groups_ = {"school": record.school, "year": record.year, "class": record.class_}
    return {key: [value] for key, value in groups_.items() if value}


def _require_effect(request: Request, value: object, before: Compiled, after: Compiled, file: str) -> None:
    """Raises unless that laptop would do what the answer says."""
    if request.kind == drafts.SITE and not present(request, before).value.startswith("closed"):
        raise BookbagError(
            "already-done",
            f"cannot open {request.address}: no policy closes it on this laptop",
            remedy="the fault lies elsewhere: answer with --no and a --text",
        )
    told = [str(row["message"]) for row in (*after.conflicts, *after.refusals) if file in str(row)]
    key = OPENED if request.kind == drafts.SITE else request.about
    row = after.settings.get(key)
    if request.kind == drafts.SITE:
        done = present(request, after).value == "open"
    else:
        done = row is not None and (row["value"] == value or _contains(row["value"], value))
    if done and not told:
        return
    lost = [str(one["reason"]) for one in _rows(row) if after.origin(_index(one)).file == file]
    why = (*told, *lost) or ("another policy decides it",)
    raise BookbagError(
        "not-allowed",
        f"cannot say yes: {why[0]}",
        remedy="change that policy with whoever answers for it, choose another --for, or answer with --no",
    )


def _contains(joined: object, part: object) -> bool:
    return isinstance(joined, list) and isinstance(part, list) and all(one in joined for one in part)


def _rows(row: Mapping[str, object] | None) -> Sequence[Mapping[str, object]]:
    lost = row["lost"] if row is not None else ()
    assert isinstance(lost, (list, tuple))  # noqa: S101
    return lost


def _index(row: Mapping[str, object]) -> int:
    index = row["origin"]
    assert isinstance(index, int)  # noqa: S101
    return index


def _listed(compiled: Compiled, key: str) -> list[str]:
    row = compiled.settings.get(key)
    value = row["value"] if row is not None else ()
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else []


def _nearest(entries: Sequence[str], host: str) -> str:
    """The most exact of ``entries`` that means the whole of ``host``; "" if none does."""
    fits = [one for one in entries if one in (EVERY, host) or host.endswith(f".{one}")]
    return max(fits, key=lambda one: 0 if one == EVERY else len(one), default="")


def _who_says(compiled: Compiled, key: str, entry: str) -> str:
    """The policy that names ``entry``."""
    origins = compiled.settings[key]["origins"]
    assert isinstance(origins, list)  # noqa: S101
    for one in origins:
        if entry in one["value"]:
            return compiled.origin(one["origin"]).policy
    return compiled.decided_by(key).policy


def _as_argument(problem: BookbagError, yes: Yes) -> BookbagError:
    given = f" with --value {yes.value}" if yes.value else ""
    return BookbagError("bad-policy", f"cannot say yes{given}: {problem.message}", remedy=problem.remedy)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
