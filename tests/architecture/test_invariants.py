"""The invariants of the design, I-1 to I-7: tests name each of them in the rooms that docs/design.md says.

I-1 and I-2 are rules about the source as well, and those are here.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import AGENT, agent_files, name_of, references
from tests.leaks import REPOSITORY

ROW = re.compile(r"^\| (I-\d) \| .+ \| (.+) \|$", re.MULTILINE)
INVARIANTS = tuple(f"I-{number}" for number in range(1, 8))


def table(text: str) -> dict[str, list[str]]:
    """Invariant → folders of tests, as the design's table says."""
    return {name: re.findall(r"`([^`]+)`", places) for name, places in ROW.findall(text)}


def naming(source: str, invariant: str) -> list[str]:
    """The tests that name the invariant inside; all of them, if the module's docstring does."""
    tree = ast.parse(source)
    tests = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    named = re.compile(rf"\b{invariant}\b")
    if named.search(ast.get_docstring(tree) or ""):
        return [test.name for test in tests]
    lines = source.splitlines()
    return [test.name for test in tests if named.search("\n".join(lines[test.lineno - 1 : test.end_lineno]))]


def test_the_table_is_whole() -> None:
    design = (REPOSITORY / "docs" / "design.md").read_text(encoding="utf-8")
    assert tuple(table(design)) == INVARIANTS
    assert all(table(design).values())


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_each_invariant_is_named_by_a_test_in_each_of_its_rooms(invariant: str) -> None:
    design = (REPOSITORY / "docs" / "design.md").read_text(encoding="utf-8")
    for room in table(design)[invariant]:
        files = sorted((REPOSITORY / room).rglob("test_*.py"))
        files = [path for path in files if path.name != Path(__file__).name or invariant in ("I-1", "I-2")]
        assert any(naming(path.read_text(encoding="utf-8"), invariant) for path in files), (
            f"no test in {room} says that it shows {invariant}"
        )


def test_a_test_that_names_another_invariant_does_not_count() -> None:
    source = 'def test_x():\n    """I-4."""\n\ndef test_y():\n    pass  # I-5\n'
    assert naming(source, "I-4") == ["test_x"]
    assert naming(source, "I-5") == ["test_y"]
    assert naming(source, "I-1") == []


# -- I-1: root parses unverified bytes only in agent.trust; everything else takes what only agent.trust makes


@functools.cache
def uses() -> dict[str, frozenset[str]]:
    """File of the agent → every dotted name that it imports or reaches."""
    return {
        name_of(path): frozenset(used for _, used in references(path.read_text(encoding="utf-8")))
        for path in agent_files()
    }


def users(name: str) -> set[str]:
    """The files of the agent that import or reach ``name``, or anything below it."""
    return {
        file
        for file, names in uses().items()
        if any(used == name or used.startswith(f"{name}.") for used in names)
    }


def within(found: set[str], *places: str) -> bool:
    """Whether all of them lie in one of the folders or files."""
    return all(any(name == place or name.startswith(f"{place}/") for place in places) for name in found)


def test_only_trust_declares_something_verified() -> None:
    """I-1."""
    found = users("agent.trust.verified.mint")
    assert found and within(found, "agent/trust")


#: What stands for "verified": values that only verification, or the reading back of its result, makes.
WORDS = ("SiteView", "SignedDocument", "Assignment", "Order")


def made(source: str) -> Iterator[tuple[int, str]]:
    """(line, name) of each of `WORDS` that is constructed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in WORDS:
            yield node.lineno, ast.unparse(node.func)


def test_only_trust_makes_what_counts_as_verified() -> None:
    """I-1: policy, daemon and desk take these; none of them can put one together."""
    assert list(made("view.SiteView(site='x')")) == [(1, "view.SiteView")]
    elsewhere = []
    for path in agent_files():
        if not path.is_relative_to(AGENT / "trust"):
            lines = made(path.read_text(encoding="utf-8"))
            elsewhere += [f"{name_of(path)}:{line}: {name}" for line, name in lines]
    assert not elsewhere


#: Who may parse what, and why that is no unverified byte in root's hands.
PARSERS = {
    "yaml": (
        "agent/policy/syntax/yamltext.py",
    ),  # signed documents; agent.yaml, which is root's own; IT's folder
    "tuf": (
        "agent/trust",
        "agent/fleet",
        "agent/cli/demo",
    ),  # the desk and the demonstration are nobody's root
    "securesystemslib": ("agent/trust",),
    "cryptography.hazmat.primitives.hpke": ("agent/trust",),
    # The sync worker is a user without rights; the shim for the public suite and the judge run on no laptop.
    "http.client": ("agent/sync", "agent/trust/conformance.py", "agent/cli/demo/judge.py"),
    "ssl": ("agent/sync", "agent/fleet", "agent/web"),
    "xml": ("agent/fleet/content",),  # the desk takes books and archives apart, so that no laptop has to
    "tomllib": (),
    "configparser": (),
    "zipfile": ("agent/fleet/content",),
    "tarfile": (),
}
#: Who reads JSON with the loose parser. Everything else uses agent.core.jsontext.
LOOSE_JSON = (
    "agent/core/jsontext.py",
    "agent/client.py",  # the caller's side of the control socket
    "agent/cli",
    "agent/host/sandbox",  # the simulated laptop's own notes
    "agent/policy/compiled.py",  # root's cache, under a checksum
    "agent/policy/bases/managed.py",  # files of /etc that only root can write
    "agent/store/batchlog.py",  # root's journal, under a checksum
)


@pytest.mark.parametrize("library", PARSERS)
def test_each_parser_has_its_place(library: str) -> None:
    """I-1."""
    assert within(users(library), *PARSERS[library])


def test_the_loose_json_parser_reads_nothing_foreign_as_root() -> None:
    """I-1: duplicate keys, NaN and endless depth are json.loads' to accept, so it sees only what is ours."""
    found = users("json.loads") | users("json.load")
    assert within(found, *LOOSE_JSON)
    stale = [place for place in LOOSE_JSON if not any(within({name}, place) for name in found)]
    assert not stale


#: Who touches the spool, whose bytes the unprivileged sync user wrote, and the portal's folder:
#: attribute → files.
SPOOL = {
    "mirror": (
        "agent/trust",
        "agent/sync",  # both run as the sync user
        "agent/daemon/workers/sync.py",
        "agent/daemon/taking.py",  # hands its path to verify_site
        "agent/daemon/lean.py",  # asks for inode, size and time of one file
        "agent/cli/doctor.py",  # asks whose it is
    ),
    "spool": (
        "agent/core/layout.py",
        "agent/daemon/wiring.py",
        "agent/daemon/workers/sync.py",
        "agent/cli/doctor.py",
    ),
    "asks": (
        "agent/cli/portal.py",  # the portal's own wall
        "agent/portal/serve.py",  # the portal's user, without rights
        "agent/daemon/wiring.py",  # makes it, and hands its path to agent.commands.asking
        "agent/daemon/asking.py",  # the path of a file whose touch it waits for
        "agent/daemon/workers/ask.py",  # root's own files there: lock and told.json
        "agent/daemon/workers/enrol.py",  # the same lock
        "agent/daemon/programs.py",  # root's own file there: offered.json
        "agent/daemon/shelf.py",  # chosen.json, and hands the portal's folder to agent.commands.choosing
    ),
    "blobs": (
        "agent/cli/doctor.py",  # asks whose it is
        "agent/daemon/wiring.py",
        "agent/daemon/workers/sync.py",
        "agent/daemon/workers/content.py",  # another user without rights, and no network
        "agent/sync",
        "agent/fleet",  # the desk's own
    ),
}


@pytest.mark.parametrize("attribute", SPOOL)
def test_only_trust_reads_the_spool_as_root(attribute: str) -> None:
    """I-1."""
    found = set()
    for path in agent_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == attribute and not _is_module(node):
                found.add(name_of(path))
    assert found and within(found, *SPOOL[attribute])


def _is_module(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("trust", "store")


# -- I-2: host, stick and neighbour go through one code path


def test_nothing_behind_a_source_knows_which_one_it_is() -> None:
    """I-2: the kinds of source are told apart where the sync worker opens them, and nowhere after."""
    for kind in ("agent.sync.https", "agent.sync.folder"):
        found = users(kind) - {"agent/fleet/classroom/client.py"}  # a teacher's program fetches no word
        assert found and within(found, "agent/daemon/workers/sync.py"), kind
    fetchers = users("agent.trust.wanted.refresh")
    assert fetchers == {"agent/sync/round.py"}
