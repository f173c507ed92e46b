"""Printers, as policy asks for them: the same of the laptop in a folder and of a real CUPS. All are off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.host.base import Files, Node
from agent.host.printing import EVERYWHERE, LANGUAGES, PCL, PDF, POSTSCRIPT, Printing, Queue
from tests.contract.subject import refused

#: Nothing answers at any of these, and nothing has to.
LIBRARY = Queue("ipp://printer.north.example/ipp/print", EVERYWHERE, "Library", "First floor")
OFFICE = Queue("socket://192.0.2.9:9100", PDF)
OPTIONS = "/etc/cups/lpoptions"


@dataclass(frozen=True)
class Printable:
    """A machine without any queue."""

    printing: Printing
    files: Files
    person_makes: Callable[[str], None]  #: a queue of this name, as an administrator makes one
    person_chooses: Callable[[str], None]  #: the spooler's default
    restart: Callable[[], None]  #: the spooler, which then knows what it wrote down


def check_a_new_machine_has_no_printer(machine: Printable) -> None:
    assert machine.printing.names() == ()
    assert machine.printing.find("library") is None
    assert (machine.printing.default(), machine.printing.offered()) == ("", "")
    machine.printing.remove("library")


def check_a_printer_that_is_off_is_offered_all_the_same(machine: Printable) -> None:
    machine.printing.put("library", LIBRARY)
    assert machine.printing.names() == ("library",)
    assert machine.printing.find("library") == LIBRARY
    machine.printing.put("library", LIBRARY)
    assert machine.printing.find("library") == LIBRARY, "twice is once"
    machine.printing.remove("library")
    assert machine.printing.names() == () and machine.printing.find("library") is None


def check_every_language_and_paper_is_told_from_the_others(machine: Printable) -> None:
    for speaks in LANGUAGES:
        for address in (LIBRARY.address, OFFICE.address, "ipps://[2001:db8::9]:8443/ipp/print/a-b_1"):
            assert machine.printing.lacks(address, speaks) == ""
    for speaks in (POSTSCRIPT, PCL):
        for paper in ("letter", "a4"):
            wanted = replace(OFFICE, speaks=speaks, paper=paper)
            machine.printing.put("office", wanted)
            assert machine.printing.find("office") == wanted


def check_what_people_read_is_kept_word_for_word_over_a_restart(machine: Printable) -> None:
    texts = (
        *("Teacher's room", "مكتبة الطابق الأول", 'a "b" # \\ <c> %20 ;', "'quoted'", "-x"),
        "x=y printer-state=5",
    )
    wanted = {
        f"office-{number}": replace(OFFICE, about=text, place=text[::-1]) for number, text in enumerate(texts)
    }
    for name, queue in wanted.items():
        machine.printing.put(name, queue)
        assert machine.printing.find(name) == queue
    machine.restart()
    assert {name: machine.printing.find(name) for name in machine.printing.names()} == wanted
    machine.printing.put("office-0", OFFICE)
    assert machine.printing.find("office-0") == OFFICE, "and taken away again"


def check_a_queue_of_a_persons_is_told_from_ours(machine: Printable) -> None:
    machine.person_makes("Library")
    found = machine.printing.find("library")
    assert found is not None and not found.ours, "names know no case"
    machine.person_makes("office")
    assert machine.printing.find("office") != OFFICE
    machine.printing.put("own", OFFICE)
    assert machine.printing.find("own") == OFFICE
    assert machine.printing.names() == ("Library", "office", "own")


def check_the_default_is_one_of_them_or_none(machine: Printable) -> None:
    machine.person_makes("theirs")
    machine.printing.put("library", LIBRARY)
    machine.printing.put("office", replace(OFFICE, paper="letter"))
    assert machine.printing.default() == "", "nobody chose one"
    for name in ("library", "office", "theirs", "office"):
        machine.printing.set_default(name)
        assert (machine.printing.default(), machine.printing.offered()) == (name, name)
    refused("not-effective", machine.printing.set_default, "nowhere")
    assert machine.printing.default() == "office"
    for _ in range(2):
        machine.printing.set_default("")
        assert (machine.printing.default(), machine.printing.offered()) == ("", "")
    assert machine.printing.find("office") == replace(OFFICE, paper="letter"), "as it was, and no default"
    machine.printing.set_default("library")
    machine.printing.remove("library")
    assert machine.printing.default() == "", "it went with its queue"
    machine.person_chooses("theirs")
    refused("not-allowed", machine.printing.set_default, "")
    assert machine.printing.default() == "theirs"


def check_programs_go_by_what_the_machine_says_over_the_spooler(machine: Printable) -> None:
    machine.person_makes("theirs")
    machine.printing.put("library", LIBRARY)
    machine.printing.set_default("library")
    machine.files.make_parents(OPTIONS)
    machine.files.write(OPTIONS, Node("file", 0o644, content=b"Default theirs\n"))
    assert (machine.printing.default(), machine.printing.offered()) == ("library", "theirs")
    machine.files.remove(OPTIONS)
    assert machine.printing.offered() == "library"


def check_nothing_else_goes_onto_a_command_line(machine: Printable) -> None:
    for name in ("", "-x", "a b", "a/b", "a#b", "../x", "Library", "é", "a\n", "x" * 41):
        refused("bad-path", machine.printing.find, name)
        refused("bad-path", machine.printing.put, name, OFFICE)
        refused("bad-path", machine.printing.remove, name)
    for address in (
        *("", "/dev/null", "file:///dev/null", "file:/etc/passwd", "lpd://192.0.2.9/queue", "usb://HP/x"),
        *("beh:/1/0/5/socket://192.0.2.9", "http://192.0.2.9/ipp", "ipp://192.0.2.9", "socket:/192.0.2.9"),
        *("socket://192.0.2.9?contimeout=1", "ipp://u:p@192.0.2.9/ipp", "ipp://192.0.2.9/ipp print"),
        *("socket://-x", "socket://192.0.2.9/ipp", "ipp://192.0.2.9/ipp/print?encryption=never"),
    ):
        refused("bad-path", machine.printing.put, "office", replace(OFFICE, address=address))
    for wrong in (
        *(replace(OFFICE, speaks=one) for one in ("", "raw", "/etc/passwd", "everywhere")),
        *(replace(OFFICE, paper=one) for one in ("", "A4", "a3 ")),
        *(replace(OFFICE, about=one) for one in ("a\nb", " a", "a ", "x" * 200)),
        *(replace(OFFICE, place=one) for one in ("a\0b", "\x1b[1m", "x" * 200)),
    ):
        refused("bad-path", machine.printing.put, "office", wrong)
    assert machine.printing.names() == ()
