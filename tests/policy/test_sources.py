"""Sources of packages by policy: what is there already is never written over, nor made unreadable to apt;
what people read says whose key it is; and nothing but public keys is taken for one.
"""

from __future__ import annotations

import base64

import pytest

from agent.core.errors import BookbagError
from agent.core.model import Outcome
from agent.policy import kinds
from agent.policy.compiled import Compiled
from agent.policy.document import Source
from agent.policy.syntax.openpgp import public_keys
from tests.contract.openpgp_keys import OTHER, VENDOR
from tests.policy.machine import Machine, compiled, outcomes, source

ID = "apt-source:vendor"
FOLDER = "/etc/apt/sources.list.d"
PATH = f"{FOLDER}/bookbag-vendor.sources"
THEIRS = "# mine\nTypes: deb\nURIs: https://mine.example\nSuites: ./\n"


def said(key: str = VENDOR, *, uri: str = "https://vendor.example", **more: str) -> Source:
    indented = "".join(f"        {line}\n" for line in key.splitlines())
    body = (
        f"settings:\n  software.sources:\n    - name: vendor\n      uris: [{uri}]\n      suites: [stable]\n"
        f"      components: [main]\n      key: |\n{indented}"
    )
    return source(body, power=True, name=more.get("policy", "test"), rank=more.get("rank", "school"))


def wanted(*sources: Source) -> Compiled:
    return compiled(*(sources or (said(),)))


def test_another_key_is_another_file_and_nothing_is_left(machine: Machine) -> None:
    machine.apply(wanted())
    first = machine.read(PATH)
    assert first is not None and first.endswith(" -----END PGP PUBLIC KEY BLOCK-----\n")
    assert outcomes(machine.apply(wanted(said(OTHER))))[ID] is Outcome.CHANGED
    assert machine.read(PATH) not in (first, None)
    machine.apply(None)
    assert machine.read(PATH) is None and machine.undo.resources() == ()
    assert machine.host.files.read(FOLDER) is None, "the folder was not there before either"


def test_what_somebody_changes_of_it_is_put_right_and_goes(machine: Machine) -> None:
    machine.apply(wanted())
    first = machine.read(PATH)
    assert first is not None
    machine.write(PATH, first.replace("Types: deb", "Types: deb\nTrusted: yes"))
    assert outcomes(machine.apply(wanted()))[ID] is Outcome.HEALED
    assert machine.read(PATH) == first
    machine.write(PATH, first.replace("Types: deb", "Types: deb\nTrusted: yes"))
    machine.apply(None)
    assert machine.read(PATH) is None


def test_what_has_its_place_by_now_stays(machine: Machine) -> None:
    machine.apply(wanted())
    machine.write(PATH, THEIRS)
    assert outcomes(machine.apply(wanted()))[ID] is Outcome.NOT_SUPPORTED
    assert machine.read(PATH) == THEIRS
    assert outcomes(machine.apply(None))[ID] is Outcome.KEPT
    assert machine.read(PATH) == THEIRS and machine.undo.resources() == ()


def test_a_source_that_the_laptop_has_is_left_to_it(machine: Machine) -> None:
    """Two keys for one place, and apt has no source at all: no update either."""
    machine.write(f"{FOLDER}/theirs.list", "deb [signed-by=/etc/k.asc] https://theirs.example/ stable main\n")
    found = machine.apply(wanted(said(uri="https://theirs.example")))
    assert outcomes(found)[ID] is Outcome.NOT_SUPPORTED and machine.read(PATH) is None
    assert outcomes(machine.apply(wanted()))[ID] is Outcome.CHANGED, "the control"
    first = machine.read(PATH)
    assert outcomes(machine.apply(wanted(said(uri="https://theirs.example"))))[ID] is Outcome.FAILED
    assert machine.read(PATH) == first, "what apt could read is put back"
    assert machine.host.apt is not None
    assert machine.host.apt.looks_for() == {
        "https://theirs.example/dists/stable/InRelease",
        "https://vendor.example/dists/stable/InRelease",
    }


def test_a_vendors_package_that_brings_its_own_source_takes_no_updates_away(machine: Machine) -> None:
    """As some do when they are installed: with two keys for one place, apt has none at all."""
    assert machine.host.apt is not None
    machine.apply(wanted())
    theirs = "deb [signed-by=/etc/k.asc] https://vendor.example/ stable main\n"
    machine.write(f"{FOLDER}/theirs.list", theirs)
    with pytest.raises(BookbagError):
        machine.host.apt.looks_for()
    assert outcomes(machine.apply(wanted()))[ID] is Outcome.FAILED
    assert machine.read(PATH) is None and machine.read(f"{FOLDER}/theirs.list") == theirs
    assert machine.host.apt.looks_for() == {"https://vendor.example/dists/stable/InRelease"}
    assert outcomes(machine.apply(wanted()))[ID] is Outcome.NOT_SUPPORTED, "it has it from there"
    machine.remove(f"{FOLDER}/theirs.list")
    assert outcomes(machine.apply(wanted()))[ID] is not Outcome.FAILED and machine.read(PATH) is not None
    machine.apply(None)
    assert machine.read(PATH) is None


def test_that_somebody_made_apt_have_none_is_told(machine: Machine) -> None:
    machine.apply(wanted())
    first = machine.read(PATH)
    machine.write(f"{FOLDER}/broken.sources", "Types: deb\n")
    for _ in range(2):
        assert outcomes(machine.apply(wanted()))[ID] is Outcome.NOT_EFFECTIVE
        assert machine.read(PATH) == first, "it is not for ours"
    machine.remove(f"{FOLDER}/broken.sources")
    assert outcomes(machine.apply(wanted()))[ID] is Outcome.IN_FORCE


def test_of_one_name_or_one_place_the_nearer_rank_is_followed() -> None:
    far, near = said(policy="far", rank="district"), said(OTHER, policy="near", rank="class")
    value = compiled(far, near).settings["software.sources"]["value"]
    assert isinstance(value, list)
    assert [entry["key"] for entry in value] == [public_keys(OTHER).armored]


def test_people_read_the_fingerprint_of_the_key() -> None:
    setting = kinds.settings()["software.sources"]
    shown = setting.show(compiled(said()).settings["software.sources"]["value"])
    assert "key 6888 AC64 E35F E184 4A9B 95A9 BE85 BA9B 0C98 3FFD" in shown
    assert "https://vendor.example stable main" in shown


def test_a_damaged_key_is_told_and_never_taken() -> None:
    whole = public_keys(VENDOR)
    assert whole.armored == VENDOR, "the control"
    lines = VENDOR.splitlines()
    data = base64.b64decode("".join(lines[2:-2]))
    for at in range(len(data)):
        for changed in (data[:at], data[:at] + bytes((data[at] ^ 0x81,)) + data[at + 1 :]):
            text = base64.b64encode(changed).decode()
            body = [text[one : one + 64] for one in range(0, len(text), 64)]
            with pytest.raises(ValueError, match="it"):
                public_keys("\n".join((*lines[:2], *body, *lines[-2:])))


@pytest.mark.parametrize(
    "packets",
    [
        b"",
        b"\xc2\x00",
        b"\xc6\xff\xff\xff\xff\xff",
        b"\xc6\xe1",
        b"\x99\xff",
        b"\xc6\x01\x04",
        b"\xc6\x0a" + b"\x03" * 10,
    ],
)
def test_what_is_no_key_is_none(packets: bytes) -> None:
    lines = VENDOR.splitlines()
    with pytest.raises(ValueError, match="it"):
        public_keys("\n".join((*lines[:2], base64.b64encode(packets).decode(), lines[-1], "")))
