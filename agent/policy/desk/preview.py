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
from agent.policy.desk.readings import Readings
from agent.policy.document import PolicyDocument, Source, read_document
from agent.policy.origins import asked
from agent.policy.scheduling import During, Moment, names, timetables_of
from agent.policy.syntax.problems import Problems
from agent.policy.targeting import DeviceFacts, meant


@dataclass(frozen=True, slots=True)
class Overridden:
    """What a document says of a setting, and another one's word holds instead."""

    policy: str
    place: str  #: file:line
    key: str
    value: str
    by: str  #: id of the policy that decides it
    reason: str


@dataclass(frozen=True, slots=True)
class DevicePreview:
    """What one device would get."""

    device: DeviceFacts
    #: Key → the value for people; ``KEY (while NAME)`` where it is another while that timetable is on.
    settings: Mapping[str, str]
    resources: Mapping[str, str]  #: id of what is written directly → what it should be, likewise
    policies: Mapping[str, str]  #: key or resource → id of the policy that decides it
    refusals: tuple[str, ...]
    conflicts: tuple[str, ...]
    overridden: tuple[Overridden, ...] = ()


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


def compile_each(
    sources: Sequence[Source],
    devices: Sequence[DeviceFacts],
    moments: Sequence[Moment | None] = (),
    readings: Readings | None = None,
) -> Iterator[Compiled]:
    """What each device should be, in the order given, by the same code as on the laptop. Devices of the same
    groups are compiled once. ``moments``: one for each; left out: while no timetable is on. ``readings``:
    what was read of these sources before.
    """
    readings = readings or Readings()
    cache: dict[tuple[object, ...], Compiled] = {}
    named = {name for one in _documents(sources, readings) for name in one.applies_to.get("device", ())}
    for device, moment in zip(devices, moments or [None] * len(devices), strict=True):
        alone = bool(named & set(device.value_of("device")))
        name = device.device if alone else ""
        group = (device.site, device.school, device.year, device.class_, name, moment)
        if group not in cache:
            cache[group] = compile_site(sources, device, None, moment, readings.read)
        yield cache[group]


def preview(sources: Sequence[Source], devices: Sequence[DeviceFacts]) -> list[DevicePreview]:
    """What each device would get, in the order given."""
    readings = Readings()
    result = _at(sources, devices, During(), readings)
    documents = _documents(sources, readings)
    for name in names(documents):
        ahead = _at(sources, devices, During(frozenset([name])), readings)
        result = [_with(one, then, name) for one, then in zip(result, ahead, strict=True)]
    return [_timed(one, [doc for doc in documents if meant(doc.applies_to, one.device)]) for one in result]


def _timed(one: DevicePreview, documents: Sequence[PolicyDocument]) -> DevicePreview:
    """``one`` with the hours that each of its documents goes by: other ones are a change, too."""
    settings, policies = dict(one.settings), dict(one.policies)
    for document in documents:
        if document.when is not None:
            key = f"when {document.id} holds"
            tables = " or ".join(map(str, timetables_of(document, documents)))
            settings[key] = f"{document.when}, {tables or 'which nobody gives'}"
            policies[key] = document.id
    return replace(one, settings=settings, policies=policies)


def _at(
    sources: Sequence[Source], devices: Sequence[DeviceFacts], moment: Moment, readings: Readings
) -> list[DevicePreview]:
    made: dict[str, DevicePreview] = {}
    result = []
    every = compile_each(sources, devices, [moment] * len(devices), readings)
    for device, compiled in zip(devices, every, strict=True):
        one = made.get(compiled.fingerprint) or _preview(compiled, device)
        made[compiled.fingerprint] = one
        result.append(replace(one, device=device))
    return result


def _with(one: DevicePreview, then: DevicePreview, name: str) -> DevicePreview:
    """``one``, and what is otherwise ``then``, while the timetable ``name`` is on."""
    settings, resources, policies = dict(one.settings), dict(one.resources), dict(one.policies)
    for usual, changed, into in (
        (one.settings, then.settings, settings),
        (one.resources, then.resources, resources),
    ):
        for key in sorted(usual.keys() | changed.keys()):
            if usual.get(key) != changed.get(key) and " (while " not in key:
                into[f"{key} (while {name})"] = changed.get(key, "not managed")
                policies[f"{key} (while {name})"] = then.policies.get(key) or one.policies.get(key, "")
    refusals = tuple(dict.fromkeys((*one.refusals, *then.refusals)))
    conflicts = tuple(dict.fromkeys((*one.conflicts, *then.conflicts)))
    overridden = tuple(dict.fromkeys((*one.overridden, *then.overridden)))
    return DevicePreview(one.device, settings, resources, policies, refusals, conflicts, overridden)


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


def _documents(sources: Sequence[Source], readings: Readings) -> list[PolicyDocument]:
    """Those that can be read."""
    found = (readings.read(source, Problems()) for source in sources)
    return [one for one in found if one is not None]


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
    overridden = tuple(_overridden(compiled))
    return DevicePreview(device, settings, resources, policies, refusals, conflicts, overridden)


def _overridden(compiled: Compiled) -> Iterator[Overridden]:
    for key, row in compiled.settings.items():
        lost = row["lost"]
        assert isinstance(lost, list)  # noqa: S101
        for one in lost:
            loser = compiled.origin(one["origin"])
            place, by = f"{loser.file}:{loser.line}", compiled.decided_by(key).policy
            yield Overridden(loser.policy, place, key, one["shown"], by, one["reason"])


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
