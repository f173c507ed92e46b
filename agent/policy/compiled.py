"""The compiled policy of one laptop on disk: JSON keyed by a fingerprint, loaded in milliseconds.

Imports nothing but json and the error type: an unchanged policy costs neither YAML nor signatures. The
file lies in root's own state directory and is a cache: damaged or of another version, it is compiled
again.
"""

from __future__ import annotations

import json
from binascii import crc32

from agent.core.errors import BookbagError

TYPE_CHECKING = False  # typing costs milliseconds here
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent.core.model import Origin
    from agent.policy.bases.resource import Resource

#: Part of every fingerprint: a new major form, or a changed meaning of a kind, must not load what older
#: code compiled.
FORM = 3
_HEADER = b"bookbag-compiled"


class Item:
    """One resource of a compiled policy."""

    __slots__ = ("_origins", "data")

    def __init__(self, data: Mapping[str, object], origins: Sequence[Mapping[str, object]]) -> None:
        self.data = data
        self._origins = origins

    @property
    def id(self) -> str:
        """``kind:name``."""
        return str(self.data["id"])

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings it was compiled from: several where each gives a part, none if it was written
        directly.
        """
        return tuple(self.data["settings"])  # type: ignore[arg-type]

    @property
    def setting(self) -> str:
        """The one setting it was compiled from; ``""`` if it is none or several."""
        return self.settings[0] if len(self.settings) == 1 else ""

    @property
    def arranged(self) -> bool:
        """Whether it is there for what is arranged for the student, and for no policy."""
        return [one.rank for one in self.origins()] == ["arranged"]

    @property
    def chosen(self) -> bool:
        """Whether it is there for what somebody at the laptop chose out of what is offered, no more."""
        return self.data.get("chosen") is True

    @property
    def observe_only(self) -> bool:
        """Whether its policy only observes."""
        return bool(self.data["observe"])

    def resource(self) -> Resource:
        """The resource itself."""
        from agent.policy import kinds

        fields = self.data["fields"]
        assert isinstance(fields, dict)  # noqa: S101
        return kinds.resources()[str(self.data["kind"])](**fields)

    def origins(self) -> tuple[Origin, ...]:
        """Who asked for it; the last one decided."""
        indexes = self.data["origins"]
        assert isinstance(indexes, list)  # noqa: S101
        return tuple(origin(self._origins[index]) for index in indexes)


class Compiled:
    """What one laptop should be. ``data`` is the JSON form; the properties read it without copying."""

    __slots__ = ("data",)

    def __init__(self, data: dict[str, object]) -> None:
        self.data = data

    @property
    def fingerprint(self) -> str:
        """64 hex over everything that went in, and which scheduled documents hold."""
        return str(self.data["fingerprint"])

    @property
    def inputs(self) -> str:
        """64 hex over everything that went in but the moment."""
        return str(self.data["inputs"])

    @property
    def scheduled(self) -> Sequence[tuple[str, bool]]:
        """The documents with a timetable that hold: id, and whether that is certain."""
        return [(policy, certain) for policy, certain in self.data["scheduled"]]  # type: ignore[attr-defined]

    def hours_of(self, policy: str) -> tuple[str, bool]:
        """When the document ``policy`` is in force: ``NAME`` of a timetable, ``outside NAME`` or, for at all
        times, ``""``; and whether it is known that it is now."""
        when = next((row["when"] for row in self.policies if row["id"] == policy), "")
        return when, (policy, False) not in self.scheduled

    @property
    def until(self) -> int:
        """When a timetable may change it, unix seconds; 0: at no known time."""
        until = self.data["until"]
        assert isinstance(until, int)  # noqa: S101
        return until

    @property
    def startable(self) -> Mapping[str, int]:
        """The timetables that a teacher may start here, and for how many seconds."""
        return self.data.get("startable", {})  # type: ignore[return-value]

    def timely(self, at: int | None, session: Sequence[object] = ()) -> bool:
        """Whether it is what holds at ``at``, unix seconds (None: the time is not known), while a teacher has
        ``session`` on."""
        since = self.data["at"]
        if not self.data["timed"]:
            return True
        if list(session) != self.data.get("session", []):
            return False
        if at is None or since is None:
            return at is since
        assert isinstance(since, int)  # noqa: S101
        return since <= at and (not self.until or at < self.until)

    @property
    def told(self) -> str:
        """The fingerprint that is told, on this laptop and to IT: as if nothing were arranged or chosen, so
        that nobody sees by it that something is."""
        return str(self.data.get("told", self.fingerprint))

    @property
    def arrangement(self) -> str:
        """Tells what is arranged for the student from what was; "" for nothing."""
        return str(self.data.get("arrangement", ""))

    @property
    def arranged(self) -> Mapping[str, Mapping[str, str]]:
        """Setting → ``shown``, and ``held_by``: the policy that keeps it from being in force, or ""."""
        rows = self.data.get("arranged", ())
        return {str(one["key"]): one for one in rows}  # type: ignore[attr-defined]

    @property
    def arranged_until(self) -> int:
        """Until when that is arranged, unix seconds; 0: nothing is."""
        until = self.data.get("arranged_until", 0)
        assert isinstance(until, int)  # noqa: S101
        return until

    @property
    def choice(self) -> str:
        """Tells what people at the laptop chose from what they chose before; "" for nothing."""
        return str(self.data.get("choice", ""))

    @property
    def choices(self) -> Sequence[tuple[str, Sequence[str]]]:
        """What they chose, and who, whether or not it is offered."""
        return self.data.get("choices", ())  # type: ignore[return-value]

    @property
    def shelf(self) -> Sequence[Mapping[str, object]]:
        """What is offered: name, title and about (language → text), origin, ``held``
        (`agent.policy.choosing`) and whether it is ``chosen``."""
        return self.data.get("shelf", ())  # type: ignore[return-value]

    @property
    def settings(self) -> Mapping[str, Mapping[str, object]]:
        """Key → value, shown, final, origins (with value and shown), lost (origin, value, shown,
        reason), resources, why.
        """
        return self.data["settings"]  # type: ignore[return-value]

    @property
    def refusals(self) -> Sequence[Mapping[str, str]]:
        """What is not taken: subject, code, message, place, remedy, policy."""
        return self.data["refusals"]  # type: ignore[return-value]

    @property
    def conflicts(self) -> Sequence[Mapping[str, str]]:
        """Contradictions that were decided here: the subject that lost (or, of two values of one setting, the
        setting), the holder, message.
        """
        return self.data["conflicts"]  # type: ignore[return-value]

    @property
    def policies(self) -> Sequence[Mapping[str, str]]:
        """The documents in force: id, rank, owner, review_by, mode, file, role, sha256."""
        return self.data["policies"]  # type: ignore[return-value]

    @property
    def watches(self) -> tuple[str, ...]:
        """Laptop paths whose change means: look again."""
        return tuple(self.data["watches"])  # type: ignore[arg-type]

    def items(self) -> Iterator[Item]:
        """Every resource, in the order of applying."""
        origins: list[Mapping[str, object]] = self.data["origins"]  # type: ignore[assignment]
        for item in self.data["items"]:  # type: ignore[attr-defined]
            yield Item(item, origins)

    def origin(self, index: int) -> Origin:
        """The origin that a row of `settings` points to."""
        rows: list[Mapping[str, object]] = self.data["origins"]  # type: ignore[assignment]
        return origin(rows[index])

    def decided_by(self, key: str) -> Origin:
        """The origin of a setting's value: of several that agree or add to it, the last."""
        rows = self.settings[key]["origins"]
        return self.origin(rows[-1]["origin"])  # type: ignore[index]

    def overdue(self, today: str) -> tuple[Mapping[str, str], ...]:
        """The documents whose review-by is before ``today`` (YYYY-MM-DD)."""
        return tuple(policy for policy in self.policies if policy["review_by"] < today)


def origin(data: Mapping[str, object]) -> Origin:
    """The `Origin` in its JSON form."""
    from agent.core.model import Origin

    return Origin(**data)  # type: ignore[arg-type]


def save(path: str, compiled: Compiled) -> None:
    """Write durably. Raises ``disk-full`` and the like."""
    from agent.store import atomic

    body = json.dumps(compiled.data, ensure_ascii=False, separators=(",", ":")).encode()
    header = b"%s %d %s %08x\n" % (_HEADER, FORM, compiled.fingerprint.encode(), crc32(body))
    atomic.write(path, header + body)


def load(path: str, fingerprint: str | None = None) -> Compiled | None:
    """The compiled policy at ``path``; None if absent, of another form, damaged, or not of
    ``fingerprint``.
    """
    try:
        with open(path, "rb") as file:
            header = file.readline(200).split()
            if len(header) != 4 or header[:2] != [_HEADER, b"%d" % FORM]:
                return None
            if fingerprint is not None and header[2] != fingerprint.encode():
                return None
            body = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BookbagError(
            "state-corrupt", f"cannot read the compiled policy: {error.strerror}", place=path
        ) from None
    if b"%08x" % crc32(body) != header[3]:
        return None
    return Compiled(json.loads(body))
