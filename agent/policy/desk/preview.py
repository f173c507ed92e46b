"""What devices would get from a folder of policies, and how that differs from what they have: for IT's
plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from agent.core.model import Power
from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.document import Source, read_document
from agent.policy.origins import asked
from agent.policy.syntax.problems import Problems
from agent.policy.targeting import DeviceFacts


@dataclass(frozen=True, slots=True)
class DevicePreview:
    """What one device would get."""

    device: DeviceFacts
    settings: Mapping[str, str]  #: key → the value for people
    resources: Mapping[str, str]  #: id of what is written directly → digest of what it should be
    policies: Mapping[str, str]  #: key or resource → id of the policy that decides it
    refusals: tuple[str, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One setting or resource that changes on a device; ``""`` where it is not managed."""

    key: str
    before: str
    after: str
    policy: str


@dataclass(frozen=True, slots=True)
class DeviceDiff:
    """What changes on one device."""

    device: DeviceFacts
    lines: tuple[DiffLine, ...]


def compile_each(sources: Sequence[Source], devices: Sequence[DeviceFacts]) -> Iterator[Compiled]:
    """What each device should be, in the order given, by the same code as on the laptop. Devices of the same
    groups are compiled once."""
    cache: dict[tuple[str, ...], Compiled] = {}
    named = _named_devices(sources)
    for device in devices:
        alone = bool(named & set(device.value_of("device")))
        group = (device.site, device.school, device.year, device.class_, device.device if alone else "")
        if group not in cache:
            cache[group] = compile_site(sources, device)
        yield cache[group]


def preview(sources: Sequence[Source], devices: Sequence[DeviceFacts]) -> list[DevicePreview]:
    """What each device would get, in the order given."""
    made: dict[str, DevicePreview] = {}
    result = []
    for device, compiled in zip(devices, compile_each(sources, devices), strict=True):
        one = made.get(compiled.fingerprint) or _preview(compiled, device)
        made[compiled.fingerprint] = one
        result.append(replace(one, device=device))
    return result


def compare(before: Sequence[DevicePreview], after: Sequence[DevicePreview]) -> list[DeviceDiff]:
    """Device by device what changes, those without a change left out. A device missing in ``before`` is
    new.
    """
    old = {one.device.device: one for one in before}
    diffs = []
    for new in after:
        lines = tuple(_lines(old.get(new.device.device), new))
        if lines:
            diffs.append(DeviceDiff(new.device, lines))
    return diffs


def needs_power(source: Source) -> tuple[str, ...]:
    """What in a document two persons must sign, with the reason; empty if one person is enough."""
    document = read_document(source, Problems())
    if document is None:
        return ()
    found = ((one.resource.id, *one.resource.power()) for one in asked(document))
    return tuple(f"{name}: {why}" for name, power, why in found if power is Power.ROOT)


def templates() -> dict[str, bytes]:
    """The policy templates that come with Bookbag, by file name."""
    return _yaml_in(_packaged())


def template_tests() -> dict[str, bytes]:
    """A first test for each of them, under the same file name."""
    return _yaml_in(_packaged() / "tests")


def _packaged() -> Traversable:
    packaged = files("agent") / "_policies"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "policies"


def _yaml_in(folder: Traversable) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name.endswith(".yaml")}


def _named_devices(sources: Sequence[Source]) -> set[str]:
    names: set[str] = set()
    for source in sources:
        document = read_document(source, Problems())
        if document is not None:
            names.update(document.applies_to.get("device", ()))
    return names


def _preview(compiled: Compiled, device: DeviceFacts) -> DevicePreview:
    settings = {key: str(row["shown"]) for key, row in compiled.settings.items()}
    policies = {key: compiled.decided_by(key).policy for key in compiled.settings}
    resources: dict[str, str] = {}
    for item in compiled.items():
        if not item.settings:
            policies[item.id] = item.origins()[-1].policy
            fields = item.data["fields"]
            assert isinstance(fields, dict)  # noqa: S101
            resources[item.id] = ", ".join(
                f"{name}={_short(value)}" for name, value in fields.items() if value
            )
    refusals = tuple(f"{row['subject']}: {row['message']}" for row in compiled.refusals)
    conflicts = tuple(f"{row['subject']}: {row['message']}" for row in compiled.conflicts)
    return DevicePreview(device, settings, resources, policies, refusals, conflicts)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}… ({len(text)} characters)"


def _lines(before: DevicePreview | None, after: DevicePreview) -> list[DiffLine]:
    old = {**before.settings, **before.resources} if before else {}
    new = {**after.settings, **after.resources}
    lines = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key, "") != new.get(key, ""):
            owner = after.policies.get(key) or (before.policies.get(key, "") if before else "")
            lines.append(DiffLine(key, old.get(key, ""), new.get(key, ""), owner))
    return lines
