"""What encrypted volumes do: they are counted and sampled without harm, and erased for good, in any state."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from agent.host.base import Volumes
from tests.contract.subject import get, refused

FIRST, SECOND = "the programme's own key", "what the student types"


@dataclass(frozen=True)
class Vault:
    """A laptop with one volume, which `FIRST` (slot 0) and `SECOND` (slot 1) open, and its data."""

    volumes: Volumes
    name: str  #: what the port calls it
    path: str  #: where it really lies
    opens: Callable[[str], bool]  #: whether a passphrase opens what is there now
    formats: tuple[str, ...]  #: of which its format is one

    def erased(self) -> None:
        """Check that nothing opens it any more, and that the port says so."""
        assert not self.opens(FIRST) and not self.opens(SECOND)
        assert self.volumes.keyslots(self.name).slots == ()


def overwrite(path: str, at: int, data: bytes) -> None:
    """Damage a file in place."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def check_both_passphrases_open_it_at_first(vault: Vault) -> None:
    """The control for everything below."""
    assert vault.volumes.names() == (vault.name,)
    assert vault.opens(FIRST) and vault.opens(SECOND) and not vault.opens("something else")


def check_looking_changes_nothing(vault: Vault) -> None:
    before = get(vault.path)
    found = vault.volumes.keyslots(vault.name)
    assert found.format in vault.formats
    assert found.slots == (0, 1)
    assert len(found.header) == 64
    assert vault.volumes.keyslots(vault.name) == found
    assert len(vault.volumes.sample(vault.name)) > 8
    assert vault.volumes.sample(vault.name) == vault.volumes.sample(vault.name)
    assert get(vault.path) == before


def check_the_sample_is_of_the_key_slots(vault: Vault) -> None:
    """One altered byte of a slot changes one block of the sample, and the header's mark."""
    before, mark = vault.volumes.sample(vault.name), vault.volumes.keyslots(vault.name).header
    whole = get(vault.path)
    at = next(at for at in range(len(whole) // 4, 0, -1) if whole[at] and whole[at - 8 : at + 8].count(0) < 3)
    overwrite(vault.path, at, bytes([whole[at] ^ 0xFF]))
    after = vault.volumes.sample(vault.name)
    assert len(set(before) ^ set(after)) == 2
    assert vault.volumes.keyslots(vault.name).header != mark


def check_an_erased_volume_opens_for_nobody(vault: Vault) -> None:
    before = vault.volumes.keyslots(vault.name)
    sample = set(vault.volumes.sample(vault.name))
    vault.volumes.erase_keys(vault.name)
    vault.erased()
    assert vault.volumes.keyslots(vault.name).header != before.header
    assert not sample & set(vault.volumes.sample(vault.name)), "no old block is left where the slots were"
    assert not sample & blocks(vault.path), "nor anywhere else"


def blocks(path: str) -> set[str]:
    """Every block of a file, named as a sample names it."""
    whole = get(path)
    return {hashlib.sha256(whole[at : at + 512]).hexdigest() for at in range(0, len(whole), 512)}


def check_erasing_again_is_nothing(vault: Vault) -> None:
    vault.volumes.erase_keys(vault.name)
    before = get(vault.path)
    vault.volumes.erase_keys(vault.name)
    assert get(vault.path) == before
    vault.erased()


def check_the_data_stay_where_they_are(vault: Vault) -> None:
    """Only keys are erased: as quick for a large disk as for a small one."""
    size = os.path.getsize(vault.path)
    tail = get(vault.path)[-4096:]
    vault.volumes.erase_keys(vault.name)
    assert os.path.getsize(vault.path) == size
    assert get(vault.path)[-4096:] == tail


def check_a_damaged_header_is_erased_all_the_same(vault: Vault) -> None:
    """What cannot be opened today may be mended tomorrow, as long as the slots are there."""
    sample = set(vault.volumes.sample(vault.name))
    overwrite(vault.path, 0, b"\xff" * 512)
    vault.volumes.erase_keys(vault.name)
    assert not sample & set(vault.volumes.sample(vault.name))
    vault.erased()


def check_a_header_that_is_gone_opens_nothing_and_is_erased(vault: Vault) -> None:
    sample = set(vault.volumes.sample(vault.name))
    size = min(os.path.getsize(vault.path), 4 << 20)
    for at in (0, 0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000):
        if at < size and get(vault.path)[at : at + 4] in (b"LUKS", b"SKUL", b'{"v"'):
            overwrite(vault.path, at, b"\0" * 512)
    assert vault.volumes.keyslots(vault.name).format == "none"
    assert not vault.opens(FIRST)
    vault.volumes.erase_keys(vault.name)
    assert not sample & blocks(vault.path)
    vault.erased()


def check_a_truncated_volume_is_erased_as_far_as_it_goes(vault: Vault) -> None:
    sample = set(vault.volumes.sample(vault.name))
    short = max(4096 + 512, os.path.getsize(vault.path) // 100)
    os.truncate(vault.path, short)
    vault.volumes.erase_keys(vault.name)
    assert os.path.getsize(vault.path) == short
    assert not sample & blocks(vault.path)
    vault.erased()
    for size in (511, 1, 0):
        os.truncate(vault.path, size)
        vault.volumes.erase_keys(vault.name)
        vault.erased()
        assert os.path.getsize(vault.path) == size


def check_another_name_is_refused(vault: Vault) -> None:
    for name in ("", "/etc/passwd", vault.name + "x", "/dev/null", vault.path + "/../x"):
        if name != vault.name:
            for verb in (vault.volumes.keyslots, vault.volumes.sample, vault.volumes.erase_keys):
                refused("not-found", verb, name)


def check_a_link_in_its_place_is_not_followed(vault: Vault) -> None:
    real = f"{vault.path}.real"
    os.rename(vault.path, real)
    before = get(real)
    for target in (real, "/dev/null", "/nowhere"):
        os.symlink(target, vault.path)
        for verb in (vault.volumes.keyslots, vault.volumes.sample, vault.volumes.erase_keys):
            refused("bad-path", verb, vault.name)
        os.unlink(vault.path)
    assert get(real) == before
    for verb in (vault.volumes.keyslots, vault.volumes.sample, vault.volumes.erase_keys):
        refused("not-found", verb, vault.name)
    os.mkdir(vault.path)
    refused("bad-path", vault.volumes.erase_keys, vault.name)
    os.rmdir(vault.path)
    os.mkfifo(vault.path)
    refused("bad-path", vault.volumes.erase_keys, vault.name)
    os.unlink(vault.path)
    os.rename(real, vault.path)
    vault.volumes.erase_keys(vault.name)
    vault.erased()
