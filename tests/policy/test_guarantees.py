"""The engine's guarantees over the whole vocabulary: documents of several ranks, any setting with any word
that it knows, files that come and go, on machines that were anything before. What test_properties.py shows of
one policy of a few settings, this shows of what schools really write.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.errors import BookbagError
from agent.core.model import Outcome
from agent.host.base import Node
from agent.policy import kinds
from agent.policy.compiled import Compiled
from agent.policy.document import Source
from agent.policy.resources.dconf import COMPILED
from agent.policy.syntax.values import Choice
from agent.policy.syntax.yamltext import load
from tests.conftest import Rounds
from tests.contract.openpgp_keys import OTHER, VENDOR
from tests.policy.machine import Machine, compiled, source
from tests.policy.plain import plain
from tests.policy.test_engine import Failing
from tests.policy.test_properties import bodies, drifts, laptop, machines, tamper

RANKS = ("district", "school", "class")
ERRORS = (
    BookbagError("disk-full", "cannot write: no space is left"),
    OSError(5, "Input/output error"),
    RuntimeError("a defect"),
)


def words(key: str) -> list[object]:
    """Values that a setting takes: every word, where it has words; else those of its example."""
    setting = kinds.settings()[key]
    if isinstance(setting.value, Choice):
        return list(setting.value.words)
    example = plain(load(setting.example.encode(), key))
    return [example[key], *MORE.get(key, [])]


MORE: dict[str, list[object]] = {
    "agent.content-per-day": [0, "1G"],
    "agent.content-rate": [0, "1M"],
    "agent.content-room": [0, "2G", "1%"],
    "agent.hours": ["22:00-05:30"],
    "agent.poll": ["1m", "24h"],
    "agent.report": ["1h", "24h"],
    "accounts.administrators": [["student", "ict"]],
    "accounts.automatic-login": ["student"],
    "accounts.banner": ['"Quoted", isn\'t it?'],
    "accounts.hours": [["sat,sun 09:00-24:00"]],
    "accounts.idle-log-out": ["2m"],
    "browser.blocked-sites": [["a.example"], ["b.example", "a.example/x"]],
    "browser.bookmarks": [[{"name": "Only", "url": "https://only.example/"}]],
    "browser.forced-extensions": [[{"name": "One", "firefox": "one@north.example"}]],
    "browser.homepage": ["https://b.example/"],
    "desktop.default-applications": [{"value": {"text": "a.desktop", "mail": "b.desktop"}}],
    "desktop.favourites": [["a.desktop"]],
    "desktop.wallpaper": ["/usr/share/backgrounds/bookbag/a.svg"],
    "devices.printers": [[{"name": "library", "address": "socket://192.0.2.9", "paper": "letter"}]],
    "firmware.password": ["not-given"],
    "input.layouts": [["us"], ["ibus:m17n:hi:itrans", "us"]],
    "language.region": ["en_KE.UTF-8"],
    "network.blocked-names": [["c.example"], ["b.example", "a.b.example"]],
    "network.dns": [{"value": {"servers": ["2001:db8::9"]}}],
    "network.proxy": ["none", {"value": {"pac": "https://north.example/proxy.pac"}}],
    "network.firewall": [{"value": {"incoming": "closed", "outgoing": "closed"}}],
    "network.wifi": [
        [{"name": "pupils", "ssid": "B", "security": "open"}],
        [{"name": "hall", "ssid": "C", "security": "wpa-personal", "secret": "not-given"}],
    ],
    "power.sleep": [{"value": {"battery": "never", "mains": "2h"}}],
    "screen-lock.after": ["1m", "1h"],
    "time.servers": [["192.0.2.1"]],
    "time.zone": ["Etc/UTC"],
    "updates.automatic": [
        {"value": {"packages": "none"}},
        {"value": {"packages": "all"}},
        {"value": {"packages": "all", "hours": "20:00-23:00"}},
    ],
    "software.blocked-programs": [["/usr/bin/nmap"], ["/usr/games/aisleriot", "/opt/zoom/zoom"]],
    "software.flatpaks": [
        [{"application": "org.gnome.Calculator", "absent": True}],
        [{"application": "org.gnome.Chess", "source": "flathub", "branch": "beta"}],
    ],
    "software.flatpak-sources": [[{"name": "vendor", "address": "https://a.example/r", "key": OTHER}]],
    "software.offered": [[{"package": "aisleriot"}], [{"package": "gcompris-qt", "foreign": True}]],
    "software.packages": [
        {"value": {"present": ["aisleriot"], "absent": ["stellarium"], "held": ["stellarium", "hello"]}},
        {"value": {"foreign": ["aisleriot"], "absent": ["gcompris-qt"]}},
    ],
    "software.sources": [
        [{"name": "vendor", "uris": ["http://a.example"], "suites": ["./"], "key": OTHER}],
        [{"name": "b", "uris": ["https://b.example"], "suites": ["s"], "components": ["c"], "key": VENDOR}],
    ],
    "telemetry.records": ["off", ["health"]],
}
wishes = st.lists(
    st.sampled_from([(key, value) for key in kinds.settings() for value in words(key)]), max_size=12
).map(dict)


@st.composite
def sites(draw: st.DrawFn) -> tuple[Source, ...]:
    """One document of each rank; some are only observed."""
    made = []
    for rank in RANKS:
        rows = [{"file": {"path": path, **keys}} for path, keys in draw(bodies).items()]
        text = f"settings: {json.dumps(draw(wishes))}\nresources: {json.dumps(rows)}\n"
        mode = draw(st.sampled_from(["enforce", "enforce", "enforce", "observe"]))
        # Of two persons: whether one may is decided before any of this.
        made.append(source(text, name=f"of-{rank}", rank=rank, power=True, more=f"mode: {mode}\n"))
    return tuple(made)


def site(documents: Sequence[Source]) -> Compiled:
    found = compiled(*documents)
    assert not found.refusals
    return found


def test_the_vocabulary_is_whole() -> None:
    assert len(kinds.settings()) > 25
    assert all(len(words(key)) >= 1 for key in kinds.settings())


@pytest.mark.soak(sample=True)
def test_a_machine_that_is_as_it_should_be_gets_an_empty_plan_whoever_made_it_so(soak_rounds: Rounds) -> None:
    """Also where nothing is remembered of having made it so: a plan is a function of what is there."""

    @settings(max_examples=soak_rounds(sample=12, full=1000), deadline=None)
    @given(machines, sites())
    def holds(files: dict[str, Node], documents: tuple[Source, ...]) -> None:
        wanted = site(documents)
        with laptop(files) as machine:
            assert not machine.apply(wanted).failed
            settled = machine.state()
            shutil.rmtree(machine.folder / "agent")
            with Machine(machine.folder) as forgetful:
                plan = forgetful.plan(wanted)
                assert plan.empty
                assert forgetful.apply(wanted, plan.hash).done == ()
                assert forgetful.state() == settled
                forgetful.apply(None)
                assert forgetful.state() == settled, "what was there from the start is not ours to take away"

    holds()


@pytest.mark.soak(sample=True)
def test_documents_that_come_and_go_in_any_order_leave_nothing_behind(soak_rounds: Rounds) -> None:
    """Bytes, mode, owner, attributes, links and folders, after any sequence of what was in force."""

    @settings(max_examples=soak_rounds(sample=12, full=1000), deadline=None)
    @given(
        machines, sites(), sites(), st.lists(st.sets(st.integers(0, 5), max_size=4), min_size=1, max_size=5)
    )
    def holds(
        files: dict[str, Node], ones: tuple[Source, ...], others: tuple[Source, ...], steps: list[set[int]]
    ) -> None:
        documents = (*ones, *(replace(one, file=f"later/{one.file}") for one in others))
        with laptop(files) as machine:
            before = machine.state()
            for step in steps:
                # Of two documents of one name the first is taken; the other is refused, and changes nothing.
                wanted = compiled(*(documents[number] for number in sorted(step)))
                assert not [one for one in machine.apply(wanted).failed if one.outcome is Outcome.FAILED]
                assert machine.plan(wanted).empty
            machine.apply(None)
            assert machine.state() == before
            assert machine.undo.resources() == ()

    holds()


@pytest.mark.soak(sample=True)
def test_whatever_fails_stops_nothing_else_and_is_made_good_later(soak_rounds: Rounds) -> None:
    @settings(max_examples=soak_rounds(sample=12, full=1000), deadline=None)
    @given(machines, sites(), st.data())
    def holds(files: dict[str, Node], documents: tuple[Source, ...], data: st.DataObject) -> None:
        wanted = site(documents)
        with laptop(files) as machine:
            before = machine.state()
            machine.apply(wanted)
            settled = machine.state()
            machine.apply(None)
            resources = [item.resource() for item in wanted.items() if not item.observe_only]
            places = sorted({path for one in resources for path in one.paths()} - {COMPILED})
            if not places:
                return
            broken = data.draw(st.sampled_from(places))
            error = data.draw(st.sampled_from(ERRORS))
            real = machine.host
            machine.host = replace(real, files=Broken(real.files, broken, error))
            run = machine.apply(wanted)
            failed = {one.resource for one in run.reports if one.outcome is Outcome.FAILED}
            assert failed <= {one.id for one in resources if broken in one.paths()}
            for one in resources:
                if one.id not in failed:
                    for path in {*one.paths()} - {COMPILED}:
                        assert real.files.read(path) == settled.get(path), path
            machine.host = real
            machine.apply(wanted)
            assert machine.state() == settled
            machine.apply(None)
            assert machine.state() == before

    holds()


class Broken(Failing):
    """Neither written nor removed."""

    def remove(self, path: str) -> None:
        if path == self._path:
            raise self._error
        self.real.remove(path)


@pytest.mark.soak(sample=True)
def test_apply_refuses_a_machine_or_a_policy_that_moved_since_the_plan(soak_rounds: Rounds) -> None:
    told: list[bool] = []

    @settings(max_examples=soak_rounds(sample=12, full=1000), deadline=None)
    @given(machines, sites(), sites(), drifts, st.booleans())
    def holds(
        files: dict[str, Node],
        documents: tuple[Source, ...],
        others: tuple[Source, ...],
        drift: dict[str, Node | None],
        switch: bool,
    ) -> None:
        wanted = site(documents)
        with laptop(files) as machine:
            plan = machine.plan(wanted)
            tamper(machine, drift)
            then = site(others) if switch else wanted
            moved = machine.plan(then).hash != plan.hash
            before = machine.state()
            told.append(moved)
            if moved:
                with pytest.raises(BookbagError) as caught:
                    machine.apply(then, plan.hash)
                assert caught.value.code == "plan-outdated"
                assert machine.state() == before and machine.undo.resources() == ()
            else:
                assert not machine.apply(then, plan.hash).failed

    holds()
    assert set(told) == {True, False}, "both must have happened, or it shows nothing"
