"""Every named attack is refused for a reason that it lists, and its positive control is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trust.evil import attacks
from tests.trust.evil.bench import Bench
from tests.trust.evil.table import ATTACKS, Attack

__all__ = ["attacks"]


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_attack_is_refused(name: str, folder: Path) -> None:
    attack = ATTACKS[name]
    bench = Bench(folder)
    try:
        took = attack.play(bench, True)
        assert not took(), f"{name} succeeded"
        assert not attack.codes or bench.codes & set(attack.codes), f"{bench.codes} instead of {attack.codes}"
    finally:
        bench.close()


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_the_same_without_the_attack_is_accepted(name: str, folder: Path) -> None:
    attack = ATTACKS[name]
    bench = Bench(folder)
    try:
        assert attack.play(bench, False)(), f"the control of {name} fails: {bench.codes}"
        assert bench.codes <= set(attack.beside), f"the control of {name} is not clean: {bench.codes}"
    finally:
        bench.close()


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) >= 30
    assert all(isinstance(one, Attack) for one in ATTACKS.values())
