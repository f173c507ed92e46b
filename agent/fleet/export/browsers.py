"""The browsers that a school's other laptops have: where Windows keeps their policies, and what of ours they
get. Each gets what Linux gets of the same compiled policy, but for paths, which are of another shape there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.policy.bases.managed import Managed
from agent.policy.compiled import Compiled
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.resources.other_browser import PLACES

#: How a folder below the student's own begins, as a setting writes it for Linux, and as Windows has it. The
#: browsers put the student's own folder in place of the names in braces.
_HOME: Final[Mapping[str, str]] = {"/home/${user_name}": "${profile}", "${home}": "${home}"}
_FOLDER: Final = "DownloadDirectory"


@dataclass(frozen=True, slots=True)
class Browser:
    """``resource``: the compiled resource whose policies it gets; ``key``: below ``SOFTWARE\\Policies``."""

    name: str
    resource: str
    key: str

    def policies(self, compiled: Compiled) -> Mapping[str, object]:
        """What it gets of a compiled policy, as it stands in its file on Linux; nothing of what is only
        observed."""
        for item in compiled.items():
            if item.id == self.resource and not item.observe_only:
                resource = item.resource()
                assert isinstance(resource, Managed)  # noqa: S101
                return self.of(resource)
        return {}

    def of(self, resource: Managed) -> Mapping[str, object]:
        """The policies of a resource by the names that this browser has for them."""
        return resource.policies if self.name == FIREFOX.name else resource.written()

    def vocabulary(self) -> tuple[str, ...]:
        """Every policy that some setting of ours may give it, in order of the names."""
        if self.name == FIREFOX.name:
            known = Firefox.harmless | Firefox.powerful
            return tuple(sorted({name.partition(".")[0] for name in known}))
        names = PLACES[self.resource.partition(":")[2]].names
        return tuple(sorted(names.get(name, name) for name in Chromium.harmless | Chromium.powerful))


CHROME: Final = Browser("Chrome", "other-browser:chrome", r"Google\Chrome")
EDGE: Final = Browser("Edge", "other-browser:edge", r"Microsoft\Edge")
FIREFOX: Final = Browser("Firefox", "firefox:policies", r"Mozilla\Firefox")
BROWSERS: Final = (CHROME, EDGE, FIREFOX)


def on_windows(policies: Mapping[str, object]) -> Mapping[str, object]:
    """``policies`` with Windows' form of paths; Firefox asks the machine's authorities there by itself."""
    kept = {name: value for name, value in policies.items() if name != "SecurityDevices"}
    folder = kept.get(_FOLDER)
    return {**kept, _FOLDER: _path(folder)} if isinstance(folder, str) else kept


def _path(folder: str) -> str:
    for linux, windows in _HOME.items():
        if folder.startswith(linux):
            return windows + folder[len(linux) :].replace("/", "\\")
    return folder
