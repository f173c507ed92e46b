"""README and docs/ against the program: commands parse, the first hour runs, the plan shown is printed, links
resolve.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli import main as cli
from agent.cli._arguments import parser_for
from agent.cli.demo.stage import CLASSES
from agent.cli.demo.steps import STEPS
from agent.daemon.routes import ANYONE, ROUTES
from agent.fleet.cli.main import build_parser
from agent.fleet.cli.main import main as fleet
from agent.policy.desk.check import check_documents
from agent.policy.document import Source
from agent.policy.targeting import RANKS
from tests.docs import markdown
from tests.docs.markdown import Command
from tests.fleet.desk import NOW, SECRET, Desk, Laptop, deliver, enrolled, make_desk
from tests.leaks import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
PAGES = [path.relative_to(REPOSITORY).as_posix() for path in markdown.pages()]


# -- commands


def wrong(command: Command) -> str:
    """Why a command line cannot be meant; "" if it can."""
    name, *words = command.words
    if name == "make":
        targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
        unknown = [word for word in words if "=" not in word and word not in targets]
        return f"no target {unknown}" if unknown else ""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            if name == "bookbag-fleet":
                build_parser().parse_args(words)
            elif words[0] not in cli.verbs():
                return f"no verb {words[0]}"
            else:
                parser_for(words[0], cli._load(words[0])).parse_args(words[1:])
    except SystemExit:
        return said.getvalue()
    return ""


@pytest.mark.parametrize(
    "line",
    [
        "bookbag statsu",
        "bookbag status --loud",
        "bookbag explain",
        "bookbag-fleet assign lina --by ict-1",
        "bookbag-fleet publish now",
        "make coffee",
    ],
)
def test_a_wrong_command_is_noticed(line: str) -> None:
    (command,) = markdown.command(line)
    assert wrong(command)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    found = markdown.shell(text) + markdown.inline(text)
    if page != "README.md":  # elsewhere formats begin with the name, too: `bookbag log 1`
        verbs = {*cli.verbs(), *re.findall(r"(?<=\n)    ([a-z]+) ", build_parser().format_help())}
        found = [one for one in found if one.words[0] == "make" or one.words[1] in verbs]
    assert not [(" ".join(one.words), why) for one in found if (why := wrong(one))]


def test_readme_has_its_commands() -> None:
    """Or the test above would say nothing."""
    found = markdown.shell(README) + markdown.inline(README)
    assert {one.words[0] for one in found} == {"bookbag", "bookbag-fleet", "make"}
    assert len(found) > 20


def test_sabotage_names_a_step_that_exists() -> None:
    numbers = [int(number) for number in re.findall(r"SABOTAGE=(\d+)", README)]
    assert numbers and all(1 <= number <= len(STEPS) for number in numbers)


def test_the_demonstration_has_as_many_steps_and_laptops_as_is_said() -> None:
    numbers = ("seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen")
    said = [
        pair
        for page in markdown.pages()
        for pair in re.findall(r"(\w+) steps on (\w+) laptops", page.read_text(encoding="utf-8"))
    ]
    laptops = sum(len(names) for names in CLASSES.values())
    assert said and {tuple(numbers.index(one) + 7 for one in pair) for pair in said} == {
        (len(STEPS), laptops)
    }


def test_what_is_for_students_needs_no_rights() -> None:
    section = README.partition("## For a student")[2].partition("\n## ")[0]
    reading = {"portal", "telemetry"}  # they ask nobody: what they show lies there for everyone
    open_to_all = {route.verb for route in ROUTES if route.who == ANYONE} | reading
    commands = markdown.shell(section) + markdown.inline(section)
    assert [one for one in commands if not one.root]
    for one in commands:
        assert one.root is (one.words[1] not in open_to_all), one


# -- six lines and their plan


def six_lines() -> str:
    (text,) = markdown.blocks(README, "yaml")
    return text


def test_the_six_lines_are_six_and_valid() -> None:
    assert len(six_lines().splitlines()) == 6 == len(six_lines().strip().splitlines())
    source = Source("policies/ict/library-first.yaml", six_lines().encode(), "ict", False, RANKS)
    assert check_documents([source]) == []


def test_the_plan_shown_is_the_plan_printed(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "north", persons=("ict-1", "head-1", "deputy-1"))
    desk.publish("ict-1", "head-1")
    enrolled(desk, tmp_path, "lina", "school=north", "year=9", "class=9b")
    desk.publish("ict-1", "head-1")
    folder = desk.root / "policies" / "ict"
    folder.mkdir(parents=True)
    (folder / "library-first.yaml").write_text(six_lines(), encoding="utf-8")
    (shown,) = markdown.blocks(README, "console")
    command, _, printed = shown.partition("\n")
    assert command == "$ bookbag-fleet plan"
    assert desk.run("plan", expect=2, as_json=False).out == printed


# -- the first hour, as written


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Path]:
    """A folder to be in, with a passphrase at hand."""
    before, environ = os.getcwd(), dict(os.environ)
    os.chdir(tmp_path)
    os.environ.update(SECRET)
    try:
        yield tmp_path
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environ)


def test_the_first_hour_runs_as_written(away: Path) -> None:
    section = README.partition("## The first hour")[2].partition("\n## ")[0]
    init, look, assign = markdown.blocks(section, "sh")
    assert init.splitlines()[-1] == "cd north"
    assert [run(one) for one in _commands(init)] == [0]
    os.chdir("north")
    for one in _commands(look):
        assert run(one) in (0, 2, 4), (
            one
        )  # a new folder's missing signatures are findings, and changes to plan

    (device,) = [one for one in markdown.inline(section) if one.words[1] == "device"]
    name = device.words[2]
    assert run(device) == 0
    (enrol,) = [one for one in markdown.inline(section) if one.words[:2] == ("bookbag", "enrol")]
    desk, laptop = Desk(away / "north"), Laptop(away / name)
    deliver(desk, *laptop.enrol(desk, away / "north" / "enrol" / enrol.words[2]))
    assert [run(one) for one in _commands(assign)] == [0, 0, 0]
    view = laptop.verify(away / "north" / "published", NOW)
    assert view.assignment is not None and view.assignment.year == "9"
    assert {document.path for document in view.documents} == {
        "policy/ict/baseline.yaml",
        "policy/ict/secondary.yaml",
    }

    (stick,) = [one for one in markdown.inline(section) if one.words[1] == "stick"]
    (away / "stick").mkdir()
    assert fleet([*stick.words[1:2], str(away / "stick")], now=lambda: NOW) == 0
    mirror = shutil.copytree(away / "stick", away / "copy")
    assert laptop.verify(mirror, NOW).assignment == view.assignment


def _commands(block: str) -> list[Command]:
    return markdown.shell(f"```sh\n{block}```\n")


def run(command: Command) -> int:
    """The exit code of a command line of bookbag-fleet."""
    assert command.words[0] == "bookbag-fleet"
    with contextlib.redirect_stdout(io.StringIO()):
        return fleet(list(command.words[1:]), now=lambda: NOW)


# -- links and places


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    path = REPOSITORY / page
    dead = []
    for link in markdown.links(path.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        to = (path.parent / name) if name else path
        if not to.exists() or (anchor and anchor not in markdown.anchors(to.read_text(encoding="utf-8"))):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("page", PAGES)
def test_every_place_named_is_there(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert not [place for place in markdown.places(text) if not (REPOSITORY / place).exists()]


def test_dead_links_and_missing_places_are_noticed() -> None:
    text = "# A b: c\n[x](no/page.md#y) and `agent/core/nowhere.py` and `tests/x/test_y.py::test_z`"
    assert markdown.links(text) == ["no/page.md#y"]
    assert markdown.places(text) == ["agent/core/nowhere.py", "tests/x/test_y.py"]
    assert markdown.anchors(text) == {"a-b-c"}


def test_every_page_is_reached_from_readme() -> None:
    """A page that nothing leads to is not read."""
    reached, ahead = set(), [REPOSITORY / "README.md"]
    while ahead:
        path = ahead.pop()
        if path in reached:
            continue
        reached.add(path)
        if path.suffix == ".md":
            links = markdown.links(path.read_text(encoding="utf-8"))
            ahead += [(path.parent / link.partition("#")[0]).resolve() for link in links if link[0] != "#"]
    assert not [page for page in PAGES if REPOSITORY / page not in reached]
