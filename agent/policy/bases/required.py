"""Settings that say what a laptop has to be, which no policy can make it: it is looked for, and told."""

from __future__ import annotations

from typing import ClassVar, Final

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.assurance import Assurance

ANY, REQUIRED = "any", "required"
#: For the reference page, after what is looked for.
TOLD: Final = (
    "It is looked for and nothing else: where a laptop is otherwise, its student and IT are told so, and it "
    "counts as no failure."
)


class Required(Graded):
    """``what``: a word of `agent.host.assurances.KNOWN`."""

    what: ClassVar[str]
    words: ClassVar[tuple[str, ...]] = (ANY, REQUIRED)

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        return (Assurance(self.what, value == REQUIRED),)
