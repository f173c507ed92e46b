"""Teachers of the site: who may have which classes in session, and until which day."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet.folder import Folder
from agent.fleet.records import TeacherRecord
from agent.trust.keys import PublicKey
from agent.trust.teachers import Teacher


def teacher_of(record: TeacherRecord) -> Teacher:
    """The teacher as signed trust names them. Raises ``bad-key``, ``bad-yaml``, ``bad-metadata``."""
    place = f"teachers/{record.id}.yaml"
    try:
        return Teacher(
            id=record.id,
            keys=tuple(PublicKey.from_hex(one) for one in record.keys),
            school=record.school,
            classes=record.classes,
            since=_day(record.since),
            until=_day(record.until) + DAY,
        )
    except BookbagError as error:
        raise BookbagError(error.code, error.message, place=place, remedy=error.remedy) from None


def read(folder: Folder) -> tuple[Teacher, ...]:
    """All of them, as `teacher_of`."""
    return tuple(map(teacher_of, folder.teachers()))


def check(folder: Folder, record: TeacherRecord) -> None:
    """Whether it can be kept. Raises as `teacher_of`, and ``conflict`` for the name of a person."""
    check_name(record.id, "a teacher's id")
    check_name(record.school, "a school")
    if record.id in folder.stems("people"):
        raise BookbagError(
            "conflict",
            f"cannot add {record.id}: there is a person of that id, who may do more than a teacher",
            remedy="choose another id",
        )
    teacher_of(record)


def remove(folder: Folder, name: str) -> None:
    """End a teacher's power. What lies in mailboxes falls silent with it."""
    folder.teacher(name)
    for path in (folder.root / "teachers" / f"{name}.yaml", folder.key_file(name)):
        path.unlink(missing_ok=True)


def _day(text: str) -> int:
    try:
        if len(text) != 10:
            raise ValueError
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise BookbagError(
            "bad-yaml", f"cannot read {text[:20]!r} as a day", remedy='write "2027-07-31"'
        ) from None
