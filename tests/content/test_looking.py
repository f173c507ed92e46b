"""The content worker's look: what arrives becomes readable at once when it is whole, what works is never
lost, what there is no room for goes in the order of its value, and every item says why it is not here.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.content import looking, shelf
from agent.content.library import Library
from agent.content.marks import DAMAGED, leave
from agent.content.scrubbing import scrub
from agent.core.errors import BookbagError
from tests.content.bench import Bench, check_store

NOISE = random.Random(11).randbytes(1 << 20)


def pages(word: str, count: int = 4) -> dict[str, bytes]:
    return {
        f"p{number}.html": f"<title>{word} {number}</title>{word * 500}".encode() for number in range(count)
    }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_nothing_opens_before_all_of_it_is_here(bench: Bench) -> None:
    packed = bench.pack({**pages("rivers"), "map.png": NOISE[:200_000]})
    wish = bench.wish("rivers", packed)
    looked = bench.look(wish)
    assert [one.sha256 for one in looked.missing] == [packed.sha256]
    assert (bench.item("rivers").state, bench.item("rivers").percent) == ("waiting", 0)
    for number in range(1, len(bench.blobs(packed))):
        bench.deliver(packed, most=number)
        bench.look(wish)
        item = bench.item("rivers")
        assert not item.opens
        assert item.percent < 100
    bench.deliver(packed)
    assert bench.look(wish).missing == ()
    assert (bench.item("rivers").state, bench.item("rivers").percent) == ("ready", 100)
    assert bench.read("rivers") == {**pages("rivers"), "map.png": NOISE[:200_000]}


def test_what_is_left_over_in_the_spool_is_said_and_what_is_awaited_is_not(bench: Bench) -> None:
    packed = bench.pack({**pages("rivers"), "map.png": NOISE[:200_000]})
    wish = bench.wish("rivers", packed)
    assert not bench.look(wish).leftover, "nothing is there at all"
    assert bench.deliver(packed, most=1) == 1
    looked = bench.look(wish)
    assert looked.leftover, "the manifest was copied, and lies there still"
    os.unlink(bench.spool / packed.sha256)
    (bench.spool / f"{looked.missing[0].sha256}.part").write_bytes(b"begun")
    assert not bench.look(wish).leftover
    (bench.spool / looked.missing[0].sha256).write_bytes(b"wrong")
    assert bench.look(wish).leftover, "it is fetched anew"
    os.unlink(bench.spool / looked.missing[0].sha256)
    assert bench.look().leftover, "of what is not wanted any more, too"


def test_a_new_version_switches_at_once_and_the_old_one_works_until_then(bench: Bench) -> None:
    files = {**pages("rivers"), "map.png": NOISE[:300_000]}
    first = bench.pack(files)
    bench.fetch(bench.wish("rivers", first))
    second_files = {**files, "p1.html": files["p1.html"] + b"<p>more", "new.png": NOISE[400_000:500_000]}
    second = bench.pack(second_files, first)
    wish = bench.wish("rivers", second)
    looked = bench.look(wish)
    item = bench.item("rivers")
    assert (item.state, item.edition, item.manifest) == ("updating", first.sha256, second.sha256)
    assert bench.read("rivers") == files
    bench.deliver(second, most=2)
    bench.look(wish)
    assert bench.read("rivers") == files
    bench.fetch(wish)
    assert bench.item("rivers").state == "ready"
    assert bench.read("rivers") == second_files
    assert looked.asked is False


def test_the_old_version_stays_while_somebody_reads_it(bench: Bench) -> None:
    first, second = bench.pack(pages("one")), bench.pack(pages("two"))
    bench.fetch(bench.wish("rivers", first))
    library = Library(str(bench.store))
    page = library.page("ict.rivers")
    stream = library.open(page)
    (bench.store / "opened" / f"ict.rivers@{first.sha256}").unlink()  # not because it was opened lately
    bench.fetch(bench.wish("rivers", second))
    bench.look(bench.wish("rivers", second))
    assert bench.read("rivers") == pages("two")
    assert bench.read("rivers", first.sha256[:16]) == pages("one")
    data = b""
    while more := stream.read(100):
        data += more
    assert data == pages("one")["p0.html"]
    stream.close()
    for mark in (bench.store / "opened").glob("ict.*"):
        os.utime(mark, (1, 1))
    bench.look(bench.wish("rivers", second))
    assert not bench.shelf().kept
    assert bench.packs() == set(bench.blobs(second))


def test_the_old_version_stays_for_who_opened_it_a_moment_ago(bench: Bench) -> None:
    """A page was read; its pictures come with the next requests."""
    first, second = bench.pack(pages("one")), bench.pack(pages("two"))
    bench.fetch(bench.wish("rivers", first))
    library = Library(str(bench.store))
    library.open(library.page("ict.rivers")).close()
    bench.fetch(bench.wish("rivers", second))
    assert bench.shelf().kept == {"ict.rivers": (first.sha256,)}
    assert bench.read("rivers", first.sha256) == pages("one")
    mark = bench.store / "opened" / f"ict.rivers@{first.sha256}"
    os.utime(mark, (mark.stat().st_mtime - looking.READING - 60,) * 2)
    bench.look(bench.wish("rivers", second))
    assert not bench.shelf().kept


def test_what_is_no_longer_wanted_goes(bench: Bench) -> None:
    one, two = bench.pack(pages("one")), bench.pack({**pages("two"), "map.png": NOISE[:100_000]})
    bench.fetch(bench.wish("one", one), bench.wish("two", two))
    assert len(bench.packs()) == len(bench.blobs(one)) + len(bench.blobs(two))
    bench.look(bench.wish("two", two))
    assert bench.packs() == set(bench.blobs(two))
    assert [item.id for item in bench.shelf().items] == ["two"]
    assert len(list((bench.store / "editions").iterdir())) == 1
    bench.look()
    assert bench.packs() == set()


def test_two_items_share_packs_and_one_goes(bench: Bench) -> None:
    one = bench.pack({**pages("one"), "map.png": NOISE[:400_000]})
    bench.fetch(bench.wish("one", one), bench.wish("two", one))
    bench.look(bench.wish("two", one))
    assert bench.read("two")["map.png"] == NOISE[:400_000]


def test_room_goes_to_what_is_worth_most(bench: Bench) -> None:
    packed = {name: bench.pack({f"{name}.png": NOISE[at : at + 100_000]}) for at, name in enumerate("abcdef")}
    wishes = [
        bench.wish("a", packed["a"]),
        bench.wish("b", packed["b"], pin=True),
        bench.wish("c", packed["c"], due="2027-01-05"),
        bench.wish("d", packed["d"], due="2026-12-01"),  # over
    ]
    looked = bench.fetch(*wishes, room=210_000)
    assert {item.id: item.state for item in looked.shelf.items} == {
        "a": "over-quota",
        "b": "ready",
        "c": "ready",
        "d": "over-quota",
    }
    assert "more than there is room for" in bench.item("a").message


def test_what_nobody_opens_makes_room_for_what_is_pinned(bench: Bench) -> None:
    packed = {name: bench.pack({f"{name}.png": NOISE[at : at + 100_000]}) for at, name in enumerate("abc")}
    a, b = bench.wish("a", packed["a"]), bench.wish("b", packed["b"])
    bench.fetch(a, b, room=210_000)
    library = Library(str(bench.store))
    library.open(library.page("ict.b")).close()
    bench.fetch(a, b, bench.wish("c", packed["c"], pin=True), room=210_000)
    assert {item.id: item.state for item in bench.shelf().items} == {
        "a": "over-quota",
        "b": "ready",
        "c": "ready",
    }
    assert set(bench.packs()) == {*bench.blobs(packed["b"]), *bench.blobs(packed["c"])}


def test_a_version_too_large_for_the_room_does_not_cost_the_one_that_works(bench: Bench) -> None:
    first = bench.pack({"a.png": NOISE[:100_000]})
    bench.fetch(bench.wish("a", first), room=120_000)
    second = bench.pack({"a.png": NOISE[:300_000]})
    looked = bench.look(bench.wish("a", second), room=120_000)
    assert looked.missing == ()
    item = bench.item("a")
    assert (item.state, item.edition) == ("over-quota", first.sha256)
    assert bench.read("a") == {"a.png": NOISE[:100_000]}


def test_what_somebody_waits_for_comes_first(bench: Bench) -> None:
    packed = {name: bench.pack({f"{name}.png": NOISE[at : at + 9000]}) for at, name in enumerate("abc")}
    wishes = [bench.wish(name, packed[name], pin=name == "a") for name in "abc"]
    assert bench.look(*wishes).missing[0].sha256 == packed["a"].sha256
    looked = bench.look(*wishes, first=("ict.c",))
    assert (looked.missing[0].sha256, looked.asked) == (packed["c"].sha256, True)
    Library(str(bench.store)).want("ict.b")
    looked = bench.look(*wishes)
    assert (looked.missing[0].sha256, looked.asked) == (packed["b"].sha256, True)
    bench.fetch(*wishes)
    assert not list((bench.store / "opened").glob("*@want")), "nobody waits any more"


# -- what arrives is hostile until its hash says otherwise


def grown(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def linked(path: Path) -> None:
    path.rename(path.with_suffix(".away"))
    path.symlink_to(path.with_suffix(".away"))


def hard_linked(path: Path) -> None:
    os.link(path, path.with_suffix(".other"))


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def given_away(path: Path) -> None:
    os.chown(path, 12345, 12345)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        grown,
        flipped,
        linked,
        hard_linked,
        fifo,
        folder,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        given_away,
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_a_blob_that_is_not_what_it_should_be_is_named_and_not_taken(
    spoil: Callable[[Path], object], which: int, bench: Bench
) -> None:
    if spoil is given_away and os.geteuid():
        pytest.skip("only root gives files away")
    packed = bench.pack({"a.png": NOISE[:100_000]})
    wish = bench.wish("a", packed)
    bench.deliver(packed)
    name = bench.blobs(packed)[which]
    spoil(bench.spool / name)
    looked = bench.look(wish)
    assert looked.damaged == (name,)
    assert not bench.item("a").opens
    assert name in {one.sha256 for one in looked.missing}
    assert name not in bench.packs()


def test_a_crowd_of_strangers_in_the_spool_costs_nothing(bench: Bench) -> None:
    packed = bench.pack({"a.png": NOISE[:100_000]})
    for number in range(3000):
        (bench.spool / f"{number:064x}").write_bytes(b"")
    bench.deliver(packed)
    assert bench.look(bench.wish("a", packed)).damaged == ()
    assert bench.item("a").opens


def test_a_manifest_that_is_signed_and_wrong_is_refused_and_the_old_version_stays(bench: Bench) -> None:
    first = bench.pack(pages("one"))
    bench.fetch(bench.wish("a", first))
    data = b'{"v":1,"form":"site"}'
    name = hashlib.sha256(data).hexdigest()
    (bench.spool / name).write_bytes(data)
    bad = bench.wish("a", first, manifest=name, manifest_size=len(data))
    for _ in range(2):
        looked = bench.look(bad)
        assert (bench.item("a").state, bench.item("a").why) == ("refused", "bad-content")
        assert looked.missing == ()
        assert bench.read("a") == pages("one")


def test_sizes_that_differ_from_the_catalogue_are_refused(bench: Bench) -> None:
    """Room was made for what was signed in the catalogue."""
    packed = bench.pack({"a.png": NOISE[:100_000]})
    bench.deliver(packed)
    bench.look(bench.wish("a", packed, stored=10))
    assert (bench.item("a").state, bench.item("a").why) == ("refused", "bad-content")


# -- damage, and what heals


def test_a_pack_that_rots_is_found_hidden_and_fetched_again(bench: Bench) -> None:
    packed = bench.pack({"a.png": NOISE[:100_000], "b.html": b"<title>b</title>" * 100})
    wish = bench.wish("a", packed)
    bench.fetch(wish)
    store = Path(bench.store)
    rotten = packed.manifest.packs[0].sha256
    path = store / "packs" / rotten[:2] / rotten
    flipped(path)
    for blob in bench.spool.iterdir():
        blob.unlink()
    assert scrub(str(store)) == [rotten]
    looked = bench.look(wish)
    assert [one.sha256 for one in looked.missing] == [rotten]
    assert (bench.item("a").state, bench.item("a").opens) == ("mending", False)
    check_store(store)
    bench.look(wish)
    assert bench.item("a").state == "mending", "it stays so until it is whole"
    bench.fetch(wish)
    assert bench.item("a").state == "ready"
    assert bench.read("a")["a.png"] == NOISE[:100_000]


def test_an_index_that_rots_is_made_again_from_its_packs(bench: Bench) -> None:
    packed = bench.pack(pages("one"))
    wish = bench.wish("a", packed)
    bench.fetch(wish)
    (index,) = (bench.store / "editions").iterdir()
    index.write_bytes(b"no database" * 100)
    assert scrub(str(bench.store)) == [index.name]
    bench.look(wish)
    assert bench.read("a") == pages("one")


def test_a_pack_that_vanishes_is_noticed_at_the_next_look(bench: Bench) -> None:
    packed = bench.pack({"a.png": NOISE[:100_000]})
    wish = bench.wish("a", packed)
    bench.fetch(wish)
    gone = packed.manifest.packs[0].sha256
    (bench.store / "packs" / gone[:2] / gone).unlink()
    for blob in bench.spool.iterdir():
        blob.unlink()
    bench.look(wish)
    assert bench.item("a").state == "mending"
    check_store(Path(bench.store))


def test_a_lost_or_garbled_shelf_is_found_out_again(bench: Bench) -> None:
    packed = bench.pack(pages("one"))
    wish = bench.wish("a", packed)
    bench.fetch(wish)
    for data in (None, b"", b"{}", b'{"v":1,"items":[{}]}', b"\xff" * 100):
        path = bench.store / "shelf.json"
        path.unlink() if data is None else path.write_bytes(data)
        for blob in bench.spool.iterdir():
            blob.unlink()
        assert bench.look(wish).missing == (), "what is here is not fetched again"
        assert bench.read("a") == pages("one")


def test_a_scrub_goes_round(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = bench.pack({f"{number}.png": NOISE[number * 9000 :][:9000] for number in range(9)})
    bench.fetch(bench.wish("a", packed))
    monkeypatch.setattr("agent.content.scrubbing.AT_A_TIME", 1)
    seen = set()
    for _ in range(len(bench.packs())):
        assert scrub(str(bench.store)) == []
        seen.add((bench.store / "scrubbed").read_text())
    assert seen == bench.packs()


@pytest.mark.parametrize("what", ["packs/**/*", "editions/*.db"])
def test_a_reader_who_meets_damage_leaves_word_of_it_and_it_is_mended(bench: Bench, what: str) -> None:
    packed = bench.pack(pages("one"))
    bench.fetch(bench.wish("a", packed))
    mark = bench.store / "opened" / DAMAGED
    assert bench.read("a") == pages("one")
    assert not mark.exists(), "nobody met any"
    for file in [one for one in bench.store.glob(what) if one.is_file()]:
        file.chmod(0o640)
        file.write_bytes(b"damaged" * 100)
    with pytest.raises(BookbagError, match="cannot"):
        bench.read("a")
    assert mark.exists()
    assert scrub(str(bench.store), everything=True) != []
    bench.fetch(bench.wish("a", packed))
    assert bench.read("a") == pages("one")
    assert not mark.exists(), "word of it is taken once"


# -- marks are another user's


def test_marks_of_any_kind_break_nothing(bench: Bench) -> None:
    packed = bench.pack(pages("one"))
    bench.fetch(bench.wish("a", packed))
    opened = bench.store / "opened"
    (opened / "ict.a@want").symlink_to("/etc/passwd")
    os.mkfifo(opened / f"ict.a@{packed.sha256}")
    (opened / "x y z").write_bytes(b"x" * 1000)
    (opened / f"ict.b@{'0' * 64}").mkdir()
    leave(str(opened), f"ict.other@{'1' * 64}")
    bench.look(bench.wish("a", packed))
    assert bench.item("a").opens
    assert not (opened / f"ict.other@{'1' * 64}").exists(), "what nobody knows is forgotten"


def test_the_states_are_those_that_are_told() -> None:
    from agent.cli.content import STATES

    assert set(STATES) == set(shelf.STATES)
