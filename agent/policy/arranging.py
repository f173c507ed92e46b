"""What is arranged for one laptop by a sealed order (an accommodation): settings above every rank, for a
time.

It takes the place of what policies say, also of a value that one of them made final, if somebody of the role
that did so signed it. All of it becomes one group of desktop defaults, so that neither a plan nor a report
nor a file's name tells what is arranged: beside it stands what every laptop of these policies has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.core.errors import BookbagError
from agent.core.model import Origin
from agent.policy import kinds
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Setting
from agent.policy.merge import Contribution
from agent.policy.resources.dconf import ARRANGED, Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.syntax import yamltext
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD

#: Above `targeting.RANKS`, and no document's.
RANK = "arranged"
ORIGIN = Origin(policy=RANK, role="", rank=RANK, owner="", file="", line=0, setting="")
#: All that `explain` and status say where others say a value.
SHOWN = "arranged"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is in force on one laptop. ``values``: setting → value as in a policy; ``roles``: whose final
    values it may loosen (``power/ROLE``: of that role's documents that two persons sign)."""

    order: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    until: int = 0  #: unix seconds

    @property
    def digest(self) -> str:
        """Tells one from another; "" for none."""
        if not self.values:
            return ""
        told = [self.order, sorted(self.values.items()), sorted(self.roles), self.until]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


NOTHING = Arrangement()


def value_of(key: str, given: object) -> tuple[Setting, object]:
    """The setting ``key``, and what ``given`` (a text, or a list of them) is to it. Raises ``not-allowed``
    and ``bad-policy``, in words for whoever arranges it."""
    setting = kinds.settings().get(key)
    if setting is None or not setting.arrangeable:
        may = ", ".join(one for one, other in kinds.settings().items() if other.arrangeable)
        raise BookbagError("not-allowed", f"cannot arrange {key[:60]}", remedy=f"what can be: {may}")
    problems = Problems()
    node = yamltext.read(json.dumps(given, ensure_ascii=False).encode(), key, problems)
    value = BAD if node is None else setting.value.read(node, problems)
    if value is BAD or problems.errors:
        raise BookbagError("bad-policy", f"cannot arrange {key}: expected {setting.value.describe()}")
    return setting, value


def check(values: Mapping[str, object]) -> None:
    """Raises ``not-allowed`` unless all of it may be arranged on this version; what, it does not say."""
    try:
        for key, given in values.items():
            value_of(key, given)
    except BookbagError:
        raise BookbagError(
            "not-allowed", "cannot arrange this: a setting or value in it is none that may be arranged here"
        ) from None


class Arranging:
    """One arrangement beside the policies of one laptop."""

    def __init__(self, arrangement: Arrangement) -> None:
        self._arrangement = arrangement
        self._wins: dict[str, tuple[Setting, object]] = {}
        self.rows: list[dict[str, object]] = []

    def weigh(self, key: str, given: Sequence[Contribution]) -> None:
        """Decide about one setting of which policies say ``given``."""
        if key not in self._arrangement.values:
            return
        try:
            setting, value = value_of(key, self._arrangement.values[key])
        except BookbagError:
            return  # an older version, which cannot do it
        held_by = self._held_by(setting, value, given)
        if not held_by:
            self._wins[key] = setting, value
        self.rows.append({"key": key, "shown": setting.show(value), "held_by": held_by})

    def _held_by(self, setting: Setting, value: object, given: Sequence[Contribution]) -> str:
        """The policy whose final value it may not loosen; "" if none."""
        final = (one for one in given if one.final and whose(one) not in self._arrangement.roles)
        held = (one for one in final if one.value != value and not setting.tighter(value, one.value))
        return next((one.origin.policy for one in held), "")

    def resources(self) -> tuple[Resource, ...]:
        """Everything that is arranged; nothing if nothing is."""
        values: dict[str, str] = {}
        for setting, value in self._wins.values():
            for one in setting.resources(value):
                if isinstance(one, Dconf):
                    values.update(one.values)
        return (DconfProfile(), Dconf(ARRANGED, dict(sorted(values.items())), locked=False)) if values else ()

    def without(self, resource: Resource) -> Resource | None:
        """What is left of a ``resource`` that a policy writes directly, which is final for nobody."""
        if not self._wins or not isinstance(resource, Dconf):
            return resource
        taken = _keys(self.resources())
        left = {key: value for key, value in resource.values.items() if key not in taken}
        return replace(resource, values=left) if left else None

    def told(self) -> dict[str, object]:
        """For the compiled policy; nothing where nothing is arranged."""
        if not self._arrangement.values:
            return {}
        return {
            "arrangement": self._arrangement.digest,
            "arranged": self.rows,
            "arranged_until": self._arrangement.until,
        }


def whose(one: Contribution) -> str:
    """Who has to sign what loosens it: as `TrustDocument.speaking_for` says."""
    return f"power/{one.origin.role}" if one.power else one.origin.role


def _keys(resources: Iterable[Resource]) -> set[str]:
    return {key for one in resources if isinstance(one, Dconf) for key in one.values}
