"""software.offered: programs that whoever sits at the laptop may have on it, or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.kept_packages import CHOSEN, KeptPackages
from agent.policy.resources.package import Package
from agent.policy.syntax.offers import FOREIGN, MOST, PACKAGE, Offers
from agent.policy.syntax.values import Type


class SoftwareOffered(Setting):
    """A union by package: what a nearer rank says of one takes the place of what a farther rank says."""

    key: ClassVar[str] = "software.offered"
    about: ClassVar[str] = (
        "Packages of the distribution that students may have on their laptop, without a password: each is "
        "offered on the page *Programs* of the portal and by `bookbag software`, and is installed on a "
        "laptop once somebody who is signed in there chooses it. Nothing else can be chosen: the laptop "
        "compares each choice with the signed policy whenever it acts. What was chosen comes as "
        "`software.packages` says, in the same hours, and goes when whoever chose it gives it back, when it "
        "is no longer offered, and when the policy is withdrawn, unless somebody wanted it for themselves "
        "since or something of theirs needs it. Where several people use a laptop, a program stays as long "
        "as one of them wants it. Each rank adds its own; what `software.packages` says of a package holds: "
        "nothing is chosen that would bring along what is `absent`, or stays beside what is `present` and "
        "cannot be there together with it. "
        "What anybody chose is told to nobody: reports that leave the laptop leave it out, also where they "
        "count."
    )
    value: ClassVar[Type] = Offers()
    merge: ClassVar[Merge] = Merge.UNION
    powers: ClassVar[str] = (
        "what is `foreign` comes from a source that is not the distribution's, and runs as root when it is "
        "installed (all else takes one)"
    )
    apart: ClassVar[bool] = True
    offers: ClassVar[bool] = True
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school offers these programs. Which of them are on this laptop is up to you.",
        "ar": "تعرض مدرستك هذه البرامج، ولك أن تختار ما يكون منها على هذا الحاسوب.",
    }
    example: ClassVar[str] = """\
software.offered:
  - package: tuxpaint
    title: {en: Tux Paint, ar: الرسم مع توكس}
    about: {en: Draw and paint, ar: للرسم والتلوين}
  - package: stellarium"""

    def compile(self, value: object) -> tuple[Resource, ...]:
        """Everything that may come of it, entry by entry."""
        assert isinstance(value, list)  # noqa: S101
        return tuple(Package(one[PACKAGE], True, foreign=one.get(FOREIGN) is True) for one in value)

    def entries(self, value: object) -> list[dict[str, object]]:
        """As `Setting.entries`."""
        assert isinstance(value, list)  # noqa: S101
        return [{name: part for name, part in one.items() if name != PACKAGE} for one in value]

    def taken(self, value: object, names: Collection[str]) -> tuple[Resource, ...]:
        """As `Setting.taken`."""
        made = tuple(one for one in self.compile(value) if one.name in names)
        return (KeptPackages(sorted(names), of=CHOSEN), *made) if made else ()

    def gives(self, other: Resource) -> bool:
        """As `Setting.gives`."""
        return isinstance(other, Package) and other.installed is True

    def join(self, upper: object, lower: object) -> object:
        """As `Setting.join`, by package."""
        assert isinstance(upper, list) and isinstance(lower, list)  # noqa: S101
        nearer = {one[PACKAGE] for one in lower}
        return [*(one for one in upper if one[PACKAGE] not in nearer), *lower]

    def most(self) -> int:
        """As `Setting.most`."""
        return MOST

    def show(self, value: object) -> str:
        """As `Setting.show`."""
        return ", ".join(str(one[PACKAGE]) for one in value) if isinstance(value, list) else str(value)
