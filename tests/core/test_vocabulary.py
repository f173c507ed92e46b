"""Error codes, ids, exit codes and paths: small, relied upon everywhere, and never to be renamed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import exit_codes
from agent.core.errors import CODES, BookbagError
from agent.core.ids import check_name, is_id, is_name, new_id
from agent.core.layout import Layout


def test_error_codes_are_sorted_kebab_case_sentences() -> None:
    assert list(CODES) == sorted(CODES)
    for code, meaning in CODES.items():
        assert code.replace("-", "").isalpha()
        assert code == code.lower()
        assert meaning.endswith(".")


def test_an_unregistered_code_is_a_defect() -> None:
    with pytest.raises(KeyError, match="'no-such-code' is not a registered error code"):
        BookbagError("no-such-code", "cannot")


def test_an_error_reads_as_one_line_with_place_and_remedy() -> None:
    error = BookbagError("bad-yaml", "cannot read: tab", place="a.yaml:3:1", remedy="use spaces")
    assert str(error) == "a.yaml:3:1: cannot read: tab; use spaces"
    assert str(BookbagError("bad-yaml", "cannot read: tab")) == "cannot read: tab"


@given(st.sampled_from(sorted(CODES)), st.text(), st.text(), st.text())
def test_an_error_survives_the_way_between_processes(
    code: str, message: str, place: str, remedy: str
) -> None:
    error = BookbagError(code, message, place=place, remedy=remedy)
    back = BookbagError.from_dict(error.to_dict())
    assert (back.code, back.message, back.place, back.remedy) == (code, message, place, remedy)


def test_a_code_of_a_newer_peer_keeps_its_name() -> None:
    error = BookbagError.from_dict({"code": "from-the-future", "message": "cannot"})
    assert (error.code, error.message) == ("internal", "[from-the-future] cannot")


def test_ids_are_32_lower_case_hex_and_differ() -> None:
    made = {new_id() for _ in range(100)}
    assert len(made) == 100
    assert all(map(is_id, made))
    for wrong in ("", "A" * 32, "a" * 31, "a" * 33, "g" * 32, b"a" * 32, None, 7):
        assert not is_id(wrong)


@pytest.mark.parametrize("name", ["a", "north-high", "9", "a" * 32, "a--b"])
def test_names(name: str) -> None:
    assert is_name(name)
    assert check_name(name, "a site") == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a" * 33, "a_b", "a/b", "é", "a\n", None, 7])
def test_what_is_no_name(name: object) -> None:
    assert not is_name(name)


def test_a_wrong_name_is_refused_with_the_rule() -> None:
    with pytest.raises(BookbagError) as caught:
        check_name("North High", "a site")
    assert caught.value.code == "bad-argument"
    assert "'North High' as a site" in caught.value.message


def test_exit_codes_never_change() -> None:
    found = {name: value for name, value in vars(exit_codes).items() if name.isupper()}
    assert found == {
        "IN_SYNC": 0,
        "COULD_NOT_RUN": 1,
        "CHANGED": 2,
        "FAILED": 4,
        "REBOOT": 8,
        "USAGE": 64,
        "INTERRUPTED": 130,
    }


def test_paths_are_those_of_the_design_and_stay_inside_a_sandbox() -> None:
    real, sandbox = Layout(), Layout("/tmp/box/")
    assert real.agent_yaml == "/etc/bookbag/agent.yaml"
    assert real.control_socket == "/run/bookbag/control.sock"
    assert real.var == "/var/lib/bookbag"
    assert sandbox.on_laptop("/etc/motd") == "/tmp/box/etc/motd"
    names = [name for name, value in vars(Layout).items() if isinstance(value, property)]
    assert len(names) > 10
    for name in names:
        assert getattr(sandbox, name) == "/tmp/box" + getattr(real, name)
    assert sandbox.state_file("clock") == "/tmp/box/var/lib/bookbag/state/clock.json"
    assert sandbox.worker_socket("sync").startswith("/tmp/box/run/bookbag/")
