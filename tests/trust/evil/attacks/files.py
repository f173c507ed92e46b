"""Attacks with files: what lies in the mirror is not what it seems, or far too much of it."""

from __future__ import annotations

import os
from collections.abc import Callable

from tests.trust.evil.bench import Bench
from tests.trust.evil.desk import Files
from tests.trust.evil.table import attack

Took = Callable[[], bool]


def spoiling(name: str, change: Callable[[bytes], bytes]) -> Callable[[Bench, bool], Took]:
    def play(bench: Bench, evil: bool) -> Took:
        bench.settle()
        bench.north.policy(bench.at, wanted="wanted: yes\n")
        files: Files = dict(bench.north.publish(bench.at))
        place = next(one for one in sorted(files, reverse=True) if one.endswith(name))
        if evil:
            files[place] = change(files[place])
        bench.refresh(files)
        return lambda: bench.holds("policy/ict/wanted.yaml")

    return play


_PAGE = b"<!doctype html><html><body>Please sign in to the Wi-Fi</body></html>"
for _what, _change, _codes in (
    ("a_web_page", lambda data: _PAGE, ("network",)),
    ("empty", lambda data: b"", ("bad-metadata",)),
    ("zeroed", lambda data: bytes(len(data)), ("bad-json", "bad-metadata")),
    ("cut_short", lambda data: data[: len(data) // 2], ("bad-json", "bad-metadata")),
    ("grown", lambda data: data + b" " * (1 << 20), ("too-large", "bad-metadata")),
    ("deep", lambda data: b"[" * 100_000, ("bad-json", "too-large")),
):
    for _role in ("timestamp", "snapshot", "targets", "policy-ict"):
        _play = spoiling(f"{_role}.json", _change)
        _play.__name__ = f"{_role.replace('-', '_')}_{_what}"
        attack(*_codes, "bad-metadata", "too-large", "network", step="refresh")(_play)


@attack("bad-json", step="refresh")
def one_key_twice(bench: Bench, evil: bool) -> Took:
    """The signature holds for the last of two `signed`; another reader might take the first."""
    bench.settle()
    files = dict(bench.north.refresh(bench.at))
    if evil:
        name = "metadata/timestamp.json"
        files[name] = files[name].replace(b'"signed":', b'"signed":{},"signed":', 1)
        assert files[name].count(b'"signed":') == 2
    bench.refresh(files)
    return bench.accepted


def placed(place: Callable[[str, bytes], object]) -> Callable[[Bench, bool], Took]:
    """The mirror's timestamp is genuine, but not a plain file of its own."""

    def play(bench: Bench, evil: bool) -> Took:
        bench.settle()
        files = bench.north.refresh(bench.at)
        bench.laptop.serve(files)
        if evil:
            path = os.path.join(bench.laptop.mirror, "metadata", "timestamp.json")
            os.unlink(path)
            place(path, files["metadata/timestamp.json"])
        bench.refresh()
        return bench.accepted

    return play


def _link(path: str, data: bytes) -> None:
    elsewhere = f"{path}.elsewhere"
    with open(elsewhere, "wb") as file:
        file.write(data)
    os.symlink(elsewhere, path)


def _hard_link(path: str, data: bytes) -> None:
    elsewhere = f"{path}.elsewhere"
    with open(elsewhere, "wb") as file:
        file.write(data)
    os.link(elsewhere, path)


def _huge(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.truncate(1 << 30)


for _what, _place, _codes in (
    ("link", _link, ("bad-path",)),
    ("hard_link", _hard_link, ("bad-path",)),
    ("fifo", lambda path, data: os.mkfifo(path), ("bad-path",)),
    ("folder", lambda path, data: os.mkdir(path), ("bad-path",)),
    ("gigabyte", _huge, ("too-large",)),
):
    _play = placed(_place)
    _play.__name__ = f"timestamp_is_a_{_what}"
    attack(*_codes, step="Mirror")(_play)


@attack("bad-path", step="Mirror")
def metadata_folder_is_a_link(bench: Bench, evil: bool) -> Took:
    bench.settle()
    files = bench.north.refresh(bench.at)
    bench.laptop.serve(files)
    if evil:
        here = os.path.join(bench.laptop.mirror, "metadata")
        os.rename(here, f"{here}.elsewhere")
        os.symlink(f"{here}.elsewhere", here)
    bench.refresh()
    return bench.accepted


@attack("bad-path", step="Mirror")
def files_of_another_owner(bench: Bench, evil: bool) -> Took:
    bench.settle()
    bench.laptop.serve(bench.north.refresh(bench.at))
    bench.refresh(owner=os.geteuid() + (1 if evil else 0))
    return bench.accepted


@attack("too-large", step="Mirror")
def many_files_of_allowed_size(bench: Bench, evil: bool) -> Took:
    """Each within its cap, all together beyond what root reads in one go."""
    bench.settle()
    roles = 64 if evil else 8
    data = {f"n{number}.yaml": bytes([number]) + b"#" * (255 << 10) for number in range(roles)}
    forge = bench.forge()
    for role, by in (("ict", "ann"), ("year", "eve")):
        signed = forge.role(f"policy-{role}")
        signed["version"] += 1
        forge.documents(signed, "policy", role, data)
        forge.put(f"policy-{role}", signed, (by,))
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.holds("policy/ict/n0.yaml") and bench.holds("policy/year/n0.yaml")


@attack("bad-metadata", "bad-json", step="refresh")
def version_that_is_no_number(bench: Bench, evil: bool) -> Took:
    bench.settle()
    forge = bench.forge()
    bench.refresh(forge.finish(at=bench.at, stamp=lambda it: it.update(version="99" if evil else 99)))
    return bench.accepted


@attack("bad-metadata", step="check_time")
def timestamp_without_its_signing_time(bench: Bench, evil: bool) -> Took:
    bench.settle()
    forge = bench.forge()
    bench.refresh(forge.finish(at=bench.at, stamp=(lambda it: it.pop("signed_at")) if evil else None))
    return bench.accepted
