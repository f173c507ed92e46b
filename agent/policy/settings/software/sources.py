"""software.sources: further sources of packages, each with its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.listed import Listed
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge
from agent.policy.resources.apt_source import AptSource
from agent.policy.syntax.apt_sources import Sources
from agent.policy.syntax.openpgp import public_keys, spelled
from agent.policy.syntax.values import Type

#: Of nobody.
SAMPLE_KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawi7ZBYJKwYBBAHaRw8BAQdAvP7ENUhvBq48rla+QHzONdylOVj8+F8NkWwO
2O3po9e0IFZlbmRvciA8cGFja2FnZXNAdmVuZG9yLmV4YW1wbGU+iJAEExYIADgW
IQRoiKxk41/hhEqblam+hbqbDJg//QUCawi7ZAIbAwULCQgHAgYVCgkICwIEFgID
AQIeAQIXgAAKCRC+hbqbDJg//X56AP9MCIfcNc3HPS/y3+OgtFwyABWMWQwGmSoQ
4XxT4Y9MFgEAwumpwLNET9dUSOqXwBGdXlnnGfWMNj6QABB65kek6Aw=
=yGi3
-----END PGP PUBLIC KEY BLOCK-----
"""


def indented(text: str) -> str:
    """A block of an example."""
    return "".join(f"      {line}".rstrip() + "\n" for line in text.splitlines())


class SoftwareSources(Listed):
    """A union by name: of one name the nearer rank knows better where it is by now."""

    key: ClassVar[str] = "software.sources"
    about: ClassVar[str] = (
        "Further sources of packages, beside those that the laptop has, which are never touched. Each rank "
        "adds its own; of the same name the nearer rank's is taken. A source is believed by its own `key` "
        "and no other, and its key is believed for nothing else: it stands in the source's file, and goes "
        "with it. What people read names the key by its fingerprint: compare it with what the vendor "
        "publishes, before you sign. A source alone installs nothing: list under `foreign` of "
        "`software.packages` what is to come from it. apt takes the newest version of what several sources "
        "have, so add none that you would not have replace what is there. A laptop that has the same "
        "address and suite from elsewhere already keeps that one, and says so."
    )
    value: ClassVar[Type] = Sources()
    merge: ClassVar[Merge] = Merge.UNION
    powers: ClassVar[str] = AptSource.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school added places that programs for this laptop come from, beside those of its system.",
        "ar": "أضافت مدرستك مصادر تأتي منها برامج هذا الحاسوب إلى جانب مصادر نظامه.",
    }
    example: ClassVar[str] = f"""\
software.sources:
  - name: vendor
    uris: [https://packages.vendor.example/debian]
    suites: [stable]
    components: [main]
    key: |
{indented(SAMPLE_KEY)}"""

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        assert isinstance(value, list)  # noqa: S101
        return tuple(map(_source, value))

    def shown(self, entry: Mapping[str, object]) -> str:
        """As `Listed.shown`, with the keys' fingerprints."""
        source = _source(entry)
        try:
            keys = ", ".join(map(spelled, public_keys(source.key).fingerprints))
        except ValueError:
            keys = "none that can be read"
        where = " ".join((*source.uris, *source.suites, *source.components))
        return f"{source.source} ({where}; key {keys})"


def _source(entry: Mapping[str, object]) -> AptSource:
    def words(key: str) -> list[str]:
        found = entry.get(key, [])
        assert isinstance(found, list)  # noqa: S101
        return list(map(str, found))

    return AptSource(
        str(entry["name"]),
        words("uris"),
        words("suites"),
        words("components"),
        words("architectures"),
        str(entry["key"]),
    )
