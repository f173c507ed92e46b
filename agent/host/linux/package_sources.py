"""What the laptop's sources of packages are at the moment: whether there are new ones, which could not be
read, and which are the distribution's.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from agent.core.errors import BookbagError
from agent.host.apt import OURS, SOURCES
from agent.host.linux.apt_get import Course, File, bare

PLACE = "/etc/apt"
#: The sources' own labels of the distributions, in lists that their keys signed.
DISTRIBUTION: Final = frozenset(("Debian", "Debian-Security", "Debian Backports", "Ubuntu"))
_MOST = 1 << 20  #: bytes of one file


@dataclass(frozen=True, slots=True)
class Target:
    """One list of packages that is there. ``base``: the address that files of packages are below of;
    ``release``: of what its key signed; ``label``: what it calls itself; ``file``: of the source.
    """

    base: str
    release: str
    label: str
    file: str = ""


def fingerprint(place: str = PLACE) -> str:
    """Another for other files of sources, keys within them too."""
    folder = f"{place}/sources.list.d"
    names: list[str] = []
    with suppress(OSError):
        names = sorted(name for name in os.listdir(folder) if name.endswith((".list", ".sources")))
    digest = hashlib.sha256()
    for path in (f"{place}/sources.list", *(f"{folder}/{name}" for name in names)):
        with suppress(OSError), open(path, "rb") as file:
            data = file.read(_MOST)
            digest.update(f"{path} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:16]


def unread(wanted: Iterable[str], there: Iterable[Target]) -> tuple[str, ...]:
    """Of the releases that apt looks for, those that it has nothing of: they could not be reached, or their
    key is another one."""
    return tuple(bare(one) for one in sorted(set(wanted) - {target.release for target in there}))


def from_the_distribution(name: str, course: Course) -> None:
    """Raise ``not-allowed`` if any of it comes from elsewhere."""
    for one, labels in sorted(course.installs.items()):
        if not DISTRIBUTION & set(labels):
            offered = ", ".join(label for label in labels if label) or "a source without a name"
            raise _foreign(name, one, offered)


def files_of_the_distribution(name: str, files: Iterable[File], there: Sequence[Target]) -> None:
    """Raise ``not-allowed`` if apt would have any of ``files`` from elsewhere: what the distribution and a
    vendor have in the same version may be the vendor's, by the hash of the vendor's list. Of a source that
    policy added the label says nothing, for its own key signed it, unless it is where the distribution's is.
    """
    own = {target.base for target in there if target.label in DISTRIBUTION and not _is_added(target)}
    for one in files:
        bases = [target for target in there if one.uri.startswith(target.base)]
        longest = max((len(target.base) for target in bases), default=0)
        labels = {
            "a source that policy added" if _is_added(target) and target.base not in own else target.label
            for target in bases
            if len(target.base) == longest
        }
        if not labels or not labels <= DISTRIBUTION:
            raise _foreign(name, one.name, ", ".join(sorted(labels - DISTRIBUTION)) or bare(one.uri)[:200])


def _is_added(target: Target) -> bool:
    return target.file.startswith(f"{SOURCES}/{OURS}")


def _foreign(name: str, what: str, offered: str) -> BookbagError:
    return BookbagError(
        "not-allowed",
        f"cannot install {name}: {what} comes from {offered}, which is not the distribution; "
        "list it under `foreign`, which takes two persons",
    )
