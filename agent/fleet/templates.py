"""Which of the starter policies that come with Bookbag a kind of school begins with."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core.errors import BookbagError
from agent.policy.desk.preview import template_tests, templates

#: Every school begins with the baseline; a kind of school adds its own.
BASELINE = "baseline"


def require(template: str) -> None:
    """Raises ``not-found`` if there is no such template."""
    there = _there()
    if template not in there:
        raise BookbagError(
            "not-found",
            f"cannot find a template {template!r}",
            remedy=f"there are: {', '.join(sorted(there))}",
        )


def read(template: str) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of the baseline and of a template. Raises ``not-found``."""
    require(template)
    there = _there()
    for name in dict.fromkeys([BASELINE, template]):
        if name in there:
            yield f"{name}.yaml", there[name]


def tests(template: str) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of the first tests of the same policies."""
    there = template_tests()
    for name, _ in read(template):
        yield name, there[name]


def _there() -> dict[str, bytes]:
    return {name.removesuffix(".yaml"): data for name, data in templates().items()}
