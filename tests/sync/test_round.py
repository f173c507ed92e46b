"""One round: the first source that answers counts, one request if nothing is new, and nothing seen before
hides what is missing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.sync import round as rounds
from agent.sync.connection import Deadline
from agent.sync.folder import FolderSource
from agent.sync.https import HttpsSource
from agent.sync.memory import Memory
from agent.sync.ports import Source
from agent.sync.round import Round, Wanted, run_round
from agent.sync.source import SourceFailed
from tests.leaks import REPOSITORY
from tests.sync.server import Host, static_host
from tests.trust.school import START, School

NEWEST = "metadata/timestamp.json"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between sources; chance and seconds are no part of what is shown here."""
    monkeypatch.setattr(rounds, "FIRST_PAUSE", 0.001)


@pytest.fixture
def school(tmp_path: Path) -> School:
    made = School(tmp_path / "desk")
    made.policy(home="policy: home\n")
    made.publish()
    return made


@pytest.fixture
def host(school: School) -> Iterator[Host]:
    with static_host(school.mirror) as made:
        yield made


class Spool:
    """A laptop's spool: what a round leaves there, and what waits to go out."""

    def __init__(self, folder: Path, school: School) -> None:
        self.mirror = folder / "mirror"
        self.folder = folder
        folder.mkdir()
        self.root = (school.mirror / "metadata/1.root.json").read_bytes()
        self.waiting: dict[str, bytes] = {}

    def round(self, *sources: Source | str, mailbox: str = "", whole: bool = False) -> Round:
        this = Round()
        self.last = this
        wanted = Wanted("north", str(self.mirror), self.root, mailbox, START, whole=whole)
        memory = Memory(str(self.folder / "sync.json"), str(self.mirror), f"north {mailbox}")
        run_round([opening(one) for one in sources], wanted, memory, lambda: iter(self.waiting.items()), this)
        return this


def opening(source: Source | str) -> Callable[[], Source]:
    """How a source is opened: a URL or a folder's path by name."""
    if isinstance(source, str):
        if source.startswith("http"):
            return lambda: HttpsSource(source, "", Deadline(20))
        return lambda: FolderSource(source)
    return lambda: source


@pytest.fixture
def spool(tmp_path: Path, school: School) -> Spool:
    return Spool(tmp_path / "spool", school)


def test_news_then_nothing_new_in_one_request(spool: Spool, host: Host, school: School) -> None:
    first = spool.round(host.url)
    assert first.news
    assert first.files > 4
    assert (spool.mirror / NEWEST).read_bytes() == (school.mirror / NEWEST).read_bytes()
    del host.seen[:]
    assert not spool.round(host.url).news
    assert host.seen == [f"GET /{NEWEST} 304"]


LOADS = """
import sys
sys.path.append(sys.argv[1])
import agent.daemon.workers.sync
from agent.sync.connection import Deadline
from agent.sync.https import HttpsSource
from agent.sync.memory import Memory
from agent.sync.round import Round, Wanted, run_round
url, folder = sys.argv[2:]
this, wanted = Round(), Wanted("north", f"{folder}/mirror", b"")
memory = Memory(f"{folder}/sync.json", wanted.mirror, "north ")
run_round([lambda: HttpsSource(url, "", Deadline(20))], wanted, memory, lambda: iter(()), this)
print(this.news, *sys.modules.keys() & {"dataclasses", "inspect", "typing", "agent.trust.wanted"})
"""


def test_a_round_without_news_loads_nothing_that_it_can_do_without(spool: Spool, host: Host) -> None:
    spool.round(host.url)
    del host.seen[:]
    argv = [sys.executable, "-I", "-S", "-c", LOADS, str(REPOSITORY), host.url, str(spool.folder)]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "False\n"
    assert host.seen == [f"GET /{NEWEST} 304"]


def test_a_host_without_etags_costs_one_small_file(spool: Spool, host: Host, school: School) -> None:
    host.answer = lambda path: (
        (200, {}, (school.mirror / path[1:]).read_bytes()) if path == f"/{NEWEST}" else None
    )
    assert spool.round(host.url).news
    del host.seen[:]
    assert not spool.round(host.url).news
    assert host.seen == [f"GET /{NEWEST} 200"]


@pytest.mark.parametrize("damage", ["timestamp gone", "mirror gone", "timestamp touched", "memory damaged"])
def test_what_is_missing_is_fetched_though_the_host_has_nothing_new(
    spool: Spool, host: Host, damage: str
) -> None:
    spool.round(host.url)
    if damage == "timestamp gone":
        (spool.mirror / NEWEST).unlink()
    elif damage == "mirror gone":
        shutil.rmtree(spool.mirror)
    elif damage == "timestamp touched":
        (spool.mirror / NEWEST).write_bytes(b"{}")
    else:
        (spool.folder / "sync.json").write_bytes(b"\0" * 100)
    spool.round(host.url)
    assert (spool.mirror / NEWEST).stat().st_size > 100


def test_a_mailbox_of_ones_own_is_asked_for_though_nothing_else_is_new(spool: Spool, host: Host) -> None:
    spool.round(host.url)
    del host.seen[:]
    spool.round(host.url, mailbox="ab" * 16)
    assert host.seen[0] == f"GET /{NEWEST} 200"
    assert len(host.seen) > 1


def test_a_damaged_mirror_is_made_whole_when_root_says_so(spool: Spool, host: Host) -> None:
    spool.round(host.url)
    victim = next((spool.mirror / "targets").rglob("*.home.yaml"))
    victim.write_bytes(b"damaged")
    assert not spool.round(host.url).news  # unprivileged, it cannot know
    assert spool.round(host.url, whole=True).news
    assert victim.read_bytes() == b"policy: home\n"


def test_the_first_source_that_answers_counts(spool: Spool, host: Host, school: School) -> None:
    this = spool.round("http://127.0.0.1:1/", str(school.folder / "nowhere"), host.url)
    assert this.source == host.url
    assert this.news


def test_no_source_at_all_tells_of_the_first(spool: Spool, host: Host) -> None:
    host.answer = lambda _: (503, {"Retry-After": "77"}, b"busy")
    with pytest.raises(SourceFailed) as failed:
        spool.round("http://127.0.0.1:1/", host.url)
    assert failed.value.place == "http://127.0.0.1:1/"
    assert failed.value.answered  # by the second one, so that nobody hammers it
    assert failed.value.retry_after == 77
    with pytest.raises(BookbagError) as none:
        spool.round()
    assert none.value.code == "bad-config"


def test_what_a_source_gives_that_is_not_the_sites_leaves_the_mirror_alone(
    spool: Spool, host: Host, school: School, tmp_path: Path
) -> None:
    spool.round(host.url)
    before = (spool.mirror / NEWEST).read_bytes()
    other = School(tmp_path / "other", site="south")
    other.publish()
    with static_host(other.mirror) as foreign, pytest.raises(BookbagError) as refused:
        spool.round(foreign.url)
    assert refused.value.code in ("bad-metadata", "under-signed", "wrong-site")
    assert (spool.mirror / NEWEST).read_bytes() == before
    assert not spool.round(host.url).news


def test_one_return_that_is_refused_holds_up_no_other_and_no_news(spool: Spool, host: Host) -> None:
    spool.waiting = {"a": b"1", "enrol-b": b"2", "c": b"3"}
    host.returns["enrol-b"] = b"someone else's"
    host.answer = lambda path: (413, {}, b"too large") if path == "/returns/a" else None
    this = spool.round(host.url)
    assert (this.delivered, this.already, list(this.undelivered)) == (["c"], ["enrol-b"], ["a"])
    assert this.news


def test_a_receipt_whose_name_another_return_has_is_kept_and_told_of(spool: Spool, host: Host) -> None:
    """Whoever put it there: what came of an order is not known at the desk."""
    spool.waiting = {"receipt-a-1": b"ours", "receipt-a-2": b"ours too"}
    host.returns |= {"receipt-a-1": b"a stranger's", "receipt-a-2": b"ours too"}
    this = spool.round(host.url)
    assert (this.delivered, this.already) == (["receipt-a-2"], [])
    assert "another return of this name is there" in this.undelivered["receipt-a-1"]


def test_what_is_refused_takes_no_turn_of_what_is_not(spool: Spool, host: Host) -> None:
    spool.waiting = {f"receipt-a-{n}": b"x" for n in range(100)}
    refused = rounds.MAX_REFUSED - 1
    host.answer = lambda path: (
        (403, {}, b"") if path.startswith("/returns/") and int(path.rpartition("-")[2]) < refused else None
    )
    this = spool.round(host.url)
    assert len(this.undelivered) == refused
    assert this.delivered == [f"receipt-a-{n}" for n in range(refused, 100)]


def test_no_more_is_sent_in_vain_than_a_round_may(spool: Spool, host: Host) -> None:
    spool.waiting = {f"receipt-a-{n}": b"x" for n in range(100)}
    host.answer = lambda path: (403, {}, b"") if path.startswith("/returns/") else None
    assert len(spool.round(host.url).undelivered) == rounds.MAX_REFUSED
    host.answer = lambda _: None
    assert len(spool.round(host.url).delivered) == rounds.MAX_RETURNS


def test_what_was_delivered_is_told_though_the_round_fails(spool: Spool, host: Host) -> None:
    spool.waiting = {"a": b"1"}
    host.answer = lambda path: (200, {}, b'{"signed":{}}') if path == f"/{NEWEST}" else None
    with pytest.raises(BookbagError):
        spool.round(host.url)
    assert spool.last.delivered == ["a"]


def test_a_host_that_is_busy_is_not_sent_the_rest(spool: Spool, host: Host) -> None:
    spool.waiting = {"a": b"1", "b": b"2"}
    host.answer = lambda path: (503, {"Retry-After": "60"}, b"") if path.startswith("/returns/") else None
    spool.round(host.url)
    assert [line for line in host.seen if line.startswith("PUT")] == ["PUT /returns/a 503"]


def test_a_stick_keeps_returns_and_so_does_the_outbox(spool: Spool, school: School) -> None:
    spool.waiting = {"a": b"1"}
    this = spool.round(str(school.mirror))
    assert (this.left, this.delivered) == (["a"], [])
    assert (school.mirror / "returns/a").read_bytes() == b"1"


def test_all_that_waits_is_left_on_a_stick_and_what_is_on_it_is_not_written_again(
    spool: Spool, school: School
) -> None:
    spool.waiting = {f"receipt-a-{n}": b"%d" % n for n in range(rounds.MAX_RETURNS + 10)}
    assert spool.round(str(school.mirror)).left == list(spool.waiting)
    placed = {path.name: path.stat().st_ino for path in (school.mirror / "returns").iterdir()}
    assert set(placed) == set(spool.waiting)
    (school.mirror / "returns/receipt-a-3").write_bytes(b"4")
    spool.waiting["receipt-a-5"] = b"another"
    assert spool.round(str(school.mirror)).left == list(spool.waiting)
    after = {path.name: path.stat().st_ino for path in (school.mirror / "returns").iterdir()}
    assert {name for name in after if after[name] != placed[name]} == {"receipt-a-3", "receipt-a-5"}
    assert (school.mirror / "returns/receipt-a-3").read_bytes() == b"3"


def test_a_stick_whose_returns_lead_elsewhere_is_not_followed(
    spool: Spool, school: School, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (school.mirror / "returns").symlink_to(tmp_path / "elsewhere")
    spool.waiting = {"a": b"1"}
    this = spool.round(str(school.mirror))
    assert list(this.undelivered) == ["a"]
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_folder_that_is_no_repository_says_so(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(BookbagError) as refused:
        spool.round(str(tmp_path))
    assert refused.value.code == "not-found"
    assert "stick" in refused.value.remedy
