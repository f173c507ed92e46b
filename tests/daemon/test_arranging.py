"""What is arranged reaches the desktop, goes on without a network and with a wrong clock, and ends by
itself."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from pathlib import Path

import pytest

from agent.commands.secrets import Given
from agent.core.layout import Layout
from agent.daemon import arranging, obeying, operations, wiring
from agent.daemon.arranging import LOOK
from agent.daemon.enforced import compiled_path
from agent.daemon.lock import Lock
from agent.daemon.worker import Context
from agent.daemon.workers import enrol, explain
from agent.host.sandbox.laptop import open_sandbox
from agent.policy import compiled as cache
from agent.store import atomic
from agent.trust.enrolment import EnrolFile, make_token
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.daemon.test_commands import Site
from tests.trust.school import DAY, Laptop, School

KEY = "/org/gnome/desktop/a11y/applications/screen-magnifier-enabled"
EXAM = """\
policy: exam
rank: school
owner: ict@north.example
review-by: "2087-02-01"
settings:
  accessibility.magnifier: {value: off, final: true}
  accessibility.text-size: large
"""
MAGNIFIED = {"settings": {"accessibility.magnifier": "3x"}}


class _Heard(Context):
    """One run in this process, and what it said."""

    def __init__(self, request: dict[str, object], layout: Layout) -> None:
        super().__init__(request, layout, os.open(os.devnull, os.O_WRONLY))
        self.events: list[dict[str, object]] = []

    def event(self, kind: str, **fields: object) -> None:
        self.events.append({"event": kind, **fields})

    @property
    def said(self) -> dict[str, object]:
        (result,) = [one["result"] for one in self.events if one["event"] == "result"]
        assert isinstance(result, dict)
        return result


class Quiet:
    """A laptop in a folder whose workers run in this process, one after the other, when told to."""

    def __init__(self, folder: Path) -> None:
        self.school = School(folder / "desk", at=int(time.time()))
        self.school.policy("ict", exam=EXAM)
        self.school.publish()
        self.root = folder / "root"
        self.layout = Layout(str(self.root))
        wiring.prepare(self.layout)
        open_sandbox(str(self.root))
        self.laptop = Laptop(Path(self.layout.generations), self.school)
        atomic.write(wiring.identity_path(self.layout), self.laptop.identity.to_bytes(), mode=0o600)
        self.clock(0)

    def clock(self, ahead: int, **more: object) -> None:
        self.ahead = ahead
        told = {"offset": ahead, **more}
        (self.root / ".sandbox/clock.json").write_text(json.dumps(told))

    def hear(self, *orders: bytes) -> dict[str, object]:
        """What the school says now is taken and obeyed; what the command worker said."""
        self.school.at = int(time.time())
        self.school.mail(self.laptop, *orders)
        self.school.publish()
        self.laptop.verify(self.school.mirror, self.school.at)
        heard = _Heard({"op": "obey"}, self.layout)
        obeying.run(heard, erasing=False)
        return heard.said

    def order(self, life: int = 90 * DAY, **args: object) -> bytes:
        self.school.at = int(time.time())
        given = args or MAGNIFIED
        return self.school.order(self.laptop, "arrange", args=given, expires=self.school.at + life)

    def audit(self) -> dict[str, object]:
        heard = _Heard({"op": "audit"}, self.layout)
        operations.run(heard, None)
        assert not [one for one in heard.events if one["event"] == "error"], heard.events
        return heard.said

    @property
    def magnified(self) -> str | None:
        dconf = open_sandbox(str(self.root)).dconf
        assert dconf is not None
        return dconf.effective("student", KEY)

    def public(self) -> dict[str, str]:
        """What anybody on this laptop may read, but for the list of what happened and for times."""
        names = ("settings.json", "reports.json", "messages.json")
        told = {name: Path(self.layout.public, name).read_text() for name in names}
        return {name: re.sub(r'"(signed_at|expires)":[0-9]+', "", text) for name, text in told.items()}

    @property
    def portal(self) -> Path:
        return Path(self.layout.asks, "arranged.json")


@pytest.fixture
def quiet(tmp_path: Path) -> Quiet:
    return Quiet(tmp_path)


def test_it_holds_in_the_exam_is_shown_to_the_portal_alone_and_ends_by_its_time(quiet: Quiet) -> None:
    quiet.hear()
    quiet.audit()
    assert quiet.magnified == "false" and not quiet.portal.exists(), "the control"
    first = quiet.audit()
    counts, print_before = first["outcomes"], first["fingerprint"]
    before = quiet.public()
    order = quiet.order()
    assert quiet.hear(order)["arranged"]
    said = quiet.audit()
    assert quiet.magnified == "true" and said["turn_in_s"] == LOOK
    assert said["fingerprint"] == print_before, "it goes into reports, where another would tell"
    assert quiet.portal.stat().st_mode & 0o777 == 0o600
    (row,) = json.loads(quiet.portal.read_text())["settings"]
    assert row == {"key": "accessibility.magnifier", "value": "3x", "held_by": ""}
    assert quiet.audit()["outcomes"] == counts, "nor does IT, or who gets the reports"
    assert quiet.public() == before, "nobody else on this laptop sees a difference"
    fresh = json.loads(Path(quiet.layout.public, "ledger.json").read_text())["entries"][:3]
    assert {(one["kind"], one["subject"].split()[0]) for one in fresh} == {
        ("command", "arrange"),
        ("policy", "dconf:zz-arranged"),
    }
    quiet.hear()  # the mail is withheld
    quiet.audit()
    assert quiet.magnified == "true"
    for day in range(29, 90, 29):
        quiet.clock(day * DAY)
        quiet.audit()
        assert quiet.magnified == "true", day
    quiet.clock(90 * DAY - 60)
    said = quiet.audit()
    assert quiet.magnified == "true"
    assert isinstance(said["turn_in_s"], int) and 0 < said["turn_in_s"] <= 60
    quiet.clock(90 * DAY + 1)
    quiet.audit()
    assert quiet.magnified == "false" and not quiet.portal.exists()
    assert not os.path.exists(quiet.root / "etc/dconf/db/bookbag.d/zz-arranged")


def test_a_clock_that_runs_ahead_takes_nothing_away_and_gives_nothing_for_ever(quiet: Quiet) -> None:
    """Months ahead it is not believed; what the laptop ran counts all the same, over restarts."""
    quiet.hear(quiet.order(10 * DAY))
    quiet.audit()
    began, boot = int(time.time()), int(time.clock_gettime(time.CLOCK_BOOTTIME))
    for day in (1, 4, 8, 9):
        quiet.clock(400 * DAY, boottime=boot + day * DAY)
        assert quiet.audit()["clock"]["quality"] == "suspect"  # type: ignore[index]
        assert quiet.magnified == "true", day
    quiet.clock(400 * DAY, **{"boottime": DAY // 2, "boot-id": "another"})
    quiet.audit()
    assert quiet.magnified == "true", "a restart begins nothing anew"
    quiet.clock(-400 * DAY, **{"boottime": DAY - 3600, "boot-id": "another"})
    quiet.audit()
    assert quiet.magnified == "true" and began
    quiet.clock(-400 * DAY, **{"boottime": DAY + 60, "boot-id": "another"})
    quiet.audit()
    assert quiet.magnified == "false"


def test_one_that_replaces_it_and_one_that_ends_it_count_at_once(quiet: Quiet) -> None:
    first = quiet.hear(quiet.order())["arranged"]
    quiet.audit()
    second = quiet.hear(quiet.order(settings={"accessibility.sticky-keys": "on"}))["arranged"]
    quiet.audit()
    assert first != second and quiet.magnified == "false"
    assert "sticky" in quiet.portal.read_text()
    quiet.hear(quiet.order(settings={}))
    quiet.audit()
    assert not quiet.portal.exists()


def test_a_damaged_memory_is_said_and_policy_goes_on(quiet: Quiet) -> None:
    quiet.hear(quiet.order())
    quiet.audit()
    for name in ("arranged.json", "arranged.json.2"):
        Path(quiet.layout.state, name).write_bytes(b"{}")
    heard = _Heard({"op": "audit"}, quiet.layout)
    operations.run(heard, None)
    (error,) = [one["error"] for one in heard.events if one["event"] == "error"]
    assert "either copy of the arranged file" in str(error) and "accommodate" in str(error)
    assert quiet.magnified == "false"


def test_what_policy_says_is_explained_with_a_damaged_memory_and_without_keys(quiet: Quiet) -> None:
    """The worker that explains may not read keys; what it is asked of others than the arranged goes on."""
    quiet.hear(quiet.order())
    quiet.audit()
    compiled = cache.load(compiled_path(quiet.layout))
    assert compiled is not None
    os.rename(wiring.identity_path(quiet.layout), f"{wiring.identity_path(quiet.layout)}.away")
    held = arranging.taken_in(quiet.layout, compiled)
    assert held is not None and dict(held.values) == MAGNIFIED["settings"]
    for name in ("arranged.json", "arranged.json.2"):
        Path(quiet.layout.state, name).write_bytes(b"{}")
    assert arranging.taken_in(quiet.layout, compiled) is None
    request: dict[str, object] = {"op": "key", "key": "accessibility.text-size", "at": int(time.time())}
    heard = _Heard(request, quiet.layout)
    assert explain.run(heard) == 0 and heard.said["value"] == "large"


def test_whoever_enrols_it_anew_finds_nothing_that_was_arranged(quiet: Quiet) -> None:
    quiet.hear(quiet.order())
    quiet.audit()
    left = [quiet.portal, *(Path(quiet.layout.state, f"arranged.json{more}") for more in ("", ".2"))]
    assert all(one.exists() for one in left), "the control"
    enrol.forget_returns(quiet.layout)
    assert not [one for one in left if one.exists()]


def test_an_order_under_way_leaves_no_secret_to_the_next_site(quiet: Quiet) -> None:
    obeying = Lock.take(f"{quiet.layout.state}/command.lock", wait=True)
    file = EnrolFile("south", (), "", b"", make_token())
    leaving = threading.Thread(target=enrol.leave, args=(quiet.layout, "north", file))
    leaving.start()
    leaving.join(0.2)
    assert leaving.is_alive(), "it waits"
    secrets = wiring.open_secrets(quiet.layout)
    secrets.put(Given({"staff-wifi": "of north"}, quiet.laptop.identity.id, 1, 1))
    obeying.release()
    leaving.join(30)
    assert secrets.find("staff-wifi") is None and wiring.identity_of(quiet.layout) is None


@pytest.mark.soak
def test_a_running_laptop_takes_it_and_lets_it_go_by_itself(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        laptop: SandboxLaptop = stack.enter_context(sandbox())
        site = Site(tmp_path, laptop)
        site.school.policy("ict", exam=EXAM)
        site.send()
        group = laptop.path("/etc/dconf/db/bookbag.d/zz-arranged")
        until(lambda: laptop.path("/etc/dconf/db/bookbag.d/magnifier").exists())
        life = int(time.time()) - site.school.at + DAY
        site.send(site.order("arrange", args=MAGNIFIED, expires=site.school.at + life))
        until(group.exists)
        told = " ".join(laptop.cli("explain", "accessibility.magnifier").stdout.split())
        assert "accessibility.magnifier: arranged" in told and "for whoever has this laptop, until" in told
        assert "3x" not in told and "exam" not in told
        laptop.set_clock(DAY - 8)
        laptop.cli("apply")
        assert group.exists(), "the control: seconds before its end"
        until(lambda: not group.exists())
        until(lambda: laptop.path("/etc/dconf/db/bookbag.d/magnifier").exists())
        assert laptop.stop() == 0
