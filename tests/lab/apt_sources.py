"""Where this machine gets Debian from: its own apt sources, in both formats, and how its apt fetches them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab import programs
from tests.lab.errors import LabError

SUITE = "bookworm"
#: Parts of Debian 12 that a school laptop is installed from, the release itself first.
SUITES = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
#: Settings of the machine's apt that decide whether fetching works at all: proxies, a wrong clock, retries.
CARRIED = re.compile(r"Acquire::(https?::|Check-|Retries|Max-FutureTime)", re.IGNORECASE)
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True, slots=True)
class Source:
    """One archive and one suite of it."""

    uri: str
    suite: str

    def line(self) -> str:
        """As apt's one-line format has it. The archive's key is the one that every Debian trusts."""
        return f"deb {self.uri} {self.suite} main"


def debian_sources(etc_apt: Path = Path("/etc/apt")) -> list[Source]:
    """The machine's sources for Debian 12, the release itself first.

    ``$BOOKBAG_LAB_MIRROR``, the address of a Debian archive, comes before the machine's (for machines that
    are no Debian 12). Raises `LabError` when there is neither.
    """
    found = {source.suite: source for source in reversed(list(_all(etc_apt)))}
    if mirror := os.environ.get("BOOKBAG_LAB_MIRROR"):
        found = {SUITE: Source(mirror, SUITE)}
    if SUITE not in found:
        raise LabError(
            f"cannot find a source of Debian {SUITE} in {etc_apt}: name an archive in BOOKBAG_LAB_MIRROR"
        )
    return [found[suite] for suite in SUITES if suite in found]


def apt_settings() -> str:
    """The machine's apt settings about fetching, as an apt.conf file for a disk that is being built."""
    lines = [line for line in programs.run(["apt-config", "dump"]).splitlines() if CARRIED.match(line)]
    return "\n".join([*lines, 'Acquire::Languages "none";', 'APT::Install-Recommends "false";', ""])


def _all(etc_apt: Path) -> Iterator[Source]:
    folder = etc_apt / "sources.list.d"
    for path in (etc_apt / "sources.list", *sorted(folder.glob("*.list"))):
        if path.is_file():
            yield from one_line(path.read_text(encoding="utf-8"))
    for path in sorted(folder.glob("*.sources")):
        yield from deb822(path.read_text(encoding="utf-8"))


def one_line(text: str) -> Iterator[Source]:
    """Sources of the form ``deb [options] URI SUITE COMPONENT…``; only those with ``main``."""
    for line in text.splitlines():
        bare = re.sub(r"\[[^]]*\]", "", line.split("#", 1)[0]).split()
        if len(bare) >= 4 and bare[0] == "deb" and "main" in bare[3:]:
            yield Source(bare[1], bare[2])


def deb822(text: str) -> Iterator[Source]:
    """Sources of the form of paragraphs with ``Types:``, ``URIs:``, ``Suites:``; only those with ``main``."""
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if line.strip() and not line.startswith("#")]
        joined = re.sub(r"\n[ \t]+", " ", "\n".join(lines))
        pairs = (line.split(":", 1) for line in joined.splitlines() if ":" in line)
        fields = {name.strip().lower(): value.split() for name, value in pairs}
        if "deb" not in fields.get("types", []) or "main" not in fields.get("components", []):
            continue
        if fields.get("enabled", ["yes"])[0].lower() in {"no", "false", "0"}:
            continue
        for uri in fields.get("uris", []):
            yield from (Source(uri, suite) for suite in fields.get("suites", []))
