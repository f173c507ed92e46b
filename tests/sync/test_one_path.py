"""Host and stick go through one code path (I-2): one site gives one mirror, one damage one refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.sync.connection import Deadline
from agent.sync.folder import FolderSource
from agent.sync.https import HttpsSource
from agent.sync.memory import Memory
from agent.sync.ports import Source
from agent.sync.round import Round, Wanted, run_round
from tests.sync.server import Host, Tls, make_tls, static_host
from tests.trust.school import START, School, copy_mirror

POLICY = 'policy: base\nrank: school\nowner: ict@north.example\nreview-by: "2027-08-01"\n'


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return make_tls(tmp_path / "tls")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """What is published, in a folder of its own, to be damaged."""
    school = School(tmp_path / "desk")
    school.policy(base=POLICY)
    school.publish()
    return copy_mirror(school.mirror, tmp_path / "site")


@pytest.fixture
def host(site: Path, tls: Tls) -> Iterator[Host]:
    with static_host(site, tls) as made:
        yield made


@pytest.fixture
def ways(site: Path, host: Host, tls: Tls) -> dict[str, Callable[[], Source]]:
    return {
        "host": lambda: HttpsSource(host.url, str(tls.ca), Deadline(20)),
        "stick": lambda: FolderSource(str(site)),
    }


def sync(folder: Path, open_source: Callable[[], Source], root: bytes) -> dict[str, bytes]:
    """The mirror after one round, file by file."""
    folder.mkdir()
    mirror = folder / "mirror"
    wanted = Wanted("north", str(mirror), root, mailbox="ab" * 16, at=START)
    memory = Memory(str(folder / "sync.json"), str(mirror), "north")
    run_round([open_source], wanted, memory, lambda: iter(()), Round())
    return files(mirror)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_same_site_gives_the_same_mirror(
    tmp_path: Path, site: Path, ways: dict[str, Callable[[], Source]]
) -> None:
    root = (site / "metadata" / "1.root.json").read_bytes()
    host, stick = (sync(tmp_path / name, way, root) for name, way in ways.items())
    assert host == stick
    assert any(path.endswith(".base.yaml") for path in host)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "an altered timestamp": lambda site: _flip(site / "metadata" / "timestamp.json"),
    "half a snapshot": lambda site: _halve(next(site.glob("metadata/*.snapshot.json"))),
    "no targets": lambda site: next(site.glob("metadata/*.targets.json")).unlink(),
    "an altered trust.json": lambda site: _flip(next(site.glob("targets/*.trust.json"))),
    "a sign-in page": lambda site: (site / "metadata" / "timestamp.json").write_bytes(b"<html></html>"),
    "too much": lambda site: (site / "metadata" / "timestamp.json").write_bytes(b" " * (17 << 10)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_same_damage_gives_the_same_refusal(
    tmp_path: Path, site: Path, ways: dict[str, Callable[[], Source]], damage: str
) -> None:
    root = (site / "metadata" / "1.root.json").read_bytes()
    DAMAGES[damage](site)
    ended = {}
    for name, way in ways.items():
        with pytest.raises(BookbagError) as problem:
            sync(tmp_path / name, way, root)
        ended[name] = problem.value.code
        assert not (tmp_path / name / "mirror" / "metadata" / "timestamp.json").exists()
    assert ended["host"] == ended["stick"]
