"""What you asked: a request to the school about one setting or one site, shown before it goes, and how each
one stands. Two plain forms, which need no script.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.errors import BookbagError
from agent.core.ids import new_id
from agent.portal import guard
from agent.portal.asking import Wish, host_of, one_line
from agent.portal.dates import moment
from agent.portal.frame import page
from agent.portal.html import Child, Html, join, tag
from agent.portal.public import mapping, rows, text
from agent.portal.views.laptop import FORM, ask, pairs, tabs
from agent.portal.views.settings import value_of, who_of
from agent.portal.visit import Visit, foreign, machine
from agent.trust import drafts
from agent.trust.drafts import Draft

LOOK, LIST = f"{FORM}/look", "/laptop/asks"


def listed(visit: Visit) -> Html:
    """Everything that this person asked."""
    say = visit.say
    mine = visit.parts.asking.of(visit.who)
    shown = [tag("li", _one(visit, one), class_="card") for one in mine]
    empty = tag("p", say("asks.guest" if visit.who.is_guest else "asks.none"), class_="card")
    return page(
        visit,
        say("asks.title"),
        tag("h1", say("asks.title")),
        tabs(visit),
        tag("p", say("asks.lead"), class_="lead"),
        tag("p", ask(visit)),
        tag("ul", *shown, class_="stack") if shown else empty,
    )


def form(visit: Visit) -> Html:
    """The form: for ``?about=KEY`` to change that setting, else to open a site."""
    return _form(visit, visit.field("about"), visit.field("address"), "", "")


def look(visit: Visit) -> tuple[int, Html]:
    """(status, page): exactly what will be sent, or the form again with what is wrong."""
    draft, wrong = _draft(visit, new_id())
    if visit.field("edit"):
        return 200, _form(visit, draft.about, draft.address, draft.words, "")
    if wrong:
        return 400, _form(visit, visit.field("about"), visit.field("address"), visit.field("words"), wrong)
    try:
        visit.parts.asking.check(visit.who, draft)
    except BookbagError as problem:
        return guard.refused(problem).status, _form(
            visit, draft.about, draft.address, draft.words, problem.code
        )
    return 200, _preview(visit, draft, "")


def send(visit: Visit) -> tuple[int, Html] | None:
    """Leave the request; None if it is left, else (status, page) that says why it is not."""
    draft, wrong = _draft(visit, visit.field("id"))
    if wrong:
        return 400, _form(visit, visit.field("about"), visit.field("address"), visit.field("words"), wrong)
    try:
        visit.parts.asking.leave(visit.who, draft)
    except BookbagError as problem:
        return guard.refused(problem).status, _preview(visit, draft, problem.code)
    return None


def _draft(visit: Visit, id_: str) -> tuple[Draft, str]:
    """(the request in a form that came, what is wrong with it)."""
    about, words = visit.field("about"), one_line(visit.field("words"))
    address = "" if about else host_of(visit.field("address"))
    kind = drafts.SETTING if about else drafts.SITE
    draft = Draft(id_, visit.who.key, kind, about, address, words)
    if wrong := _why_not(visit, about):
        return draft, wrong
    if not about and not address:
        return draft, "address"
    return draft, "words" if len(words) > drafts.MOST_WORDS else ""


def _why_not(visit: Visit, about: str) -> str:
    """Why nothing can be asked here, or not about that; "" if it can."""
    if visit.who.is_guest:
        return "guest"
    if text(visit.parts.public.read("status"), "enrolment") != "assigned":
        return "alone"
    return "about" if about and _setting(visit, about) is None else ""


def _setting(visit: Visit, about: str) -> Mapping[str, object] | None:
    told = visit.parts.public.read("settings")
    found = (*rows(told, "settings"), *rows(told, "resources"))
    return next((row for row in found if text(row, "key") == about), None)


def _form(visit: Visit, about: str, address: str, words: str, wrong: str) -> Html:
    say = visit.say
    title = say("asks.form.setting" if about else "asks.form.site")
    barred = _why_not(visit, about)
    if barred:
        return page(
            visit,
            title,
            tag("h1", title),
            tabs(visit),
            tag("p", say(f"asks.wrong.{barred}"), class_="card", role="alert" if wrong else None),
        )
    field: list[Child] = []
    if about:
        field = [tag("input", type="hidden", name="about", value=about)]
    else:
        field = [
            tag("label", say("asks.address"), for_="address"),
            tag("p", say("asks.address.more"), id="address-more", class_="soft"),
            tag(
                "input",
                type="text",
                name="address",
                id="address",
                value=address,
                maxlength="500",
                required=True,
                dir="ltr",
                inputmode="url",
                autocomplete="off",
                spellcheck="false",
                aria_describedby="wrong address-more" if wrong else "address-more",
                aria_invalid="true" if wrong == "address" else None,
            ),
        ]
    return page(
        visit,
        title,
        tag("h1", title),
        tabs(visit),
        _wrong(visit, wrong),
        _about(visit, about) if about else None,
        tag(
            "form",
            *field,
            tag("label", say("asks.words"), for_="words"),
            tag("p", say("asks.words.more", most=drafts.MOST_WORDS), id="words-more", class_="soft"),
            tag(
                "textarea",
                words,
                name="words",
                id="words",
                rows="4",
                maxlength=str(drafts.MOST_WORDS),
                dir="auto",
                aria_describedby="words-more",
                aria_invalid="true" if wrong == "words" else None,
            ),
            visit.token(),
            tag("button", say("asks.look"), type="submit", class_="button main"),
            action=LOOK,
            method="post",
            class_="card ask",
        ),
    )


def _about(visit: Visit, about: str) -> Html:
    """The setting as it is now."""
    row = _setting(visit, about) or {}
    facts: list[tuple[str, Child]] = [(visit.say("asks.now"), value_of(visit, row))]
    facts += [(visit.say("settings.by"), who_of(visit, one)) for one in rows(row, "said_by")[-1:]]
    return tag("section", tag("h2", _title(visit, about), class_="small"), pairs(facts), class_="card")


def _title(visit: Visit, about: str) -> Html:
    known = visit.say.maybe(f"setting.{about}", "")
    return join(known) if known else machine(about)


def _preview(visit: Visit, draft: Draft, wrong: str) -> Html:
    say = visit.say
    hidden = {"id": draft.id, "about": draft.about, "address": draft.address, "words": draft.words}
    status = visit.parts.public.read("status")
    facts = [*_said(visit, draft), (say("asks.device"), machine(text(status, "device")))]
    facts += [(say("facts.site"), foreign(text(status, "site"))), (say("asks.number"), machine(draft.id))]
    facts.append((say("sent.at"), say("asks.then")))
    return page(
        visit,
        say("asks.preview"),
        tag("h1", say("asks.preview")),
        tabs(visit),
        _wrong(visit, wrong),
        tag(
            "section",
            tag("h2", say("asks.preview.all"), class_="small"),
            pairs(facts),
            tag("p", say("asks.preview.sealed"), class_="soft"),
            class_="card",
        ),
        tag(
            "form",
            *[tag("input", type="hidden", name=name, value=value) for name, value in hidden.items()],
            visit.token(),
            tag("button", say("asks.send"), type="submit", class_="button main"),
            tag("button", say("asks.back"), type="submit", formaction=LOOK, name="edit", value="1"),
            action=FORM,
            method="post",
            class_="row after",
        ),
    )


def _said(visit: Visit, one: Draft | Wish) -> list[tuple[str, Child]]:
    """What is asked, in the words that the desk gets."""
    say = visit.say
    what = machine(one.address) if one.kind == drafts.SITE else join(_title(visit, one.about))
    key = "asks.kind.site" if one.kind == drafts.SITE else "asks.kind.setting"
    facts: list[tuple[str, Child]] = [(say(key), what)]
    if one.words:
        facts.append((say("asks.words.short"), foreign(one.words)))
    return facts


def _wrong(visit: Visit, wrong: str) -> Html:
    if not wrong:
        return Html()
    told = visit.say.maybe(f"asks.wrong.{wrong}", visit.say("asks.wrong.other"))
    return tag("p", told, class_="card grave", role="alert", id="wrong")


def _one(visit: Visit, one: Wish) -> Html:
    """One request and its way: waits here → sent → answered."""
    say = visit.say
    look_, key = _standing(one)
    facts = _said(visit, one)
    if one.at:
        facts.append((say("asks.at"), moment(one.at, say)))
    if one.sent_at:
        facts.append((say("asks.sent-at"), moment(one.sent_at, say)))
    return tag(
        "article",
        tag("div", tag("span", say(f"asks.state.{key}"), class_=f"state {look_}"), class_="row"),
        tag("p", say(f"asks.state.{key}.more"), class_="soft"),
        pairs(facts),
        _answer(visit, one) if one.answer else None,
        exactly(visit, one) if one.said else None,
    )


def _standing(one: Wish) -> tuple[str, str]:
    if one.answer:
        return ("good", "yes") if one.answer.get("yes") is True else ("bad", "no")
    return ("wait", "sent") if one.sent_at else ("wait", "here")


def _answer(visit: Visit, one: Wish) -> Html:
    say = visit.say
    answer = one.answer
    policy = text(answer, "policy")
    facts: list[tuple[str, Child]] = []
    if until := text(answer, "until"):
        facts.append((say("asks.until"), machine(until)))
    held = None
    if answer.get("yes") is True and policy:
        held = tag("p", say("asks.held" if _is_held(visit, policy) else "asks.not-held"))
    return tag("div", visit.spoken(mapping(answer, "text"), name="p", class_="why"), held, pairs(facts))


def _is_held(visit: Visit, policy: str) -> bool:
    """Whether the policy that a yes promised decides something on this laptop now."""
    told = rows(visit.parts.public.read("settings"), "settings")
    return any(text(one, "policy") == policy for row in told for one in rows(row, "said_by"))


def exactly(visit: Visit, one: Wish) -> Html:
    """The very text that is sealed."""
    named = tag("span", f" {one.address or one.about}", class_="unseen")
    return tag("details", tag("summary", visit.say("asks.exactly"), named), tag("p", machine(one.said)))
