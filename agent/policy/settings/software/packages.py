"""software.packages: what is installed, what is not, and what keeps its version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.kept_packages import KeptPackages
from agent.policy.resources.package import RISK, Package
from agent.policy.syntax.packages import ABSENT, FOREIGN, HELD, WHETHER, Packages
from agent.policy.syntax.values import Type


class SoftwarePackages(Setting):
    """A union by name: of one package the nearer rank knows better whether it is wanted; what any rank holds
    is held."""

    key: ClassVar[str] = "software.packages"
    about: ClassVar[str] = (
        "Packages of the distribution (Debian, Ubuntu) that are installed (`present`), not installed "
        "(`absent`), or stay at the version they have (`held`). Each rank adds its own; of the same package "
        "the nearer rank's word is taken. What is not there yet is on its way, which is no failure: it is "
        "fetched without disturbing anybody, verified by the keys of the laptop's own sources, and "
        "installed in the hours of `updates.automatic`, if it has any. Nothing is ever asked, and no "
        "configuration that somebody changed is overwritten. A package whose absence would take others "
        "along, which are not listed, stays, and that is told; what the laptop itself or Bookbag does not do "
        "without is never removed. `foreign` takes packages from every source that the laptop has, not only "
        "from the distribution's. Withdrawn, what was installed goes with what came along, unless somebody "
        "wanted it for themselves since (`apt install`) or something of theirs needs it; what was removed "
        "comes back; what was held is let go."
    )
    value: ClassVar[Type] = Packages()
    merge: ClassVar[Merge] = Merge.UNION
    powers: ClassVar[str] = RISK
    apart: ClassVar[bool] = True
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school decides which programs every laptop of your class has, so that all can follow.",
        "ar": "تقرر مدرستك البرامج التي يحملها كل حاسوب في صفك كي يتابع الجميع الدرس.",
    }
    example: ClassVar[str] = """\
software.packages:
  value: {present: [gcompris-qt, stellarium]}"""

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        assert isinstance(value, dict)  # noqa: S101
        held = list(map(str, value.get(HELD, ())))
        said = {str(name): word for word in WHETHER for name in value.get(word, ())}
        made = tuple(
            Package(
                name,
                None if name not in said else said[name] != ABSENT,
                True if name in held else None,
                foreign=said.get(name) == FOREIGN,
            )
            for name in dict.fromkeys((*said, *held))
        )
        kept = sorted(name for name, word in said.items() if word != ABSENT)
        return (KeptPackages(kept), *made) if kept else made

    def join(self, upper: object, lower: object) -> object:
        """As `Setting.join`, by name."""
        assert isinstance(upper, dict) and isinstance(lower, dict)  # noqa: S101
        nearer = {name for word in WHETHER for name in lower.get(word, ())}
        joined = {
            word: [*(name for name in upper.get(word, ()) if name not in nearer), *lower.get(word, ())]
            for word in WHETHER
        }
        joined[HELD] = list(dict.fromkeys((*upper.get(HELD, ()), *lower.get(HELD, ()))))
        return {word: names for word, names in joined.items() if names}

    def show(self, value: object) -> str:
        """As `Setting.show`."""
        if not isinstance(value, dict):
            return str(value)
        return "; ".join(f"{word}: {', '.join(names)}" for word, names in value.items())
