"""IT's folder: what lies where in it, and reading and writing its files safely.

Everything in it may come from someone else's commit, so every file is read with caps, never through a
symlink (one that
points at a key would publish it), and parsed strictly. Layout: docs/formats.md.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agent.core import batch, schema
from agent.core.errors import BookbagError
from agent.core.ids import is_name
from agent.fleet import yamlrecord
from agent.fleet.emit import emit
from agent.fleet.records import DeviceRecord, PersonRecord, SiteRecord, TeacherRecord, TokenRecord
from agent.fleet.remembered import Remembered
from agent.store import atomic

MOST_RECORD = 64 << 10  #: bytes of one YAML file
MOST_FILES = 20_000  #: in one folder
T = TypeVar("T")

GITIGNORE = """\
# Keys of the publishing machine: they must be readable there without a passphrase, so they never go into git.
/keys/online/
# Enrol files hold one-time secrets in clear.
/enrol/
# Uploads of laptops, sealed; they lie where the service runs.
/returns/
# What laptops report of themselves: kept for its days, not for ever.
/telemetry/
# Learning content: large, and named by its hash; reviewed are the files in content/.
/blobs/
/published/blobs/
/.lock
"""


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """One policy document as it lies in the folder."""

    file: str  #: relative, e.g. ``policies/ict/baseline.yaml``
    name: str  #: its name within the role, e.g. ``baseline.yaml``
    role: str
    power: bool
    data: bytes


class Folder:
    """The files below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._remembered = Remembered()

    # -- places

    @property
    def site_file(self) -> Path:
        """What this site is."""
        return self.root / "site.yaml"

    @property
    def published(self) -> Path:
        """The docroot: ``metadata/`` and ``targets/``, as any web server may serve it."""
        return self.root / "published"

    @property
    def online(self) -> Path:
        """Keys of the publishing machine."""
        return self.root / "keys" / "online"

    @property
    def returns(self) -> Path:
        """Uploads of laptops; ``done/`` below it knows those dealt with, ``refused/`` holds those that cannot
        be believed."""
        return self.root / "returns"

    @property
    def reports(self) -> Path:
        """What laptops reported of themselves, on the machine where the service runs; never in git."""
        return self.root / "telemetry" / "reports.db"

    @property
    def orders(self) -> Path:
        """Signed orders in clear, one DSSE envelope per file."""
        return self.root / "orders"

    def key_file(self, person: str) -> Path:
        """A person's private keys, encrypted."""
        return self.root / "keys" / f"{person}.json"

    def shared_key_file(self, what: str, person: str) -> Path:
        """A key that the whole desk shares (``returns``, ``ca``), sealed to ``person``."""
        return self.root / "keys" / "shared" / f"{what}.{person}.sealed"

    def relative(self, path: Path) -> str:
        """``path`` as people write it."""
        with contextlib.suppress(ValueError):
            return str(path.relative_to(self.root))
        return str(path)

    # -- bytes

    def read(self, path: Path, *, most: int = MOST_RECORD) -> bytes:
        """The bytes of a regular file of ours. Raises ``not-found``, ``bad-path`` (a link, a device),
        ``too-large``."""
        place = self.relative(path)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise BookbagError("not-found", "cannot read it: it is not there", place=place) from None
        except OSError as error:
            raise BookbagError("bad-path", f"cannot read it: {error.strerror}", place=place) from None
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise BookbagError("bad-path", "cannot read it: it is no regular file", place=place)
            data = file.read(most + 1)
        if len(data) > most:
            raise BookbagError("too-large", f"cannot read it: it has more than {most} bytes", place=place)
        return data

    def write(self, path: Path, data: bytes, *, mode: int = 0o644) -> None:
        """Write durably and at once; directories are made as needed. Unchanged bytes are left alone."""
        with contextlib.suppress(OSError, BookbagError):
            if self.read(path, most=len(data) + 1) == data and stat.S_IMODE(path.stat().st_mode) == mode:
                return
        self.make_dir(path.parent)
        atomic.write(str(path), data, mode=mode)

    def write_many(self, files: Sequence[tuple[Path, bytes]], *, mode: int = 0o644) -> None:
        """Write them all, durably, in any order; of their directories only the last may be missing, as with a
        folder for each laptop."""
        parents = dict.fromkeys(path.parent for path, _ in files)
        for top in dict.fromkeys(one.parent for one in parents):
            self.make_dir(top)
        batch.make_directories([str(one) for one in parents])
        batch.write([(str(path), data) for path, data in files], mode=mode)

    def remembered(self, path: Path, read: Callable[[Path], T]) -> T:
        """What ``read`` makes of a file, made once and again when the file changes; for one path always the
        same ``read``. Raises FileNotFoundError, and what ``read`` raises."""
        return self._remembered.get(path, read)

    def make_dir(self, path: Path) -> None:
        """Make a directory and those above it, below the root."""
        missing = [one for one in (path, *path.parents) if not one.exists()]
        for one in reversed(missing):
            private = "keys" in one.parts[len(self.root.parts) :]
            atomic.make_dir(str(one), mode=0o700 if private else 0o755)

    def names(self, path: Path, suffix: str, *, prefix: str = "") -> list[str]:
        """Sorted names with ``prefix`` and ``suffix`` in a directory (none if it is absent); dotfiles are
        passed over."""
        try:
            found = [name for name in os.listdir(path) if not name.startswith(".")]
            names = sorted(name for name in found if name.startswith(prefix) and name.endswith(suffix))
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise BookbagError(
                "bad-path", "cannot list it: it is no folder", place=self.relative(path)
            ) from None
        if len(names) > MOST_FILES:
            raise BookbagError(
                "too-many", f"cannot read more than {MOST_FILES} files", place=self.relative(path)
            )
        return names

    # -- records

    def load(self, path: Path, cls: type[T]) -> T:
        """One YAML record. Raises BookbagError naming file, line and key."""
        return yamlrecord.load(self.read(path), self.relative(path), cls)

    def site(self) -> SiteRecord:
        """``site.yaml``."""
        try:
            return self._remembered.get(self.site_file, lambda path: self.load(path, SiteRecord))
        except (FileNotFoundError, NotADirectoryError):
            return self.load(self.site_file, SiteRecord)  # which says what is missing

    def people(self) -> tuple[PersonRecord, ...]:
        """Every person, by id."""
        return tuple(self.person(one) for one in self.stems("people"))

    def person(self, name: str) -> PersonRecord:
        """One person. Raises ``not-found`` with who there is."""
        path = self.root / "people" / f"{name}.yaml"
        return self._named(path, PersonRecord, name, "id", "person")

    def teachers(self) -> tuple[TeacherRecord, ...]:
        """Every teacher, by id."""
        return tuple(self.teacher(one) for one in self.stems("teachers"))

    def teacher(self, name: str) -> TeacherRecord:
        """One teacher. Raises ``not-found``."""
        return self._named(self.root / "teachers" / f"{name}.yaml", TeacherRecord, name, "id", "teacher")

    def devices(self) -> tuple[DeviceRecord, ...]:
        """Every laptop, by name."""
        return tuple(self.device(one) for one in self.stems("devices"))

    def device(self, name: str) -> DeviceRecord:
        """One laptop. Raises ``not-found``."""
        return self._named(self.root / "devices" / f"{name}.yaml", DeviceRecord, name, "name", "device")

    def known_device(self, name: str) -> DeviceRecord | None:
        """One laptop, or None if there is no such."""
        path = self.root / "devices" / f"{name}.yaml"
        return self.device(name) if os.path.lexists(path) else None

    def token(self, name: str) -> TokenRecord:
        """One token by id. Raises ``not-found``."""
        return self._named(self.root / "tokens" / f"{name}.yaml", TokenRecord, name, "id", "token")

    def has_token(self, name: str) -> bool:
        """Whether there is a token of that id."""
        return os.path.lexists(self.root / "tokens" / f"{name}.yaml")

    def stems(self, folder: str) -> list[str]:
        """Names of the YAML files in ``folder``, without the ending."""
        return [name.removesuffix(".yaml") for name in self.names(self.root / folder, ".yaml")]

    def _named(self, path: Path, cls: type[T], name: str, field: str, what: str) -> T:
        try:
            record = self._remembered.get(path, lambda path: self.load(path, cls))
        except (FileNotFoundError, NotADirectoryError):
            known = ", ".join(self.stems(path.parent.name)[:10]) or "none yet"
            raise BookbagError(
                "not-found", f"cannot find {what} {name!r}", remedy=f"there are: {known}"
            ) from None
        inside = getattr(record, field)
        if inside != name:
            raise BookbagError(
                "bad-yaml",
                f"cannot use it: it says {field}: {inside}",
                place=self.relative(path),
                remedy="the file's name and the id inside must be the same",
            )
        return record

    def save_site(self, record: SiteRecord) -> None:
        """Write ``site.yaml``."""
        comment = "What this site is. Persons and roles count once trust was published."
        self.write(self.site_file, _text(record, comment))

    def save_person(self, record: PersonRecord) -> None:
        """Write ``people/ID.yaml``."""
        self.write(self.root / "people" / f"{record.id}.yaml", _text(record, "Public keys of one person."))

    def save_teacher(self, record: TeacherRecord) -> None:
        """Write ``teachers/ID.yaml``."""
        text = _text(record, "One teacher: sessions of these classes, and nothing else.")
        self.write(self.root / "teachers" / f"{record.id}.yaml", text)

    def save_device(self, record: DeviceRecord) -> None:
        """Write ``devices/NAME.yaml``."""
        self.write(*self.device_file(record))

    def save_token(self, record: TokenRecord) -> None:
        """Write ``tokens/ID.yaml``."""
        self.write(*self.token_file(record))

    def device_file(self, record: DeviceRecord) -> tuple[Path, bytes]:
        """Where a laptop's record is kept, and its bytes."""
        return self.root / "devices" / f"{record.name}.yaml", _text(record, "One laptop.")

    def token_file(self, record: TokenRecord) -> tuple[Path, bytes]:
        """Where a token is kept, and its bytes."""
        text = _text(record, "A one-time enrolment token; sealed.")
        return self.root / "tokens" / f"{record.id}.yaml", text

    # -- policies

    def documents(self) -> Iterator[DocumentFile]:
        """Every policy document. Raises BookbagError for the first file that cannot be read; `check` asks
        one by one."""
        for file in self.document_files():
            yield self.document(file)

    def document_files(self) -> list[str]:
        """Their names, relative: ``policies/ROLE/NAME.yaml`` and ``power/ROLE/NAME.yaml``, sorted."""
        found = []
        for top in ("policies", "power"):
            for role in self.names(self.root / top, ""):
                if (self.root / top / role).is_dir() and not (self.root / top / role).is_symlink():
                    found += [f"{top}/{role}/{name}" for name in self.names(self.root / top / role, ".yaml")]
        return found

    def document(self, file: str) -> DocumentFile:
        """One of `document_files`. Raises BookbagError."""
        top, role, name = file.split("/")
        if not is_name(role) or not is_name(name.removesuffix(".yaml")):
            raise BookbagError(
                "bad-path",
                "cannot publish under this name",
                place=file,
                remedy="use a-z, 0-9 and hyphens, 32 at most, and the ending .yaml",
            )
        return DocumentFile(file, name, role, top == "power", self.read(self.root / file))

    # -- one at a time

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder: two runs that change it wait for each other. Freed by the system if this process
        dies."""
        fd = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _text(record: object, comment: str) -> bytes:
    value = schema.encode(record)
    first = {"v": value.pop("v")}
    return emit({**first, **value}, comment=comment)


def find_folder(start: str | None, *, environ: str | None) -> Folder:
    """The folder asked for, or the nearest one around the current directory. Raises ``not-found``."""
    asked = start or environ
    if asked:
        root = Path(asked).absolute()
        if not (root / "site.yaml").exists():
            raise BookbagError(
                "not-found",
                "cannot use this folder: it has no site.yaml",
                place=str(root),
                remedy="name IT's folder, or make one with bookbag-fleet init",
            )
        return Folder(root)
    here = Path.cwd()
    for one in (here, *here.parents):
        if (one / "site.yaml").exists():
            return Folder(one)
    raise BookbagError(
        "not-found",
        "cannot find IT's folder: neither here nor above is a site.yaml",
        remedy="go there, or name it with -C DIR or $BOOKBAG_FOLDER; bookbag-fleet init DIR makes one",
    )


def replace(record: T, **changes: object) -> T:
    """A copy of a frozen record with some fields changed."""
    changed: T = dataclasses.replace(record, **changes)  # type: ignore[type-var]
    return changed
