"""The printers that programs offer, as the machine's own spooler (CUPS) has them: queues, and which is the
default.

A queue is made without asking its printer, which may be off, or at school while the laptop is at home. So it
never takes what a printer says of itself (`lpadmin -m everywhere` has cupsd ask over the network, and leaves
a queue without a driver where nobody answers; `-m driverless:` fails; `-m raw` would leave it to programs to
know the printer, and is on its way out of CUPS), but one of four general drivers that the distribution brings
along, by the language that the printer understands. No other driver, no program and no file comes in by a
policy; and what CUPS starts to reach a printer (`SCHEMES`) runs without root's rights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

from agent.core.errors import BookbagError

#: CUPS's names know no case, so ours have one.
NAME = r"[a-z0-9][a-z0-9_-]{0,39}"
#: Not `lpd`, which CUPS runs as root; not `file`, nor what starts programs of somebody else's.
SCHEMES = ("ipp", "ipps", "socket")
_HOST = r"([A-Za-z0-9]([A-Za-z0-9.-]{0,200}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\])(:[1-9][0-9]{0,4})?"
#: No user, no password, and none of the options that CUPS reads from behind a question mark.
ADDRESS = rf"(ipps?://{_HOST}(/[A-Za-z0-9._-]{{1,60}}){{1,6}}|socket://{_HOST})"
#: One line for people, as lpadmin and lpoptions carry it unchanged.
_SIGN = r"[^\s\x00-\x1f\x7f]"
SHOWN = rf"({_SIGN}([^\x00-\x1f\x7f]{{0,100}}{_SIGN})?)?"

EVERYWHERE, PDF, POSTSCRIPT, PCL = "ipp-everywhere", "pdf", "postscript", "pcl"
LANGUAGES: Final = (EVERYWHERE, PDF, POSTSCRIPT, PCL)
#: As policies say it → as drivers do.
PAPERS: Final = {"a4": "A4", "letter": "Letter"}


@dataclass(frozen=True, slots=True)
class Queue:
    """One printer, as programs see it. Of a person's it tells what can be told in these words."""

    address: str
    speaks: str  #: one of `LANGUAGES`; "": it has another driver, or none
    about: str = ""  #: what people read where its name alone would not do
    place: str = ""
    paper: str = "a4"  #: what it takes unless told otherwise, one of `PAPERS`; "": something else
    open: bool = True  #: takes jobs, and prints them
    shared: bool = False  #: whether other machines may print on it through this one
    ours: bool = True  #: made by `put`, and by nobody else


class Printing(Protocol):
    """The spooler. Every verb raises ``not-supported`` where it does not run, ``bad-path`` for what is no
    name or address of a queue, and ``not-effective`` where the spooler refuses.
    """

    def lacks(self, address: str, speaks: str) -> str:
        """What would have to be installed for such a queue, to follow "the machine has no"; "": nothing."""
        ...

    def names(self) -> tuple[str, ...]:
        """Every queue there is, whoever made it, sorted."""
        ...

    def find(self, name: str) -> Queue | None:
        """The queue of this name, however it is written there; None if there is none."""
        ...

    def put(self, name: str, queue: Queue) -> None:
        """Make it be so, and ours. A queue that is there keeps what waits in it."""
        ...

    def remove(self, name: str) -> None:
        """Take it away, with what waits in it. Of one that is not there: nothing to do."""
        ...

    def default(self) -> str:
        """The spooler's own default; "": it has none."""
        ...

    def set_default(self, name: str) -> None:
        """Make this queue the default; "": none, for which CUPS has no word: the queue that is it is made
        anew, and what waits in it is lost. Raises ``not-allowed`` if that one is not ours.
        """
        ...

    def offered(self) -> str:
        """The default of people who chose none themselves, as their programs find it; "": none."""
        ...


def check_name(name: str) -> None:
    """Raise ``bad-path`` for what is no name of a queue."""
    if not re.fullmatch(NAME, name):
        raise BookbagError("bad-path", f"cannot use {name[:60]!r}: that is no name of a printer")


def check_queue(queue: Queue) -> None:
    """Raise ``bad-path`` for what no queue of ours may be."""
    if not re.fullmatch(ADDRESS, queue.address):
        raise BookbagError(
            "bad-path", f"cannot print at {queue.address[:60]!r}: that is no printer's address"
        )
    if queue.speaks not in LANGUAGES or queue.paper not in PAPERS:
        raise BookbagError("bad-path", f"cannot print in {queue.speaks[:60]!r} on {queue.paper[:60]!r}")
    if not re.fullmatch(SHOWN, queue.about) or not re.fullmatch(SHOWN, queue.place):
        raise BookbagError("bad-path", "cannot describe a printer so: it takes one line each")
