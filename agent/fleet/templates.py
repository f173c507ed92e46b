"""The policies that come with Bookbag for schools to begin with, and the first tests of them."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.policy.desk.preview import template_tests, templates

#: Every school begins with the baseline; a kind of school adds its own.
BASELINE = "baseline"
#: What editors are told of policies, beside them: it works without a network, and a review sees what changed.
SCHEMA = "policy.schema.json"
_FOR_EDITORS = f"# yaml-language-server: $schema=../../{SCHEMA}\n".encode()
POLICIES, TESTS = "policies", "tests"
#: Stands for a laptop in the templates for one.
_LAPTOP = b"your-laptop"


def require(template: str) -> None:
    """Raises ``not-found`` if there is no such template."""
    there = _there()
    if template not in there:
        raise BookbagError(
            "not-found",
            f"cannot find a template {template[:40]!r}",
            remedy=f"there are: {', '.join(sorted(there))}",
        )


def described() -> Iterator[tuple[str, str]]:
    """(name, what it is for) of every template."""
    for name, data in sorted(_there().items()):
        lines = data.decode().partition("\npolicy:")[0].splitlines()
        yield name, " ".join(line.strip("# ") for line in lines).partition(". ")[0]


def begin(folder: Folder, template: str, role: str) -> list[str]:
    """Write the baseline and a template for a new folder; the policies' files. Raises ``not-found``, and
    ``bad-argument`` for one that is for a single laptop."""
    require(template)
    _device(folder, template, "")
    return [_write(folder, name, role)[0] for name in dict.fromkeys([BASELINE, template])]


def add(folder: Folder, template: str, role: str, laptop: str) -> tuple[str, ...]:
    """Write a template and its tests into ``folder``; ``role`` may be left out if only one has a rank to
    speak for; ``laptop`` names the one that a template for one is for.

    Raises ``not-found`` for an unknown name, role or laptop, ``bad-argument`` for a laptop too much or too
    few, ``conflict`` if a file of that name is there.
    """
    require(template)
    device = _device(folder, template, laptop)
    speaking = sorted(name for name, one in folder.site().roles.items() if one.ranks)
    if (role and role not in speaking) or (not role and len(speaking) != 1):
        what = f"cannot write it for a role {role[:40]!r}" if role else "cannot tell whose role it is for"
        raise BookbagError("not-found", what, remedy=f"--role one of {', '.join(speaking)}")
    for path in _paths(template, role or speaking[0], device):
        if (folder.root / path).exists():
            raise BookbagError(
                "conflict",
                "cannot write a template over a file",
                place=path,
                remedy="edit the one that is there, or give it another name first",
            )
    return _write(folder, template, role or speaking[0], laptop, device)


def _device(folder: Folder, template: str, laptop: str) -> str:
    """The number of ``laptop``; "" where the template is not for one."""
    alone = _LAPTOP in _there()[template]
    if alone is not bool(laptop):
        what = "is for one laptop" if alone else "is not for one laptop"
        remedy = "add --device NAME" if alone else "leave --device out"
        raise BookbagError("bad-argument", f"cannot write this template so: {template} {what}", remedy=remedy)
    if not alone:
        return ""
    device = folder.device(laptop).device
    if not device:
        raise BookbagError(
            "not-found", f"cannot name {laptop} in a policy: it has not enrolled yet", remedy="enrol it first"
        )
    return device


def _paths(template: str, role: str, device: str) -> tuple[str, str]:
    name = f"{template}-{device[:6]}" if device else template
    return f"{POLICIES}/{role}/{name}.yaml", f"{TESTS}/{name}.yaml"


def _write(folder: Folder, template: str, role: str, laptop: str = "", device: str = "") -> tuple[str, str]:
    """What is published names a laptop by its number only; the tests, which stay here, by its name."""
    policy, tests = _paths(template, role, device)
    data, expected = _there()[template], template_tests()[f"{template}.yaml"]
    if device:
        data = data.replace(_LAPTOP, device.encode())
        data = data.replace(b"policy: ", f"policy: {device[:6]}-".encode(), 1)
        expected = expected.replace(_LAPTOP, laptop.encode())
    folder.write(folder.root / policy, _FOR_EDITORS + data)
    folder.write(folder.root / tests, expected)
    return policy, tests


def _there() -> dict[str, bytes]:
    return {name.removesuffix(".yaml"): data for name, data in templates().items()}
