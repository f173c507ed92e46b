"""Programs: what the school offers, how each stands, and one button beside it. Plain forms, which need no
script.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.portal import guard
from agent.portal.frame import page
from agent.portal.html import Child, Html, join, tag
from agent.portal.programs import CANNOT, COMING, GIVEN, GOING, HERE, Program
from agent.portal.views.laptop import pairs, tabs
from agent.portal.visit import Visit, foreign, machine

PAGE = "/laptop/programs"
INSTALL, REMOVE = "install", "remove"
_LOOKS = {HERE: "good", GIVEN: "good", COMING: "wait", GOING: "wait", CANNOT: "bad"}


def listed(visit: Visit) -> Html:
    """The shelf."""
    return _page(visit, "")


def choose(visit: Visit) -> tuple[int, Html] | None:
    """Leave the choice in the form that came; None if it is left, else (status, page) that says why not."""
    wanted = visit.field("do")
    if wanted not in (INSTALL, REMOVE):
        return 400, _page(visit, "other")
    try:
        visit.parts.programs.leave(visit.who, visit.field("package"), wanted=wanted == INSTALL)
    except BookbagError as problem:
        return guard.refused(problem).status, _page(visit, problem.code)
    return None


def _page(visit: Visit, wrong: str) -> Html:
    say = visit.say
    found = visit.parts.programs.of(visit.who)
    shown = [tag("li", _one(visit, one), class_="card") for one in found]
    told = say.maybe(f"programs.wrong.{wrong}", say("programs.wrong.other"))
    return page(
        visit,
        say("programs.title"),
        tag("h1", say("programs.title")),
        tabs(visit),
        tag("p", told, class_="card grave", role="alert") if wrong else None,
        tag("p", say("programs.lead"), class_="lead") if found else None,
        tag("p", say("programs.private"), class_="soft") if found else None,
        tag("p", say("programs.guest"), class_="card") if found and visit.who.is_guest else None,
        tag("ul", *shown, class_="stack") if shown else tag("p", say("programs.none"), class_="card"),
    )


def _one(visit: Visit, one: Program) -> Html:
    say = visit.say
    name = visit.spoken(one.title) or machine(one.name)
    facts: list[tuple[str, Child]] = []
    if one.state == CANNOT:
        why = say.maybe(f"programs.why.{one.code}", say("programs.why.other"))
        exact = tag("bdi", one.message, lang="en", dir="ltr", class_="soft")
        facts.append((say("programs.why"), join(why, " ", exact) if one.message else why))
    if one.policy:
        by = join(machine(one.policy), " ", say("programs.ask"), " ", foreign(one.owner))
        facts.append((say("programs.by"), by))
    return tag(
        "article",
        tag("h2", name, class_="small"),
        visit.spoken(one.about, name="p"),
        tag(
            "p",
            tag(
                "span",
                say(f"programs.state.{one.state}"),
                class_=f"state {_LOOKS.get(one.state, '')}".strip(),
            ),
            " ",
            tag("span", say(f"programs.state.{one.state}.more"), class_="soft"),
        ),
        pairs(facts),
        _button(visit, one, name),
    )


def _button(visit: Visit, one: Program, name: Html) -> Html | None:
    """What can be done with it; nothing for guests, and where the school decided for everybody."""
    do = REMOVE if one.mine else INSTALL
    if visit.who.is_guest or not (one.mine or one.may_choose):
        return None
    return tag(
        "form",
        tag("input", type="hidden", name="package", value=one.name),
        visit.token(),
        tag(
            "button",
            visit.say(f"programs.{do}"),
            tag("span", " ", name, class_="unseen"),
            type="submit",
            name="do",
            value=do,
            class_="button main" if do == INSTALL else "button",
        ),
        action=PAGE,
        method="post",
    )
