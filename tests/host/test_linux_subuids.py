"""What root lends: whatever the file holds, the ranges are within bounds and no uid of the system's is in
them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.host.linux import subuids
from agent.host.linux.subuids import Range, read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "subuid"


def test_as_it_is_on_any_laptop(path: Path) -> None:
    path.write_text("zoe:100000:65536\n1001:165536:65536\n")
    assert read(str(path)) == (
        Range("zoe", range(100_000, 165_536)),
        Range("1001", range(165_536, 231_072)),
    )


@pytest.mark.parametrize(
    "line",
    [
        *("", "#", "zoe", "zoe:", "zoe:100000", "zoe:100000:", ":100000:9", "zoe:100000:9:9", "zoe:a:9"),
        *(
            "zoe:-1:9",
            "zoe:100000:-9",
            "zoe:100000:0",
            "zoe:+1:9",
            "zoe:\u0661\u0660:9",
            "zoe:1e9:9",
            "zoe: :9",
        ),
        *("zoe:99999999999:9", "zoe:100000:99999999999", "zoe:4294967295:1", "zoe:0:65536", "zoe:1:999"),
    ],
)
def test_what_is_malformed_or_lends_nothing_is_passed_over(path: Path, line: str) -> None:
    path.write_text(f"{line}\nzoe:100000:10\n")
    assert read(str(path)) == (Range("zoe", range(100_000, 100_010)),)


def test_the_systems_own_uids_are_never_lent(path: Path) -> None:
    path.write_text("zoe:0:4294967295\n")
    assert read(str(path)) == (Range("zoe", range(65_536, (1 << 32) - 1)),)


def test_what_is_not_there_or_no_file_lends_nothing(path: Path) -> None:
    assert read(str(path)) == ()
    path.mkdir()
    assert read(str(path)) == ()


def test_it_is_read_within_bounds(path: Path) -> None:
    line = "zoe:100000:10\n"
    path.write_text(line * (subuids.MOST_RANGES + 5))
    assert len(read(str(path))) == subuids.MOST_RANGES
    path.write_text(line + "x" * (2 * subuids.MOST_BYTES) + "\n" + line)
    assert len(read(str(path))) == 1


@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-subuid"
    path.write_bytes(data)
    for one in read(str(path)):
        assert one.user and len(one.uids) and one.uids[0] >= subuids.FIRST
