"""software.flatpaks: which applications of flatpak are there for all people of the laptop, and which not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.flatpak import Flatpak
from agent.policy.syntax.flatpaks import Flatpaks, called
from agent.policy.syntax.values import Type


class SoftwareFlatpaks(Setting):
    """A union by application and branch: of one the nearer rank knows better whether it is wanted."""

    key: ClassVar[str] = "software.flatpaks"
    about: ClassVar[str] = (
        "Applications of flatpak that are installed for all people of the laptop, or not (`absent`). Each "
        "rank adds its own; of the same application and branch the nearer rank's word is taken. What is not "
        "there yet is on its way, which is no failure: it is fetched and installed in the hours of "
        "`updates.automatic`, if it has any, what it runs on comes along, and nothing is ever asked. "
        "flatpak knows no limit for how fast it fetches. A source that takes what nobody signed is never "
        "used. One that is there counts, whichever source it came from, and is not fetched anew. The "
        "laptop needs the package flatpak: list it in `software.packages`. Withdrawn, what was installed "
        "goes, with what came along and nothing else needs; what was removed comes back from where it "
        "came, as long as that has it; what people made with it stays in their homes. What is not done: "
        "Bookbag updates no application (`flatpak update` does), changes no permission of one, and keeps "
        "nobody from installing some for themselves alone, which flatpak lets everybody do."
    )
    value: ClassVar[Type] = Flatpaks()
    merge: ClassVar[Merge] = Merge.UNION
    apart: ClassVar[bool] = True
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school decides which applications every laptop of your class has, so that all can "
        "follow.",
        "ar": "تقرر مدرستك التطبيقات التي يحملها كل حاسوب في صفك كي يتابع الجميع الدرس.",
    }
    example: ClassVar[str] = """\
software.flatpaks:
  - {application: org.gnome.Calculator, source: flathub}"""

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        assert isinstance(value, list)  # noqa: S101
        return tuple(
            Flatpak(called(one), one.get("absent") is not True, str(one.get("source", ""))) for one in value
        )

    def join(self, upper: object, lower: object) -> object:
        """As `Setting.join`, by application and branch."""
        assert isinstance(upper, list) and isinstance(lower, list)  # noqa: S101
        nearer = set(map(called, lower))
        return [*(one for one in upper if called(one) not in nearer), *lower]

    def most(self) -> int:
        """As `Setting.most`."""
        return 100

    def show(self, value: object) -> str:
        """As `Setting.show`."""
        return ", ".join(map(_shown, value)) if isinstance(value, list) else str(value)


def _shown(entry: Mapping[str, object]) -> str:
    where = "absent" if entry.get("absent") is True else f"from {entry.get('source')}"
    return f"{entry['application']} ({entry.get('branch', 'stable')}, {where})"
