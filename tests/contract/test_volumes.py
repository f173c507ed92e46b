"""The contract of volumes over the laptop in a folder, and over real LUKS containers in regular files.

No block device is touched: what a container can show is shown here, and that a device is refused unless it
was recorded, in tests/host.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.choose import open_host
from agent.host.sandbox import trying, volumes
from agent.host.sandbox.facts import DISK
from tests.contract.checks import VOLUMES
from tests.contract.containers import TYPES, real
from tests.contract.volumes_checks import FIRST, SECOND, Vault
from tests.powercut import every_prefix, kill_at_every, say


def simulated(folder: Path) -> Vault:
    """The laptop in ``folder``, its disk made anew for our passphrases."""
    host = open_host(Layout(str(folder)))
    assert host.volumes is not None
    path = folder / DISK.lstrip("/")
    path.unlink()
    volumes.make(str(path), (FIRST, SECOND))
    opens = lambda passphrase: trying.open_volume(str(folder), passphrase) is not None  # noqa: E731
    return Vault(host.volumes, DISK, str(path), opens, ("luks2",))


@pytest.mark.parametrize("name", VOLUMES)
def test_a_simulated_volume(name: str, tmp_path: Path) -> None:
    VOLUMES[name](simulated(tmp_path))


@pytest.mark.needs("cryptsetup")
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", VOLUMES)
def test_a_real_container(name: str, kind: str, tmp_path: Path) -> None:
    VOLUMES[name](real(tmp_path, kind))


def test_a_new_laptop_has_a_disk_of_its_own(tmp_path: Path) -> None:
    open_host(Layout(str(tmp_path)))
    folder = str(tmp_path)
    assert trying.open_volume(folder, "student") == trying.open_volume(folder, "recovery") == b"diary"
    assert trying.open_volume(folder, "thief") is None


# -- cut short anywhere


def start(directory: Path) -> None:
    open_host(Layout(str(directory)))


def erase(directory: Path) -> None:
    host = open_host(Layout(str(directory)))
    assert host.volumes is not None
    host.volumes.erase_keys(DISK)
    say("erased")


def check(directory: Path, said: str) -> None:
    """Once said, nothing opens it; until then it may, and the next attempt erases it."""
    host = open_host(Layout(str(directory)))
    assert host.volumes is not None
    if not said:
        host.volumes.erase_keys(DISK)
    assert host.volumes.keyslots(DISK).slots == ()
    assert host.volumes.sample(DISK) == ()
    assert trying.open_volume(str(directory), "student") is None


def test_an_erasure_that_is_cut_short_is_finished_by_the_next() -> None:
    assert every_prefix(erase, start, check).states > 3
    assert kill_at_every(erase, start, check).points > 1
