"""Strict JSON: what is refused, where the error points, and that the canonical form is one."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import jsontext
from agent.core.errors import BookbagError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


def refusal(data: bytes, **caps: int) -> BookbagError:
    with pytest.raises(BookbagError) as caught:
        jsontext.parse(data, what="f.json", **caps)
    return caught.value


@given(VALUES)
def test_what_is_written_is_read_back_the_same(value: object) -> None:
    for data in (jsontext.canonical(value), jsontext.pretty(value).encode()):
        assert jsontext.parse(data, what="x", max_depth=100) == value


@given(VALUES)
def test_the_canonical_form_depends_on_the_value_alone(value: object) -> None:
    shuffled = json.loads(json.dumps(value), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert jsontext.canonical(shuffled) == jsontext.canonical(value)


def test_canonical_bytes_are_what_the_format_says() -> None:
    assert (
        jsontext.canonical({"b": [1, (True, None)], "a": "é\n"})
        == '{"a":"é\\n","b":[1,[true,null]]}'.encode()
    )


@pytest.mark.parametrize(
    ("data", "place", "why"),
    [
        (b"", "f.json:1:1", "expecting value"),
        (b'{"a": 1,\n "b": }', "f.json:2:7", "expecting value"),
        (b'{"a": 1}\n x', "f.json:2:2", "extra data"),
        (b'{"a": 1,\n  "b": {"a": 1, "c": 1,\n "c": 2}}', "f.json:3:2", "duplicate key"),
        (b'{"a": 1, "\\u0061": 2}', "f.json:1:10", "duplicate key"),
        (b"[1,\n 1.5]", "f.json:2:2", "1.5 is not an integer"),
        (b"[1e3]", "f.json:1:2", "1e3 is not an integer"),
        (b"[NaN]", "f.json:1:2", "NaN is not an integer"),
        (b"[-Infinity]", "f.json:1:2", "not an integer"),
        (b"[9223372036854775808]", "f.json:1:2", "beyond 64 bits"),
        (b"[" + b"9" * 5000 + b"]", "f.json:1:2", "beyond 64 bits"),
        (b'["a\xff"]', "f.json:1:4", "not UTF-8"),
        (b'\n"\xc3(', "f.json:2:2", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "f.json:1:1", ""),
        (b'["\t"]', "f.json:1:3", "control character"),
        (b'{"a":1', "f.json:1:7", "expecting"),
        (b'["\\ud800"]', "f.json", "surrogate"),
        (b"{'a': 1}", "f.json:1:2", "double quotes"),
        (b"[1,]", "f.json:1:", ""),
        (b"// no\n{}", "f.json:1:1", ""),
    ],
)
def test_bad_json_names_its_place(data: bytes, place: str, why: str) -> None:
    error = refusal(data)
    assert error.code == "bad-json"
    assert error.place.startswith(place)
    assert why.lower() in error.message.lower()


def test_the_bounds_are_exact() -> None:
    assert jsontext.parse(b"[[[1]]]", what="x", max_depth=3) == [[[1]]]
    assert refusal(b"[[[[1]]]]", max_depth=3).code == "too-large"
    assert jsontext.parse(b"[1,2,3]", what="x", max_nodes=4) == [1, 2, 3]
    assert refusal(b"[1,2,3,4]", max_nodes=4).code == "too-large"
    assert jsontext.parse(b"[1]", what="x", max_bytes=3) == [1]
    assert refusal(b"[12]", max_bytes=3).code == "too-large"


def test_brackets_and_commas_inside_text_do_not_count() -> None:
    text = '[[{{,,,"\\\\'
    assert jsontext.parse(jsontext.canonical([text]), what="x", max_depth=1, max_nodes=2) == [text]


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b"[" + b"0," * 250_000 + b"0]",
        b'"' + b'\\"' * 250_000,
        b'"\\' * 250_000,
        b'""' * 250_000,
    ],
)
def test_bombs_are_refused_quickly(bomb: bytes) -> None:
    began = time.process_time()
    assert refusal(bomb).code in {"too-large", "bad-json"}
    assert time.process_time() - began < 1.0


def test_64_bit_integers_are_kept() -> None:
    for number in (-(1 << 63), (1 << 63) - 1, 0):
        assert jsontext.parse(str(number).encode(), what="x") == number


@pytest.mark.parametrize("value", [1.5, {1: 2}, {"a": b"x"}, "\ud800", {"\udfff": 1}, {"a"}])
def test_what_has_no_canonical_form_is_not_written(value: object) -> None:
    for write in (jsontext.canonical, jsontext.pretty):
        with pytest.raises(BookbagError) as caught:
            write(value)
        assert caught.value.code == "bad-json"


def test_core_modules_of_the_resident_stay_light() -> None:
    """Positive control: agent.core.schema does import what the others must not."""
    program = (
        "import sys; before = set(sys.modules)\n"
        "import {modules}\n"
        "watched = {{'dataclasses', 'typing', 'logging', 'inspect', 'difflib', 'pathlib'}}\n"
        "heavy = watched & (set(sys.modules) - before)\n"
        "print(','.join(sorted(heavy)))"
    )
    light = "agent.core.errors, agent.core.ids, agent.core.layout, agent.core.jsontext, agent.core.durable"

    def heavy(modules: str) -> str:
        run = [sys.executable, "-S", "-c", program.format(modules=modules)]
        return subprocess.run(
            run, check=True, capture_output=True, text=True, env={"PYTHONPATH": "."}
        ).stdout.strip()

    assert heavy(light) == ""
    assert "dataclasses" in heavy("agent.core.schema")
