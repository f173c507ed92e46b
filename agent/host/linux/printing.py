"""CUPS of a real machine, through its own programs and its own socket: no network of ours is needed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from agent.core.errors import BookbagError
from agent.host.printing import EVERYWHERE, PAPERS, PCL, PDF, POSTSCRIPT, Queue, check_name, check_queue
from agent.host.processes import Ended, run

LPADMIN = "/usr/sbin/lpadmin"
LPSTAT, LPOPTIONS = "/usr/bin/lpstat", "/usr/bin/lpoptions"
SECONDS = 30.0
BACKENDS = "/usr/lib/cups/backend"
#: What of a queue is ours is said in the queue itself: an option that no printer knows.
MARK = "bookbag"
#: Language → (what lpadmin calls the driver, where it is, what CUPS calls it then).
DRIVERS: Final[Mapping[str, tuple[str, str, str]]] = {
    EVERYWHERE: (
        "drv:///cupsfilters.drv/pwgrast.ppd",
        "/usr/share/cups/drv/cupsfilters.drv",
        "Generic IPP Everywhere Printer",
    ),
    PDF: (
        "lsb/usr/cupsfilters/Generic-PDF_Printer-PDF.ppd",
        "/usr/share/ppd/cupsfilters/Generic-PDF_Printer-PDF.ppd",
        "Generic PDF Printer",
    ),
    POSTSCRIPT: (
        "drv:///sample.drv/generic.ppd",
        "/usr/share/cups/drv/sample.drv",
        "Generic PostScript Printer",
    ),
    PCL: (
        "drv:///sample.drv/generpcl.ppd",
        "/usr/share/cups/drv/sample.drv",
        "Generic PCL Laser Printer",
    ),
}
#: This machine's cupsd, whatever /etc/cups/client.conf says. Its drivers are read where it keeps them: asked
#: for over the socket, CUPS's own programs look for a host on a network that our worker has not.
_HERE: Final = {"CUPS_SERVER": "/run/cups/cups.sock"}
#: What it says itself, without what /etc/cups/lpoptions lays over it.
_ITSELF: Final = {**_HERE, "CUPS_SERVERROOT": "/nonexistent"}
#: Chose nothing, as it has no home.
_ANYBODY = "nobody"
_DEVICE = re.compile(r"^device for ([^\s:]+): ", re.MULTILINE)
_DEFAULT = re.compile(r"^system default destination: (\S+)$", re.MULTILINE)
#: What lpoptions says, in the order of the names; it quotes nothing within a text.
_TOLD = re.compile(
    r"(?P<before>.*?)(?:^| )device-uri=(?P<address>\S+) .*?"
    r"printer-info(?:=(?P<about>.*?))? printer-is-accepting-jobs=(?P<accepting>\w+) "
    r"printer-is-shared=(?P<shared>\w+) .*?"
    r"printer-location(?:=(?P<place>.*?))? printer-make-and-model=(?P<model>.*?) "
    r"printer-state=(?P<state>\d+)",
    re.DOTALL,
)
_STOPPED = "5"
_PAGE = re.compile(r"^PageSize/[^:]*:.* ?\*(\S+)", re.MULTILINE)


class LinuxPrinting:
    """``lpadmin``, ``lpstat`` and ``lpoptions``, as root."""

    def lacks(self, address: str, speaks: str) -> str:
        scheme = address.partition(":")[0]
        if not os.access(f"{BACKENDS}/{scheme}", os.X_OK):
            return f"way to reach {scheme} printers: install the packages cups and cups-filters"
        if not os.access(DRIVERS[speaks][1], os.R_OK):
            return f"driver for {speaks}: install the packages cups and cups-filters"
        return ""

    def names(self) -> tuple[str, ...]:
        told = run((LPSTAT, "-r", "-v"), timeout=SECONDS, environment=_ITSELF)
        if "scheduler is running" not in told.text:  # it ends with 1 where there is no queue
            raise BookbagError(
                "not-supported",
                f"cannot ask CUPS: it does not run{': ' if told.complaint else ''}{told.complaint}",
                remedy="start it: systemctl start cups.socket",
            )
        return tuple(sorted(_DEVICE.findall(told.text)))

    def find(self, name: str) -> Queue | None:
        check_name(name)
        there = next((one for one in self.names() if one.lower() == name), None)
        if there is None:
            return None
        told = _TOLD.match(_asked(_ITSELF, "-p", there))
        if told is None:
            raise BookbagError("not-effective", f"cannot read what CUPS says of the printer {there}")
        page = _PAGE.search(_asked(_HERE, "-p", there, "-l"))
        return Queue(
            told["address"],
            next((one for one, driver in DRIVERS.items() if _plain(told["model"]) == driver[2]), ""),
            _plain(told["about"]),
            _plain(told["place"]),
            next((paper for paper, size in PAPERS.items() if page is not None and page[1] == size), ""),
            open=told["accepting"] == "true" and told["state"] != _STOPPED,
            shared=told["shared"] == "true",
            ours=f"{MARK}=1" in told["before"].split() and there == name,
        )

    def put(self, name: str, queue: Queue) -> None:
        check_name(name)
        check_queue(queue)
        found = self.find(name)
        words = ["-p", name, "-v", queue.address, "-D", queue.about, "-L", queue.place]
        if found is None or found.speaks != queue.speaks:  # or its other options would begin anew
            words += ["-m", DRIVERS[queue.speaks][0]]
        # What cannot be printed now waits for the printer, and keeps the queue open.
        options = ("printer-error-policy=retry-job", f"printer-is-shared={str(queue.shared).lower()}")
        for option in (*options, f"{MARK}-default=1", f"PageSize={PAPERS[queue.paper]}"):
            words += ["-o", option]
        _told(*words, "-E")

    def remove(self, name: str) -> None:
        check_name(name)
        if name in self.names():
            _told("-x", name)

    def default(self) -> str:
        return _default(run((LPSTAT, "-d"), timeout=SECONDS, environment=_ITSELF))

    def set_default(self, name: str) -> None:
        if name:
            check_name(name)
            _told("-d", name)
            return
        there = self.default()
        if not there:
            return
        queue = self.find(there) if there == there.lower() else None
        if queue is None or not queue.ours:
            raise BookbagError(
                "not-allowed", f"cannot have no default printer: a person made {there} and it is"
            )
        self.remove(there)
        self.put(there, replace(queue, paper=queue.paper or "a4"))

    def offered(self) -> str:
        return _default(run((LPSTAT, "-d"), timeout=SECONDS, user=_ANYBODY))


def _asked(environment: Mapping[str, str], *words: str) -> str:
    return run((LPOPTIONS, *words), timeout=SECONDS, environment=environment).text


def _told(*words: str) -> None:
    ended = run((LPADMIN, *words), timeout=SECONDS, environment=_HERE)
    if ended.status != 0:
        raise BookbagError("not-effective", f"cannot set up the printer: {ended.complaint}")


def _default(told: Ended) -> str:
    """What lpstat says of the default. Raises ``not-supported`` if it could not ask."""
    if (found := _DEFAULT.search(told.text)) is not None:
        return found[1]
    if "no system default destination" in told.text:
        return ""
    raise BookbagError("not-supported", f"cannot ask for the default printer: {told.complaint}")


def _plain(text: str | None) -> str:
    """A text without the quotes that lpoptions puts around one with spaces."""
    text = text or ""
    return text[1:-1] if " " in text and text[:1] == text[-1:] == "'" else text
