"""The JSON Schema for editors, judged by an independent validator: it takes every policy that is valid, and
marks what a schema can mark."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from agent.core.errors import BookbagError
from agent.policy import kinds
from agent.policy.desk.editors import document_schema, text
from agent.policy.desk.preview import templates
from agent.policy.document import Source, read_document
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.yamltext import load
from tests.policy.machine import policy
from tests.policy.plain import plain, read
from tests.policy.test_cases import FILES
from tests.policy.test_document import GOOD, MISTAKES

SCHEMA = document_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
#: What only reading can find: a port that is none, bounds of a duration that its unit does not show, hours
#: that are too few, what a certificate says, keys that contradict each other.
BEYOND = {
    "software.flatpaks/wrong-2",
    "software.offered/wrong-2",
    "software.packages/wrong-2",
    "agent.content-per-day/wrong",
    "agent.hours/wrong",
    "agent.poll/wrong",
    "agent.report/wrong",
    "browser.homepage/wrong-httpsxexample99999",
    "devices.printers/wrong-3",
    "devices.printers/wrong-4",
    "network.dns/wrong-2",
    "network.wifi/wrong-2",
    "network.wifi/wrong-3",
    "firmware.password/wrong-roster",
    "network.proxy/wrong-both",
    "network.proxy/wrong-nothing",
    "network.proxy/wrong-port",
    "screen-lock.after/wrong-30s",
    "security.certificates/wrong",
    "security.certificates/wrong-4",
    "software.sources/wrong-3",
    "service/wrong-6",
    "service/wrong-8",
    "updates.automatic/wrong-2",
    "updates.automatic/wrong-6",
    "updates.automatic/wrong-7",
}


def marked(data: bytes) -> list[str]:
    """What an editor would mark; the document is YAML that the loader takes."""
    return [error.message for error in VALIDATOR.iter_errors(plain(load(data, "p.yaml")))]


def is_valid(data: bytes) -> bool:
    return read_document(Source("p.yaml", data, "ict"), Problems(), strict=True) is not None


def cases() -> list[tuple[str, bytes]]:
    return [(f"{path.parent.name}/{path.stem}", policy(read(path)["policy"])) for path in FILES]


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert json.loads(text()) == SCHEMA


@pytest.mark.parametrize("name", sorted(templates()))
def test_every_template_validates(name: str) -> None:
    assert marked(templates()[name]) == []


def test_whatever_the_cases_hold_is_judged_as_the_reader_judges_it() -> None:
    valid, wrong = 0, set()
    for name, data in cases():
        try:
            found = marked(data)
        except BookbagError as error:
            assert error.code == "bad-yaml", name  # an editor says so itself
            continue
        if is_valid(data):
            valid += 1
            assert found == [], name
        elif not found:
            wrong.add(name)
    assert valid > 30
    assert wrong == BEYOND, "either the schema has become blind, or sees more: then say so here"


def test_the_mistakes_that_people_make_are_marked() -> None:
    assert marked(GOOD.encode()) == [], "the control"
    judged = 0
    for mistake in read(MISTAKES):
        data = GOOD.replace(mistake["instead-of"], mistake["write"]).encode()
        try:
            assert marked(data), mistake["write"]
        except BookbagError as error:
            assert error.code == "bad-yaml"
            continue
        judged += 1
    assert judged >= 14


def test_letters_of_every_language_are_letters_to_editors_too() -> None:
    """To them ``\\w`` is ASCII."""
    folder = "~/Téléchargements/دروس"
    data = policy(f"settings:\n  browser.downloads: {folder}\n")
    assert is_valid(data) and marked(data) == []
    pattern = kinds.settings()["browser.downloads"].value.schema()["pattern"]
    assert re.search(str(pattern), folder, re.ASCII) and not re.search(str(pattern), "~/.a b", re.ASCII)


def test_every_example_validates_and_every_key_says_what_it_is_about() -> None:
    settings = SCHEMA["properties"]["settings"]["properties"]  # type: ignore[index]
    for key, setting in kinds.settings().items():
        assert marked(policy(f"settings:\n  {setting.example.replace(chr(10), chr(10) + '  ')}\n")) == [], key
        assert setting.about in settings[key]["description"]
        assert setting.value.describe() in settings[key]["description"]
    for cls in kinds.resources().values():
        if cls.direct:
            example = cls.example.replace("\n", "\n  ")
            assert marked(policy(f"resources:\n  {example}\n")) == [], cls.kind


@pytest.mark.parametrize(
    "more",
    [
        "settings: []",
        "settings: {screen-lock.after: 2d}",
        "settings: {screen-lock.after: {value: 5}}",
        "settings: {screen-lock.after: {final: true}}",
        "settings: {screen-lock.after: 5m, screen-lock.afer: 5m}",
        "settings: {browser.homepage: 'javascript:alert(1)'}",
        "settings: {browser.blocked-sites: []}",
        "settings: {browser.blocked-sites: ['https://a.example']}",
        "settings: {telemetry.records: on}",
        "resources: [{file: {path: etc/motd, content: x}}]",
        "resources: [{file: {path: /etc/../motd, content: x}}]",
        "resources: [{file: {path: /etc/motd, content: x}, dconf: {group: a, values: {/a/b: '1'}}}]",
        "resources: [{why: {en: x}}]",
        "resources: [{flie: {path: /etc/motd, content: x}}]",
        "resources: [{file: {path: /etc/motd, content: x}, why: {english: x}}]",
        "mode: enforce",
    ],
)
def test_what_a_schema_can_say_it_says(more: str) -> None:
    data = policy(more + "\n")
    assert marked(data) and not is_valid(data)
