"""What is only offered: wanted once it is chosen, only while it is offered, and where no other setting says
something of it."""

from __future__ import annotations

from agent.core.model import Outcome
from agent.host.packages import AUTO, YES, Package
from agent.host.sandbox.packages import OFF, SandboxPackages
from agent.policy.choosing import NOBODY, Chosen
from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.desk.check import check_documents
from agent.policy.document import Source
from agent.policy.explain import explain
from tests.policy.machine import DEVICE, Machine, outcomes, source

HELLO, SL = "package:hello", "package:sl"
KEPT = "kept-packages:chosen"


def offers(text: str = "[{package: hello}, {package: sl}]", *, name: str = "shelf", rank: str = "school",
           power: bool = False, more: str = "") -> Source:  # fmt: skip
    body = f"settings:\n  software.offered: {text}\n"
    return source(body, name=name, rank=rank, power=power, more=more)


def packages(text: str, *, rank: str = "class") -> Source:
    body = f"settings:\n  software.packages:\n    value: {text}\n"
    return source(body, name="packages", rank=rank)


def chosen(*names: str) -> Chosen:
    return Chosen(tuple((name, ("1000",)) for name in names))


def compiled(*sources: Source, choice: Chosen = NOBODY) -> Compiled:
    return compile_site(sources, DEVICE, chosen=choice)


def ids(policy: Compiled) -> list[str]:
    return [item.id for item in policy.items()]


def there(machine: Machine) -> SandboxPackages:
    assert isinstance(machine.host.packages, SandboxPackages)
    return machine.host.packages


def test_nothing_is_wanted_that_nobody_chose_and_nothing_is_chosen_that_is_not_offered() -> None:
    assert ids(compiled(offers())) == []
    policy = compiled(offers(), choice=chosen("hello", "openssh-server"))
    assert ids(policy) == [KEPT, HELLO] and all(item.chosen for item in policy.items())
    assert ids(compiled(choice=chosen("hello"))) == []
    observed = compiled(offers(more="mode: observe\n"), choice=chosen("hello"))
    assert ids(observed) == [] and observed.shelf == ()


def test_chosen_it_comes_and_given_back_or_no_longer_offered_it_goes(machine: Machine) -> None:
    mine = compiled(offers(), choice=chosen("hello"))
    there(machine).note_line(OFF)
    assert outcomes(machine.apply(mine))[HELLO] is Outcome.NOT_YET
    there(machine).note_line("")
    assert outcomes(machine.apply(mine))[HELLO] is Outcome.CHANGED
    assert there(machine).find("hello") == Package(YES, held=False, mark=AUTO)
    assert machine.plan(mine).empty
    assert machine.read("/etc/apt/apt.conf.d/98bookbag-chosen") == 'APT::NeverAutoRemove { "^hello$"; };\n'
    for without in (compiled(offers()), compiled(offers("[{package: sl}]"), choice=chosen("hello")), None):
        machine.apply(mine)
        assert there(machine).find("hello").installed == YES
        machine.apply(without)
        assert there(machine).find("hello") == Package() and machine.undo.resources() == ()
        assert machine.read("/etc/apt/apt.conf.d/98bookbag-chosen") is None


def test_what_was_on_the_laptop_before_stays_when_it_is_given_back(machine: Machine) -> None:
    before = Package(YES, held=False, mark="manual")
    there(machine).note("hello", before)
    machine.apply(compiled(offers(), choice=chosen("hello")))
    machine.apply(compiled(offers()))
    assert there(machine).find("hello") == before


def test_what_another_setting_says_holds_whatever_the_ranks(machine: Machine) -> None:
    for rank in ("ministry", "class"):
        policy = compiled(
            offers(), packages("{absent: [hello], present: [sl]}", rank=rank), choice=chosen("hello", "sl")
        )
        assert not policy.conflicts and not policy.refusals
        assert [(one["name"], one["held"]) for one in policy.shelf] == [("hello", "barred"), ("sl", "given")]
        machine.apply(policy)
        assert there(machine).find("hello") == Package() and there(machine).find("sl").installed == YES
        assert not [item for item in policy.items() if item.chosen]
    control = compiled(offers(), packages("{present: [tree]}"), choice=chosen("hello"))
    machine.apply(control)
    assert there(machine).find("hello").installed == YES
    both = source("settings: {software.packages: {value: {held: [hello]}}}\n", power=True)
    held = compiled(offers(), both, choice=chosen("hello"))
    assert [one["held"] for one in held.shelf] == ["barred", ""] and KEPT not in ids(held)


def test_the_desk_takes_an_offer_beside_what_another_policy_says() -> None:
    assert check_documents([offers(), packages("{absent: [hello], present: [sl]}")]) == []


def test_one_person_offers_what_the_distribution_has_beside_what_two_offer() -> None:
    both = compiled(
        offers("[{package: zoom, foreign: true}]", name="far", rank="district", power=True),
        offers("[{package: hello}]", name="near"),
        choice=chosen("hello", "zoom"),
    )
    assert not both.refusals and ids(both) == [KEPT, "package:zoom", HELLO]
    alone = compiled(
        offers("[{package: zoom, foreign: true}]", name="far", rank="district"),
        offers("[{package: hello}]", name="near"),
        choice=chosen("hello", "zoom"),
    )
    assert [row["code"] for row in alone.refusals] == ["root-power"]
    assert ids(alone) == [KEPT, HELLO] and [one["name"] for one in alone.shelf] == ["hello"]


def test_of_one_package_the_nearer_rank_is_followed_and_named() -> None:
    policy = compiled(
        offers('[{package: hello, title: {en: "Far"}}, {package: sl}]', name="far", rank="district"),
        offers('[{package: hello, title: {en: "Near"}, about: {en: "Says hello"}}]', name="near"),
        choice=chosen("hello", "sl"),
    )
    rows = {one["name"]: one.get("title") for one in policy.shelf}
    assert rows == {"sl": None, "hello": {"en": "Near"}}
    said = {item.id: [one.policy for one in item.origins()] for item in policy.items()}
    assert said[HELLO] == ["near"] and said[SL] == ["far"]


def test_no_fingerprint_that_is_told_shows_that_something_is_chosen() -> None:
    nothing, some = compiled(offers()), compiled(offers(), choice=chosen("hello"))
    assert some.told == nothing.told == nothing.fingerprint != some.fingerprint
    assert nothing.choice == "" and list(map(list, some.choices)) == [["hello", ["1000"]]]


def test_the_plan_and_the_explanation_say_that_it_was_chosen_here(machine: Machine) -> None:
    policy = compiled(offers(), packages("{present: [tree]}"), choice=chosen("hello"))
    changes = {one["resource"]: one for one in machine.plan(policy).to_dict()["changes"]}  # type: ignore[attr-defined]
    assert changes[HELLO]["chosen"] is True and changes[HELLO]["setting"] == "software.offered"
    assert "chosen" not in changes["package:tree"]
    machine.apply(policy)
    told = explain(policy, HELLO, machine.undo, machine.host)
    assert [one.policy for one in told.said_by] == ["shelf"] and told.effects[0].chosen
    assert not explain(policy, "package:tree", machine.undo, machine.host).effects[0].chosen
    assert [
        one.resource for one in explain(policy, "software.offered", machine.undo, machine.host).effects
    ] == [
        KEPT,
        HELLO,
    ]
