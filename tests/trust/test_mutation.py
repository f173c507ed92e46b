"""Every step of verify-then-act, switched off, lets an attack through: there is no step that nothing depends
on.

The steps are the tuples named ``…STEPS`` in `agent.trust`, whatever they hold; a new one without an attack
that it alone stops fails here. A step that judges (``check_…``, ``compare_…``) must be missed by an attack
that then succeeds; of one that does something (reads, writes, commits) it also counts that what should work
no longer does.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

import agent.trust
from agent.trust import fetcher, mirror
from tests.trust.evil import attacks
from tests.trust.evil.bench import Bench
from tests.trust.evil.conftest import make_folder
from tests.trust.evil.table import ATTACKS, Attack

Step = Callable[..., object]
JUDGING = ("check_", "compare_")
assert attacks.__all__


def lists() -> Iterator[tuple[ModuleType, str, tuple[Step, ...]]]:
    """Every visible list of steps."""
    for found in pkgutil.iter_modules(agent.trust.__path__, "agent.trust."):
        if found.ispkg:
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if name.endswith("STEPS") and isinstance(value, tuple):
                yield module, name, value


STEPS = [(module, name, step) for module, name, steps in lists() for step in steps]
LABELS = [f"{module.__name__.rpartition('.')[2]}.{step.__name__}" for module, _, step in STEPS]


def succeeds(attack: Attack, evil: bool) -> bool:
    """Whether the attack (or its control) gets what it wants. Whatever breaks under way gets nothing."""
    folder = make_folder()
    bench = Bench(folder)
    try:
        return attack.play(bench, evil)()
    except Exception:  # a mutated program may fail in any way
        return False
    finally:
        bench.close()

        shutil.rmtree(folder)


def ordered(step: str) -> list[Attack]:
    """All attacks, those first that this step is meant to stop."""
    return sorted(ATTACKS.values(), key=lambda attack: attack.step != step)


def missed(step: str) -> Attack | None:
    """An attack that succeeds now."""
    return next((attack for attack in ordered(step) if succeeds(attack, True)), None)


def broken(step: str) -> Attack | None:
    """An attack whose control fails now, or that succeeds."""
    for attack in ordered(step):
        if not succeeds(attack, False) or (attack.step == step and succeeds(attack, True)):
            return attack
    return missed(step)


def test_there_are_lists_of_steps() -> None:
    assert {module.__name__ for module, _, _ in lists()} >= {
        "agent.trust.device",
        "agent.trust.orders",
        "agent.trust.roles",
    }
    assert len(STEPS) >= 30


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "step"), STEPS, ids=LABELS)
def test_no_step_can_be_left_out(
    module: ModuleType, name: str, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: tuple[Step, ...] = getattr(module, name)
    monkeypatch.setattr(module, name, tuple(one for one in steps if one is not step))
    label = step.__name__
    found = missed(label) if label.startswith(JUDGING) else broken(label)
    assert found, f"without {label} nothing changes: which attack is it there for?"
    monkeypatch.undo()
    assert not succeeds(found, True), f"{found.name} needs no mutation to succeed"
    assert succeeds(found, False), f"the control of {found.name} fails without any mutation"


@pytest.mark.slow
def test_judging_a_files_kind_cannot_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror.Mirror, "_judge", lambda *_: None)
    assert missed("Mirror")


@pytest.mark.slow
def test_strict_parsing_cannot_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "check_metadata", lambda *_: None)
    assert succeeds(ATTACKS["one-key-twice"], True)


@pytest.mark.slow
def test_all_steps_together_let_nothing_through() -> None:
    """What the mutations are compared with: the same runner, and no attack succeeds."""
    for attack in (ATTACKS[name] for name in sorted(ATTACKS)[::7]):
        assert not succeeds(attack, True), attack.name
        assert succeeds(attack, False), attack.name
