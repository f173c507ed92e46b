"""Keys of a file that is somebody else's: what stays where others wrote in it since, and what is read."""

from __future__ import annotations

import pytest

from agent.core.model import Outcome
from agent.policy.resources.ini_keys import GDM, IniKeys, read, write
from tests.policy.machine import Machine, compiled, outcomes, source

OFF = source("settings:\n  accounts.automatic-login: off\n")


def test_what_others_wrote_since_stays_and_our_keys_go_back(machine: Machine) -> None:
    machine.write(GDM, "[daemon]\nAutomaticLoginEnable=true\nAutomaticLogin=student\n")
    machine.apply(compiled(OFF))
    text = machine.read(GDM)
    assert text is not None and "AutomaticLoginEnable=false" in text, "the control"
    machine.write(GDM, text + "[debug]\nEnable=true\n")
    assert set(outcomes(machine.apply(None)).values()) == {Outcome.KEPT}
    left = machine.read(GDM)
    assert left is not None and "[debug]\nEnable=true\n" in left
    assert read(left, "daemon/AutomaticLoginEnable") == "true"
    assert read(left, "daemon/AutomaticLogin") == "student"
    assert read(left, "daemon/TimedLoginEnable") == ""


def test_what_others_change_of_ours_is_changed_back_and_the_rest_is_theirs(machine: Machine) -> None:
    machine.apply(compiled(OFF))
    machine.write(GDM, "[debug]\nEnable=true\n[daemon]\nAutomaticLoginEnable=true\n")
    assert set(outcomes(machine.apply(compiled(OFF))).values()) == {Outcome.CHANGED}
    text = machine.read(GDM)
    assert text is not None and text.startswith("[debug]\nEnable=true\n[daemon]\n")
    assert read(text, "daemon/AutomaticLoginEnable") == "false"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("a=1\n", ""),  # before any section
        ("[s]\na=1\n", "1"),
        ("[s]\n a  =  1 \n", "1"),
        ("[s]\n#a=1\n;a=2\n", ""),
        ("[t]\na=1\n[s]\nb=2\n", ""),
        ("[s]\na=1\n[t]\na=2\n[s]\na=3\n", "3"),
        ("[s]\na=b=c\n", "b=c"),
    ],
)
def test_a_key_is_read_as_its_program_reads_it(text: str, value: str) -> None:
    assert read(text, "s/a") == value
    for wanted in ("9", ""):
        written = write(text, "s/a", wanted)
        assert read(written, "s/a") == wanted
        assert read(written, "t/a") == read(text, "t/a")


def test_a_line_feed_alone_ends_a_line_and_every_other_sign_stays() -> None:
    theirs = "[daemon]\r\nA=1\x0cTimedLoginEnable=true\x85\r\n[other]\n"
    assert read(theirs, "daemon/TimedLoginEnable") == "", "it is a part of another line"
    ours = write(theirs, "daemon/TimedLoginEnable", "false")
    assert ours == theirs.replace("\r\n", "\r\nTimedLoginEnable=false\n", 1)
    assert write(ours, "daemon/TimedLoginEnable", "") == theirs


def test_its_name_tells_which_keys_to_take_out() -> None:
    one = IniKeys(GDM, {"daemon/B": "x", "daemon/A": ""})
    assert IniKeys.named(one.name).id == one.id
    assert set(IniKeys.named(one.name).values) == set(one.values)
