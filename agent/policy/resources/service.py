"""service: whether a service, socket or timer starts with the machine, runs now, or cannot be started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.services import FOLDER, STATIC
from agent.host.unit_names import NAME
from agent.policy.bases.filestate import look, put, replaceable, text_file
from agent.policy.bases.fragment import services
from agent.policy.bases.resource import Resource
from agent.policy.bases.units import forbidden_unit
from agent.policy.syntax.values import Flag, Key, Text

#: Is never stopped by us: in the middle of its work that could leave a device broken, for systemd gives it
#: three minutes and no more. It ends by itself when it has had nothing to do for a while.
_WRITING = ("fwupd.service",)
_MASK = "/dev/null"
_WANTING = (".wants", ".requires", ".upholds")


@dataclass(frozen=True, slots=True)
class Service(Resource):
    """The links that systemd goes by, and what runs. What was is put back link by link."""

    kind: ClassVar[str] = "service"
    about: ClassVar[str] = (
        "Whether a service, socket, timer or path unit starts with the machine, and runs now; or that "
        "nothing can start it. What a unit takes along (`Also=`) is named by itself."
    )
    powers: ClassVar[str] = (
        "Always takes two persons. What belongs to Bookbag, systemd, logging in and the network is no "
        "policy's."
    )
    direct: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("services",)
    effects: ClassVar[frozenset[str]] = frozenset(("install",))
    taken_in: ClassVar[bool] = True
    keys: ClassVar[Mapping[str, Key]] = {
        "unit": Key(
            Text(most=200, pattern=NAME, what="the whole name of a unit such as cups.service"),
            required=True,
            about="which",
        ),
        "enabled": Key(Flag(), about="whether it starts with the machine; left as found if left out"),
        "active": Key(Flag(), about="whether it runs; left as found if left out"),
        "masked": Key(Flag(), about="true: nothing can start it, and it stops (`fwupd.service` by itself)"),
    }
    example: ClassVar[str] = "- service: {unit: bluetooth.service, masked: true}"

    unit: str
    enabled: bool | None = None
    active: bool | None = None
    masked: bool | None = None

    @property
    def name(self) -> str:
        return self.unit

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, "what it starts or stops runs as root"

    def forbidden(self) -> str:
        return forbidden_unit(self.unit)

    def mistake(self) -> str:
        if self.masked and (self.enabled or self.active):
            return "a masked unit neither starts with the machine nor runs"
        if self.active is False and self._writing:
            return "it may be writing firmware: masked, it ends by itself"
        if self.enabled is None and self.active is None and self.masked is None:
            return "a service needs enabled, active or masked"
        return ""

    def lacking(self, host: Host) -> str:
        found = services(host).state(self.unit)
        if found.known and self.enabled and found.enabled == STATIC:
            return f"way to enable {self.unit}: others start it"
        return "" if found.known else self.unit

    # -- what should be, what is

    def desired(self) -> State | None:
        return {"masked": self.masked, "enabled": self.enabled, "active": self._running}

    def intended(self, before: State | None) -> State | None:
        """Which links that takes is what the unit itself says."""
        found = dict(before or {})
        links, install = (dict(_mapping(found.get(name))) for name in ("links", "install"))
        if self.masked is not None:
            links.pop(self._own, None)
            if self.masked:
                links[self._own] = _MASK
        if self.enabled is not None:
            others = {path: target for path, target in links.items() if path == self._own}
            links = {**others, **install} if self.enabled else others
        wanted = self.desired() or {}
        return {
            **found,
            **{name: value for name, value in wanted.items() if value is not None},
            "links": links,
        }

    def observe(self, host: Host) -> State | None:
        links = self._links(host)
        return {
            "masked": links.get(self._own) == _MASK,
            "enabled": any(path != self._own for path in links),
            "links": links,
            "install": dict(services(host).install(self.unit)),
            "active": services(host).state(self.unit).active,
        }

    def guard(self, host: Host) -> None:
        there = host.files.read(self._own)
        if self.masked and there is not None and there.kind != "symlink":
            raise BookbagError(
                "bad-path",
                f"cannot keep {self.unit} from starting: its own file has the place of the link",
                place=self._own,
                remedy="say enabled: false and active: false instead",
            )

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        """Links first: what is masked cannot be started, and nothing else starts what is to stop."""
        there, wanted = (_mapping(None if state is None else state["links"]) for state in (before, after))
        for path in sorted({*there, *wanted}):
            if path not in wanted:
                replaceable(look(host, path), path)
                host.files.remove(path)
            elif there.get(path) != wanted[path]:
                put(host, path, {**text_file(str(wanted[path]), 0o777), "kind": "symlink"})
        if dict(there) != dict(wanted):
            host.files.remove_empty(sorted({path.rpartition("/")[0] for path in there}))
        services(host).reread()
        active = self.active if self._writing or after is None else after["active"]
        if isinstance(active, bool):
            services(host).set_active(self.unit, active)

    def partly(self, now: State, prior: State) -> Iterator[tuple[State, State]]:
        """What runs changes by itself, or by whoever needs it: then the links are put back, and no more."""
        yield {**now, "active": not now["active"]}, {**prior, "active": now["active"]}

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Someone else changed its links since: only a mask is taken away."""
        if now is None or prior is None or not now["masked"] or prior["masked"]:
            return now
        others = {path: target for path, target in _mapping(now["links"]).items() if path != self._own}
        own = {path: target for path, target in _mapping(prior["links"]).items() if path == self._own}
        return {**now, "masked": False, "links": {**own, **others}}

    def paths(self) -> tuple[str, ...]:
        """Of its links only the one that has its own name; which others there are, the machine knows."""
        return (self._own,)

    @property
    def _running(self) -> bool | None:
        return False if self.masked and not self._writing else self.active

    @property
    def _writing(self) -> bool:
        return self.unit in _WRITING

    @property
    def _own(self) -> str:
        return f"{FOLDER}/{self.unit}"

    def _links(self, host: Host) -> dict[str, str]:
        """Every link of the administrator's that is about this unit: its mask, what wants it, its other
        names.
        """
        found: dict[str, str] = {}
        for name in host.files.names(FOLDER) or ():
            place = f"{FOLDER}/{name}"
            if name.endswith(_WANTING):
                place = f"{place}/{self.unit}"
            node = host.files.read(place)
            if node is not None and node.kind == "symlink":
                target = node.content.decode(errors="surrogateescape")
                if place.endswith(f"/{self.unit}") or target.endswith(f"/{self.unit}"):
                    found[place] = target
        return found


def _mapping(value: object) -> Mapping[str, str]:
    return value if isinstance(value, Mapping) else {}
