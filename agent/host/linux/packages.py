"""The packages of a real machine: dpkg is asked, and a unit of its own does what is wished."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host.linux.apt_get import AptGet
from agent.host.linux.clock import LinuxClock
from agent.host.linux.dpkg import Dpkg
from agent.host.linux.package_notes import PackageNotes
from agent.host.linux.package_work import LISTS, PackageWork
from agent.host.packages import AUTO, Package, Told, Wish, check_package
from agent.host.processes import run

PLACE = Layout().packages
UNIT = "bookbag-packages.service"
_SYSTEMCTL = ("/usr/bin/systemctl", "--no-pager", "--no-ask-password")
_SECONDS = 30.0


def looked() -> bool:
    """Whether the last look at the sources went well."""
    asked = ("show", "--property=Result", "--property=ExecMainStatus", "--", LISTS)
    told = run((*_SYSTEMCTL, *asked), timeout=_SECONDS).text.split()
    return "Result=success" in told and "ExecMainStatus=0" in told


def begin(unit: str) -> None:
    """Start a unit of ours, and do not wait for it. One that runs goes on."""
    ended = run((*_SYSTEMCTL, "start", "--no-block", "--", unit), timeout=_SECONDS)
    if ended.status != 0:
        raise BookbagError("not-effective", f"cannot start {unit}: {ended.complaint}")


class LinuxPackages:
    """``start`` begins the unit that carries out what is wished. It knows by itself what that is: it plans
    as the engine does, so that nothing is wished that no policy wants any more. ``looked``: whether the last
    look at the sources went well.
    """

    def __init__(
        self,
        place: str = PLACE,
        start: Callable[[str], None] = begin,
        looked: Callable[[], bool] = looked,
    ) -> None:
        self._place = place
        self._start = start
        self._looked = looked
        self._dpkg = Dpkg()

    def find(self, name: str) -> Package:
        check_package(name)
        return self._dpkg.find(name).package

    def needed_by(self, name: str) -> tuple[str, ...]:
        check_package(name)
        going = AptGet(f"{self._place}/archives").course("remove", name).removes - {name}
        notes = PackageNotes(self._place)
        theirs = (one for one in going if self._dpkg.find(one).package.mark != AUTO or not notes.is_ours(one))
        return tuple(sorted(theirs))

    def ask(self, name: str, wish: Wish) -> None:
        del wish
        check_package(name)
        self._start(UNIT)

    def told(self, name: str, wish: Wish) -> Told:
        return PackageNotes(self._place).told(name, str(wish)) or Told("", "it is asked for")

    def carry_out(self, wishes: Mapping[str, Wish], not_now: str) -> None:
        clock = LinuxClock()
        work = PackageWork(
            self._place, self._start, self._looked, lambda: (clock.boot_id(), clock.boottime())
        )
        work.carry_out(wishes, not_now)
