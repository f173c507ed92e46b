"""software.flatpak-sources: where applications of flatpak come from, each with its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.flatpak_source import RISK, FlatpakSource
from agent.policy.settings.software.sources import SAMPLE_KEY, indented
from agent.policy.syntax.flatpaks import FlatpakSources
from agent.policy.syntax.openpgp import public_keys, spelled
from agent.policy.syntax.values import Type


class SoftwareFlatpakSources(Setting):
    """A union by name: of one name the nearer rank knows better where it is by now."""

    key: ClassVar[str] = "software.flatpak-sources"
    about: ClassVar[str] = (
        "Sources of applications for flatpak (it calls them remotes), beside those that the laptop has, "
        "which are never touched. Each rank adds its own; of the same name the nearer rank's is taken. "
        "Nothing is taken from one that its own `key` did not sign. What people read names the key by its "
        "fingerprint: compare it with what the vendor publishes, before you sign. A source alone installs "
        "nothing (`software.flatpaks` does), but whoever administers the laptop may from then on. A laptop "
        "that has another source of this name keeps that one, and says so. Withdrawn, it goes; what people "
        "installed from it stays, without updates."
    )
    value: ClassVar[Type] = FlatpakSources()
    merge: ClassVar[Merge] = Merge.UNION
    powers: ClassVar[str] = RISK
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school added places that applications for this laptop come from.",
        "ar": "أضافت مدرستك مصادر تأتي منها تطبيقات هذا الحاسوب.",
    }
    example: ClassVar[str] = f"""\
software.flatpak-sources:
  - name: vendor
    address: https://flatpak.vendor.example/repo/
    key: |
{indented(SAMPLE_KEY)}"""

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        assert isinstance(value, list)  # noqa: S101
        return tuple(map(_source, value))

    def join(self, upper: object, lower: object) -> object:
        """As `Setting.join`, by name."""
        assert isinstance(upper, list) and isinstance(lower, list)  # noqa: S101
        nearer = {one["name"] for one in lower}
        return [*(one for one in upper if one["name"] not in nearer), *lower]

    def most(self) -> int:
        """As `Setting.most`."""
        return 20

    def show(self, value: object) -> str:
        """As `Setting.show`, with the keys' fingerprints."""
        return "; ".join(map(_shown, value)) if isinstance(value, list) else str(value)


def _source(entry: Mapping[str, object]) -> FlatpakSource:
    return FlatpakSource(*(str(entry[name]) for name in ("name", "address", "key")))


def _shown(entry: Mapping[str, object]) -> str:
    source = _source(entry)
    try:
        keys = ", ".join(map(spelled, public_keys(source.key).fingerprints))
    except ValueError:
        keys = "none that can be read"
    return f"{source.source} ({source.address}; key {keys})"
