"""My laptop: how it stands, what the school has to say, and ways to everything that is decided, done and
told."""

from __future__ import annotations

from collections.abc import Mapping

from agent.portal.dates import moment
from agent.portal.frame import page
from agent.portal.guard import written
from agent.portal.html import Child, Html, join, tag
from agent.portal.public import mapping, rows, text, whole
from agent.portal.visit import Visit, foreign, machine

#: The pages below this one: path → name.
TABS = (
    ("/laptop", "laptop.tab.overview"),
    ("/laptop/settings", "laptop.tab.settings"),
    ("/laptop/programs", "laptop.tab.programs"),
    ("/laptop/asks", "laptop.tab.asks"),
    ("/laptop/ledger", "laptop.tab.ledger"),
    ("/laptop/sent", "laptop.tab.sent"),
)
#: Where to ask the school for something.
FORM = "/laptop/ask"
#: How things stand → how that looks.
LOOKS = {
    **dict.fromkeys(("in-force", "changed", "healed", "restored", "done", "verified"), "good"),
    **dict.fromkeys(("pending", "not-yet", "backed-off", "kept"), "wait"),
    **dict.fromkeys(("not-supported", "overruled", "unmet"), "wait"),
    **dict.fromkeys(("received", "armed", "started", "unproven"), "wait"),
    **dict.fromkeys(("failed", "refused", "not-effective", "committed", "keys", "conflict"), "bad"),
}
_MOST_MESSAGES = 50


def overview(visit: Visit) -> Html:
    """The first page."""
    say = visit.say
    public = visit.parts.public
    status = public.read("status")
    return page(
        visit,
        say("laptop.title"),
        tag("h1", say("laptop.title")),
        tabs(visit),
        _lock(visit, public.read("lock")),
        _standing(visit, status) if status else tag("p", say("laptop.unknown"), class_="card"),
        _messages(visit, public.read("messages")),
        _facts(visit, status, public.read("settings")) if status else None,
    )


def tabs(visit: Visit) -> Html:
    """The ways between the pages about this laptop."""
    links = [
        tag(
            "li",
            tag(
                "a",
                visit.say(key),
                href=path,
                class_="button",
                aria_current="page" if path == visit.path else None,
            ),
        )
        for path, key in TABS
    ]
    return tag("nav", tag("ul", *links, class_="tabs"), aria_label=visit.say("laptop.title"))


def ask(visit: Visit, about: str = "", title: str = "") -> Html:
    """The way to ask about a setting, or for a site if ``about`` is ""."""
    say = visit.say
    if not about:
        return tag("a", say("asks.site"), href=FORM, class_="button")
    named = tag("span", f" {title or about}", class_="unseen")
    return tag("a", say("asks.ask"), named, href=f"{FORM}?{written({'about': about})}", class_="button")


def state(visit: Visit, outcome: str) -> Html:
    """How something stands, as a word with a sign; nothing if that is not known."""
    if not outcome:
        return Html()
    shown = visit.say.maybe(f"outcome.{outcome}", outcome)
    return tag("span", shown, class_=f"state {LOOKS.get(outcome, '')}".strip())


def _lock(visit: Visit, lock: Mapping[str, object] | None) -> Html:
    if not lock or not (lock.get("locked") is True or whole(lock, "erase_at")):
        return Html()
    say = visit.say
    erase = whole(lock, "erase_at")
    facts: list[tuple[str, Child]] = []
    if erase:
        facts.append((say("lock.when"), moment(erase, say)))
    if lock.get("locked") is True:
        facts.append((say("lock.since"), moment(whole(lock, "since"), say)))
        facts.append((say("lock.grade"), say.maybe(f"lock.grade.{whole(lock, 'grade')}", "?")))
    if contact := text(lock, "contact"):
        facts.append((say("lock.contact"), foreign(contact)))
    if challenge := text(lock, "challenge"):
        facts.append((say("lock.challenge"), tag("span", challenge, class_="challenge", dir="ltr")))
    return tag(
        "section",
        tag("h2", say("lock.erase") if erase else say("lock.locked"), id="lock"),
        visit.spoken(mapping(lock, "message"), name="p"),
        pairs(facts),
        class_="card",
        aria_labelledby="lock",
    )


def _standing(visit: Visit, status: Mapping[str, object]) -> Html:
    """One sentence, one look, and what is behind it."""
    say = visit.say
    look, key = _headline(status)
    pause = mapping(status, "pause")
    counts = mapping(status, "outcomes")
    known = [(name, count) for name, count in counts.items() if isinstance(count, int) and count]
    return tag(
        "section",
        tag("strong", say(f"standing.{key}")),
        tag("span", say(f"standing.{key}.more"), class_="soft"),
        tag("p", say("standing.paused-by"), " ", foreign(text(pause, "reason"))) if pause else None,
        tag("ul", *[_count(visit, name, count) for name, count in known], class_="tabs") if known else None,
        class_=f"card hero {look}",
        aria_label=say("standing.label"),
    )


def _count(visit: Visit, name: str, count: int) -> Html:
    shown = visit.say.maybe(f"outcome.{name}", name)
    return tag("li", tag("span", f"{shown}: {count}", class_=f"state {LOOKS.get(name, '')}".strip()))


def _headline(status: Mapping[str, object]) -> tuple[str, str]:
    """(look, key) of the one thing to say about this laptop."""
    if text(status, "enrolment") != "assigned":
        return ("wait", "enrolling") if text(status, "enrolment") not in ("none", "") else ("wait", "alone")
    if mapping(status, "pause"):
        return "wait", "paused"
    if status.get("recovering") is True:
        return "wait", "recovering"
    counts = mapping(status, "outcomes")
    if any(counts.get(name) for name in ("failed", "not-effective", "refused", "backed-off")):
        return "bad", "trouble"
    if counts.get("pending"):
        return "wait", "pending"
    if mapping(status, "word").get("expired") is True:
        return "wait", "old"
    return "good", "fine"


def _messages(visit: Visit, snapshot: Mapping[str, object] | None) -> Html:
    say = visit.say
    messages = rows(snapshot, "messages")[:_MOST_MESSAGES]
    if not messages:
        return join(tag("h2", say("messages.title")), tag("p", say("messages.none"), class_="soft"))
    shown = []
    for one in messages:
        senders = one.get("from")
        names = [name for name in senders if isinstance(name, str)] if isinstance(senders, list) else []
        from_whom = [
            join(foreign(name), say("list.comma") if at < len(names) else "")
            for at, name in enumerate(names, 1)
        ]
        foot = tag(
            "p",
            say("messages.from"),
            " ",
            *(from_whom or [join(say("messages.school"))]),
            " · ",
            moment(whole(one, "at"), say),
            class_="soft",
        )
        shown.append(tag("li", visit.spoken(mapping(one, "text"), name="p"), foot, class_="card"))
    return join(tag("h2", say("messages.title")), tag("ul", *shown, class_="stack"))


def _facts(visit: Visit, status: Mapping[str, object], settings: Mapping[str, object] | None) -> Html:
    say = visit.say
    facts: list[tuple[str, Child]] = []
    if site := text(status, "site"):
        facts.append((say("facts.site"), foreign(site)))
    groups = mapping(status, "groups")
    for name in ("school", "year", "class"):
        if group := text(groups, name):
            facts.append((say(f"facts.{name}"), foreign(group)))
    if signed := whole(settings, "signed_at"):
        facts.append((say("facts.word"), moment(signed, say)))
    if expires := whole(settings, "expires"):
        facts.append((say("facts.expires"), moment(expires, say)))
    for name in ("device", "version"):
        if value := text(status, name):
            facts.append((say(f"facts.{name}"), machine(value)))
    if status.get("simulated") is True:
        facts.append((say("facts.simulated"), say("facts.simulated.more")))
    return join(tag("h2", say("facts.title")), tag("div", pairs(facts), class_="card"))


def pairs(facts: list[tuple[str, Child]]) -> Html:
    """A list of names and what they are."""
    return tag("dl", *[join(tag("dt", name), tag("dd", value)) for name, value in facts]) if facts else Html()
