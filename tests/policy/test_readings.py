"""What was read once is what would be read again, at no further cost."""

from __future__ import annotations

import sys
from collections import Counter
from types import CodeType

from agent.policy.compile import compile_site
from agent.policy.desk.preview import preview
from agent.policy.desk.readings import Readings
from agent.policy.document import Source, read_document
from agent.policy.syntax.problems import Problems
from tests.policy.machine import DEVICE, policy

GOOD = Source("good.yaml", policy("settings:\n  screen-lock.after: 30m\n", name="good"), "ict")
BAD = Source("bad.yaml", policy("settings: 7\nsettings: 8\n", name="bad"), "ict")
HOURS = """timetables:
  {name}:
    zone: Europe/Berlin
    weekly: [{{days: [mon], from: "08:00", until: "16:00"}}]
"""
LESSON = "settings:\n  browser.blocked-sites: [games.example]\n"


def test_it_says_each_time_what_reading_says() -> None:
    readings = Readings()
    for source in (GOOD, BAD):
        plain = Problems()
        document = read_document(source, plain)
        for _ in range(2):
            problems = Problems()
            assert repr(readings.read(source, problems)) == repr(document)
            assert list(map(str, problems.errors)) == list(map(str, plain.errors))
    again, plain_made = (
        compile_site([GOOD, BAD], DEVICE, read=readings.read),
        compile_site([GOOD, BAD], DEVICE),
    )
    assert (again.settings, again.refusals) == (plain_made.settings, plain_made.refusals) and again.refusals


def reads(sources: list[Source]) -> int:
    """How many documents are parsed for a plan."""
    counted = Counter[CodeType]()
    sys.setprofile(lambda frame, event, _: counted.update([frame.f_code] if event == "call" else []))
    try:
        preview(sources, [DEVICE])
    finally:
        sys.setprofile(None)
    return counted[read_document.__code__]


def test_a_plan_reads_each_document_once_however_many_timetables_there_are() -> None:
    sources = [GOOD]
    assert reads(sources) == 1, "the control: it counts"
    for name in ("one", "two", "three"):
        hours = HOURS.format(name=name)
        sources.append(Source(f"{name}.yaml", policy(hours, name=name), "ict"))
        lesson = policy(LESSON, name=f"in-{name}", more=f"when: {{timetable: {name}}}\n")
        sources.append(Source(f"in-{name}.yaml", lesson, "ict"))
    assert reads(sources) == len(sources)
