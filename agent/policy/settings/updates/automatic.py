"""updates.automatic: what is installed by itself, and at what time of day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.agent import Agent
from agent.policy.resources.apt_settings import AptSettings
from agent.policy.resources.timer import Timer
from agent.policy.syntax.hours import DAY, Hours, bounds
from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Choice, Duration, Key, Record, Type, spell, wrong

NONE, SECURITY, ALL = "none", "security", "all"
#: Minutes from one try to the next; a laptop that is on for so long in the hours has its updates.
STEP = 30
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")
_CODENAME = "${distro_codename}"
#: Of Debian and of Ubuntu; one that no repository has matches nothing.
_ORIGINS = {
    SECURITY: [
        f"origin=Debian,codename={_CODENAME}-security,label=Debian-Security",
        f"origin=Debian,codename={_CODENAME},label=Debian-Security",
        f"origin=Ubuntu,archive={_CODENAME}-security",
    ],
    ALL: ["origin=*"],
}


class _Updates(Record):
    """What waits for no hours has no deadline."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        values = Record.read(self, node, problems)
        if isinstance(values, dict) and "deadline" in values and "hours" not in values:
            return wrong(self, node, problems, why="a deadline is for what waits for hours")
        return values


class UpdatesAutomatic(Setting):
    """unattended-upgrades, and apt's own timers."""

    key: ClassVar[str] = "updates.automatic"
    about: ClassVar[str] = (
        "What unattended-upgrades installs by itself: security updates, all updates of the repositories "
        "that the laptop has, or none. With `hours` apt looks for them, and begins to install, only within "
        "them, every half hour at most, at moments spread over the school; what was missed is not made up "
        "for at the next start, which may be in a lesson. What `software.packages` installs and "
        "removes keeps to the same hours. A laptop that has installed none for longer than the `deadline`, "
        "because it was never on in the hours, begins at any other, but while no timetable of its policies "
        "is on nor turns within the hour: never in a lesson. Nothing restarts the laptop. On battery apt "
        "waits."
    )
    value: ClassVar[Type] = _Updates(
        {
            "packages": Key(Choice((NONE, SECURITY, ALL)), required=True, about="what is installed"),
            "hours": Key(Hours(least=2 * STEP), about="only in these hours of the day, in local time"),
            "deadline": Key(
                Duration(least=86_400, most=90 * 86_400),
                about="how long nothing is installed at other hours; without it: for ever",
            ),
        },
        what="a mapping",
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = AptSettings.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school decides which updates the laptop installs by itself, and when, so that none "
        "disturbs a lesson.",
        "ar": "تقرر مدرستك التحديثات التي يثبتها الحاسوب تلقائيًا ومواعيدها كي لا تعطل الدروس.",
    }
    example: ClassVar[str] = (
        'updates.automatic:\n  value: {packages: security, hours: "15:30-21:00", deadline: 14d}'
    )

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, dict)  # noqa: S101
        packages, hours = str(value["packages"]), value.get("hours")
        settings = AptSettings(group="updates", values=_settings(packages))
        if hours is None or packages == NONE:
            return (settings,)
        times = _times(*bounds(str(hours)))
        begin, length = bounds(str(hours))
        ours = {"install_begin": begin, "install_minutes": length}
        if isinstance(deadline := value.get("deadline"), int):
            ours["install_deadline"] = deadline
        return settings, *(Timer(unit, times, spread=(STEP - 5) * 60) for unit in TIMERS), Agent(ours)

    def show(self, value: object) -> str:
        if not isinstance(value, dict):
            return str(value)
        deadline = value.get("deadline")
        late = [f"after {spell(deadline)} at any hour"] if isinstance(deadline, int) else []
        return ", ".join([*(str(value[name]) for name in ("packages", "hours") if name in value), *late])


def _settings(packages: str) -> Mapping[str, object]:
    if packages == NONE:
        return {"APT::Periodic::Unattended-Upgrade": "0"}
    return {
        "APT::Periodic::Enable": "1",
        "APT::Periodic::Update-Package-Lists": "1",
        "APT::Periodic::Unattended-Upgrade": "1",
        "Unattended-Upgrade::Allowed-Origins": [],
        "Unattended-Upgrade::Origins-Pattern": _ORIGINS[packages],
        "Unattended-Upgrade::Automatic-Reboot": "false",
    }


def _times(begin: int, length: int) -> list[str]:
    """Each moment at which the timers elapse; the last is a step before the end."""
    minutes = sorted((begin + late) % DAY for late in range(0, length - STEP + 1, STEP))
    return [f"*-*-* {minute // 60:02}:{minute % 60:02}:00" for minute in minutes]
