"""Which packages bring a file. All that dpkg keeps of it is read once: dpkg-query reads as much for each, and
on a small laptop a list of a hundred takes minutes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from agent.core.errors import BookbagError
from agent.core.faults import explained

FOLDER = "/var/lib/dpkg"
_LIST = ".list"
#: Where programs are, by whichever name a package knows the place.
_PLACES = ("/usr/bin/", "/usr/sbin/", "/usr/games/", "/usr/lib", "/opt/", "/bin/", "/sbin/", "/lib")


class Owners:
    """``installed``: the packages of which all files are known to dpkg, or it is damaged."""

    def __init__(self, installed: Callable[[], Iterable[str]], folder: str = FOLDER) -> None:
        self._installed = installed
        self._folder = folder
        self._seen: object = None
        self._owners: Mapping[str, tuple[str, ...]] = {}
        self._diverted: Mapping[str, str] = {}

    def of(self, names: Iterable[str]) -> tuple[str, ...]:
        """The packages that bring the file of these names, sorted; also what another package moved out of its
        way. Raises ``not-effective`` where dpkg's own files do not tell.
        """
        try:
            self._look()
        except OSError as error:
            raise explained(error, "see which package brings it", self._folder) from error
        asked = {*names}
        asked |= {self._diverted[name] for name in asked if name in self._diverted}
        return tuple(sorted({owner for name in asked for owner in self._owners.get(name, ())}))

    def _look(self) -> None:
        lists = os.stat(f"{self._folder}/info")
        seen = (lists.st_ino, lists.st_mtime_ns, self._read("diversions"))
        if seen == self._seen:
            return
        owners: dict[str, tuple[str, ...]] = {}
        complete = set()
        for file in os.listdir(f"{self._folder}/info"):
            if not file.endswith(_LIST):
                continue
            package = file.removesuffix(_LIST).partition(":")[0]
            complete.add(package)
            for path in self._read(f"info/{file}").split("\n"):
                if path.startswith(_PLACES):
                    owners[path] = (*owners.get(path, ()), package)
        if unknown := sorted({*self._installed()} - complete):
            raise BookbagError(
                "not-effective",
                f"cannot see which package brings it: dpkg has no list of the files of {unknown[0]}",
                remedy=f"install {unknown[0]} again",
            )
        words = self._read("diversions").split("\n")
        self._diverted = dict(zip(words[1::3], words[0::3], strict=False))
        self._owners, self._seen = owners, seen

    def _read(self, name: str) -> str:
        try:
            with open(f"{self._folder}/{name}", encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except FileNotFoundError:
            return ""
