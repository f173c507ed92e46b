"""The declarations: whole, consistent, and what everything else is made from."""

from __future__ import annotations

import re

import hypothesis
import pytest
from hypothesis import strategies as st

from agent.core.ids import is_id
from agent.daemon.jobs import WORKERS
from agent.policy import kinds
from agent.policy.resources.telemetry import RECORDS
from agent.telemetry.collectors import collectors
from agent.telemetry.declaration import Choice, Counts, Field, Flag, Record, Rows, Token, Type, Value, Whole
from agent.telemetry.page import page
from agent.telemetry.records import LAPTOP, records
from agent.telemetry.records.compliance import RECORD as COMPLIANCE
from agent.trust.identity import installation_id, mailbox_name
from tests.leaks import REPOSITORY
from tests.telemetry import samples

ALL = list(records().values())
FIELDS = [*LAPTOP, *(field for record in ALL for field in record.fields)]
#: What may never be the name of a field: who, where, and numbers of the machine's own.
NAMES_SOMEBODY = re.compile(
    r"user|name|serial|mac|ssid|host-?name|address|file|path|url|person|student|location|title|uuid",
    re.IGNORECASE,
)


def test_policy_and_telemetry_know_the_same_records() -> None:
    assert tuple(records()) == RECORDS
    assert [record.scope for record in ALL] == ["bookbag.compliance", "bookbag.health"]


def test_the_page_is_up_to_date() -> None:
    said = (REPOSITORY / "docs" / "telemetry.md").read_text(encoding="utf-8")
    assert said == page(), "run: python -m agent.telemetry.page > docs/telemetry.md"
    assert all(f"| {field.name} |" in said for field in FIELDS)


@pytest.mark.parametrize("record", ALL, ids=lambda one: one.name)
def test_a_record_says_what_it_is_for_who_reads_it_and_for_how_long(record: Record) -> None:
    for text in (record.about, record.purpose):
        assert text.endswith(".") and 20 < len(text) < 200
    assert record.audience
    assert 1 <= record.held_days <= record.retention_days <= 366, "nothing is kept without end"
    assert 0 <= record.value <= 8
    names = [field.name for field in record.fields]
    assert len(set(names)) == len(names)
    keys = [(field.attribute, *field.point.items()) for field in (*LAPTOP, *record.fields)]
    assert len(set(keys)) == len(keys), "two fields could not be told apart"
    if record.signal == "metrics":
        assert all(isinstance(field.type, Whole | Flag) and field.unit for field in record.fields)
        by_metric: dict[str, set[str]] = {}
        for field in record.fields:
            by_metric.setdefault(field.attribute, set()).add(field.unit)
        assert all(len(units) == 1 for units in by_metric.values())
    else:
        assert not [field.name for field in record.fields if field.divide > 1 or field.point]


@pytest.mark.parametrize("field", FIELDS, ids=lambda one: one.name)
def test_a_field_says_what_it_is_and_why_and_names_nobody(field: Field) -> None:
    for text in (field.about, field.why):
        assert text.endswith(".") and len(text) > 10
    assert field.type.describe()
    assert re.fullmatch(r"[a-z]+(\.[a-z]+)+", field.attribute)
    assert not NAMES_SOMEBODY.search(field.name)
    assert NAMES_SOMEBODY.search("user-name") and NAMES_SOMEBODY.search("wifi-ssid"), "the control"


#: What a person could have chosen, or what is one machine's own.
TELLING = (
    "Lina Haddad",
    "lina-laptop",
    "PF-3K7XQ2",
    "3c:22:fb:4e:aa:01",
    "3c22fb4eaa01",
    "Haddad Home WiFi",
    "/home/lina/diary.odt",
    "diary.odt",
    "https://news.example/article?id=1",
    "lina@north.example",
    "192.168.1.17",
)


@pytest.mark.parametrize("field", FIELDS, ids=lambda one: one.name)
@pytest.mark.parametrize("text", TELLING)
def test_no_field_has_room_for_what_tells_a_person(field: Field, text: str) -> None:
    for value in (text, [text], {text: 1}):
        assert not field.type.accepts(value)
        try:
            fitted = field.type.fit(value)
        except ValueError:
            continue
        assert text not in repr(fitted)


def test_every_field_has_a_collector_and_every_collector_its_record() -> None:
    assert {one.record for one in collectors()} == set(records())
    names = [one.name for one in collectors()]
    assert names == sorted(names) and all(re.fullmatch("[a-z]{1,24}", name) for name in names)
    resting = COMPLIANCE.field("collectors-resting")
    assert resting is not None and resting.type.accepts(names[:3])


def test_the_samples_of_the_tests_are_whole() -> None:
    for record, whole in (("health", samples.HEALTH), ("compliance", samples.COMPLIANCE)):
        assert list(whole) == [field.name for field in records()[record].fields]


def test_every_worker_and_setting_can_be_told() -> None:
    failures, exceptions = COMPLIANCE.field("worker-failures"), COMPLIANCE.field("exceptions")
    assert failures is not None and exceptions is not None
    assert isinstance(failures.type, Counts)
    assert failures.type.fit({"made-up": 3}) == {"other": 3}
    assert set(failures.type.names) >= {name for name in WORKERS if name in failures.type.names}
    for key in (*kinds.settings(), *kinds.resources()):
        assert exceptions.type.accepts([f"{key} not-effective"])


def test_an_installation_is_matched_with_a_laptop_by_whoever_knows_the_device_alone() -> None:
    device = "00112233445566778899aabbccddeeff"
    made = installation_id("north", device)
    assert is_id(made)
    assert made == "559754ab4e26084ca9e8704cfda2345e"
    assert made not in (device, mailbox_name("north", device), installation_id("south", device))


WORDS = st.text(max_size=12)
ANYTHING: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
TYPES: tuple[Type, ...] = (
    Whole(-40, 150, 5),
    Flag(),
    Choice(("good", "suspect")),
    Choice(("good", "other"), rest="other"),
    Token("[0-9a-f]{4}", "x"),
    Counts(("a", "b", "other"), 10, rest="other"),
    Rows("[a-z]{1,3}", "x", 2),
)


@hypothesis.given(st.sampled_from(TYPES), ANYTHING)
def test_what_fits_is_accepted_and_everything_else_refused(kind: Type, value: Value) -> None:
    try:
        fitted = kind.fit(value)
    except ValueError:
        assert not kind.accepts(value)
        return
    assert kind.accepts(fitted)
    assert kind.fit(fitted) == fitted


def test_figures_are_made_coarser() -> None:
    assert Whole(-40, 150, 5).fit(57) == 55
    assert Whole(-40, 150, 5).fit(-3) == -5
    assert Rows("[a-z]{1,3}", "x", 2).fit(["c", "a", "b", "a"]) == ["a", "b"]
    assert Counts(("a", "other"), 10, rest="other").fit({"a": 0, "x": 8, "y": 9}) == {"other": 10}
