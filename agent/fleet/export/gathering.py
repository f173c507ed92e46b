"""What the browsers of one group get, compiled by the same code as on a laptop, and what of it no browser
can be given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.fleet.export.browsers import BROWSERS, Browser
from agent.fleet.export.groups import Group
from agent.policy import kinds
from agent.policy.bases.managed import Managed
from agent.policy.compiled import Compiled
from agent.policy.desk.preview import compile_each
from agent.policy.document import Source, read_document
from agent.policy.syntax.problems import Problems
from agent.policy.targeting import meant

_OBSERVED = " (observed)"


@dataclass(frozen=True, slots=True)
class Left:
    """One setting that is left out somewhere, and why."""

    setting: str
    where: str  #: a browser, or a form of file
    why: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """``policies``: browser → its policies; ``settings``: browser → policy → the settings that decide it;
    ``left``: what is left out in whatever form; ``elsewhere``: settings that are not about browsers."""

    group: Group
    policies: Mapping[str, Mapping[str, object]]
    settings: Mapping[str, Mapping[str, tuple[str, ...]]]
    left: tuple[Left, ...]
    elsewhere: tuple[str, ...]

    def lacking(self, browser: Browser, policy: str, where: str, why: str) -> Iterator[Left]:
        """That ``policy`` cannot be said in ``where``."""
        for setting in self.settings[browser.name].get(policy, (policy,)):
            yield Left(setting, where, f"{browser.name}: {why}")


def gather(sources: Sequence[Source], groups: Sequence[Group]) -> Iterator[Gathered]:
    """One for each group, in their order. Policies that hold at times only are left out: an export
    holds always."""
    documents = [(one, read_document(one, Problems())) for one in sources]
    always = [one for one, document in documents if document is None or document.when is None]
    timed = [document for _, document in documents if document is not None and document.when is not None]
    for group, compiled in zip(groups, compile_each(always, [one.facts for one in groups]), strict=True):
        mine = [one for one in timed if meant(one.applies_to, group.facts)]
        why = "it holds at times only, and an export holds always"
        yield _gathered(group, compiled, [Left(f"(policy {one.id})", "every form", why) for one in mine])


def _gathered(group: Group, compiled: Compiled, left: list[Left]) -> Gathered:
    settings: dict[str, dict[str, tuple[str, ...]]] = {one.name: {} for one in BROWSERS}
    elsewhere: list[str] = []
    for name, row in compiled.settings.items():
        key = name.removesuffix(_OBSERVED)
        parts = {one.id: one for one in kinds.settings()[key].resources(row["value"])}
        of = [one for one in BROWSERS if one.resource in parts]
        if not of:
            elsewhere.append(key)
        elif row["observe"]:
            left.append(Left(key, "every browser", "its policy only observes"))
        else:
            _note(key, ((one, parts[one.resource]) for one in of), settings)
            others = [one.name for one in BROWSERS if one not in of]
            left += [Left(key, other, f"{other} has no policy for it") for other in others]
    policies = {one.name: one.policies(compiled) for one in BROWSERS}
    return Gathered(group, policies, settings, tuple(left), tuple(dict.fromkeys(elsewhere)))


def _note(
    key: str, parts: Iterable[tuple[Browser, object]], settings: dict[str, dict[str, tuple[str, ...]]]
) -> None:
    for browser, part in parts:
        assert isinstance(part, Managed)  # noqa: S101
        for policy in browser.of(part):
            settings[browser.name][policy] = (*settings[browser.name].get(policy, ()), key)
