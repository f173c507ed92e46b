"""devices.printers: the school's printers, on every laptop that may use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.host.printing import EVERYWHERE, POSTSCRIPT
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.default_printer import DefaultPrinter
from agent.policy.resources.printer import RISK, Printer
from agent.policy.syntax.printers import Printers
from agent.policy.syntax.values import Type


class DevicesPrinters(Setting):
    """A union by name: a district's printer, a school's and a class room's are all wanted at once. Of one
    name the nearer rank knows better where the printer is by now, and of defaults, which one stands near.
    """

    key: ClassVar[str] = "devices.printers"
    about: ClassVar[str] = (
        "Printers that programs offer beside those that people set up themselves, which are never touched. "
        "Each rank adds its own, for a laptop may stand near printers of all of them; of the same name the "
        "nearer rank's is taken, and so is its default. They are set up without asking the printer, so that "
        "it may be off or the laptop at home: what is printed then waits. CUPS (the packages cups and "
        "cups-filters) drives them by a general driver for the language that they understand, which knows "
        "neither trays nor staplers; no driver comes with a policy. `speaks` names it: ipp-everywhere (the "
        "usual one at ipp and ipps; whatever was sold for AirPrint, Mopria or IPP Everywhere knows it), pdf, "
        "postscript (the usual one at socket) or pcl. `paper` is a4 unless it is letter. Withdrawn, a "
        "printer goes with what still waits for it. A name that a person's printer has already is left, "
        "and told."
    )
    value: ClassVar[Type] = Printers()
    merge: ClassVar[Merge] = Merge.UNION
    powers: ClassVar[str] = RISK
    why: ClassVar[Mapping[str, str]] = {
        "en": "The school set these printers up, so that you can print without asking anybody for help.",
        "ar": "أعدّت المدرسة هذه الطابعات كي تتمكن من الطباعة دون أن تطلب المساعدة من أحد.",
    }
    example: ClassVar[str] = """\
devices.printers:
  - name: library
    address: ipp://printer.north.example/ipp/print
    place: Library, first floor
    default: true
  - {name: office, address: "socket://10.0.0.9:9100", description: Office, speaks: pdf}"""

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        assert isinstance(value, list)  # noqa: S101
        printers = tuple(_printer(one) for one in value)
        default = (DefaultPrinter(str(one["name"])) for one in value if one.get("default"))
        return (*printers, *default)

    def join(self, upper: object, lower: object) -> object:
        """As `Setting.join`, by name."""
        assert isinstance(upper, list) and isinstance(lower, list)  # noqa: S101
        nearer = {one["name"] for one in lower}
        decided = any(one.get("default") for one in lower)
        kept = (one for one in upper if one["name"] not in nearer)
        return [*(_no_default(one) if decided else one for one in kept), *lower]

    def show(self, value: object) -> str:
        """As `Setting.show`."""
        return "; ".join(map(_shown, value)) if isinstance(value, list) else str(value)


def _printer(entry: Mapping[str, object]) -> Printer:
    address = str(entry["address"])
    usual = POSTSCRIPT if address.startswith("socket:") else EVERYWHERE
    return Printer(
        str(entry["name"]),
        address,
        str(entry.get("speaks", usual)),
        str(entry.get("description", entry["name"])),
        str(entry.get("place", "")),
        str(entry.get("paper", "a4")),
    )


def _no_default(entry: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in entry.items() if name != "default"}


def _shown(entry: Mapping[str, object]) -> str:
    place = f" ({entry['place']})" if "place" in entry else ""
    default = ", unless told otherwise" if entry.get("default") else ""
    return f"{entry.get('description', entry['name'])}{place}{default}"
