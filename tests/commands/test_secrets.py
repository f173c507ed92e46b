"""Secrets that an order brings: kept for root alone, all of them at once, and told to nobody."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.commands.secrets import Given, Secrets
from agent.core.errors import BookbagError
from agent.trust import mailbox, secretbox
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealPublicKey
from agent.trust.sealing import seal
from tests.commands.laptop import CommandLaptop
from tests.fleet.test_secrecy import finds

CANARY = "correct-horse-battery-7391"


def sealed(laptop: CommandLaptop, values: Mapping[str, str], to: SealPublicKey | None = None) -> str:
    identity = laptop.trust.identity
    box = secretbox.seal_values(values, laptop.school.site, identity.id, to or identity.seal_key.public)
    return base64.b64encode(box).decode()


def giving(laptop: CommandLaptop, values: Mapping[str, str], **more: object) -> bytes:
    args = {"names": sorted(values), "box": sealed(laptop, values), **more}
    return laptop.order("secrets", args=args)


def test_they_are_kept_for_root_alone_and_replaced_whole(laptop: CommandLaptop) -> None:
    laptop.obey(giving(laptop, {"staff-wifi": CANARY, "guest": "another one"}))
    assert laptop.parts().secrets.find("staff-wifi") == CANARY
    for name in ("secrets.json", "secrets.json.2"):
        assert (laptop.state / name).stat().st_mode & 0o777 == 0o600
    laptop.obey(giving(laptop, {"guest": "new"}))
    assert dict(laptop.parts().secrets.read().values) == {"guest": "new"}
    assert laptop.parts().secrets.find("staff-wifi") is None
    assert laptop.told() == [("secrets", "done", "")] * 2
    assert [dict(one.evidence) for one in laptop.receipts()] == [
        {"names": ["guest", "staff-wifi"]},
        {"names": ["guest"]},
    ]


def test_a_mailbox_with_them_looks_like_one_without(laptop: CommandLaptop) -> None:
    """I-6: the largest order that a laptop mostly has would be known by its size. The control: not padded."""
    to, assign = laptop.trust.identity.seal_key.public, laptop.school.order(laptop.trust)
    lock = laptop.order("lock", args={"message": {"en": "x" * 200, "ar": "م" * 200}, "contact": "x" * 60})
    some = giving(laptop, {f"name-of-wifi-{number}": "x" * 63 for number in range(12)})
    every = [[assign], [assign, lock], [assign, some], [assign, lock, some]]
    assert len({len(mailbox.seal_mailbox(one, to)) for one in every}) == 1
    assert len({len(seal(mailbox.make_mailbox(one), to)) for one in every}) > 1


def test_none_at_all_takes_them_away(laptop: CommandLaptop) -> None:
    laptop.obey(giving(laptop, {"staff-wifi": CANARY}))
    laptop.obey(giving(laptop, {}))
    assert not laptop.parts().secrets.read().values


def test_the_same_word_again_changes_nothing(laptop: CommandLaptop) -> None:
    order = giving(laptop, {"staff-wifi": CANARY})
    laptop.obey(order)
    count = laptop.parts().secrets.read().count
    laptop.obey(order)
    assert laptop.parts().secrets.read().count == count and len(laptop.told()) == 1


def test_nothing_of_a_value_is_anywhere_but_in_its_file(laptop: CommandLaptop) -> None:
    laptop.obey(giving(laptop, {"staff-wifi": CANARY}))
    found = finds(laptop.folder, CANARY)
    assert found == ["state/secrets.json", "state/secrets.json.2"], (
        "book, ledger, outbox, generation, mailbox"
    )
    assert finds(laptop.school.folder, CANARY) == []
    assert CANARY not in repr(laptop.parts().secrets.read())


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ({"names": ["staff-wifi", "other"]}, "bad-envelope"),
        ({"names": []}, "bad-envelope"),
        ({"box": base64.b64encode(b"BBS1" + bytes(4092)).decode()}, "bad-envelope"),
    ],
    ids=["more-than-sealed", "fewer", "no-box"],
)
def test_what_was_not_signed_so_is_not_taken(
    laptop: CommandLaptop, spoilt: dict[str, object], code: str
) -> None:
    laptop.obey(giving(laptop, {"staff-wifi": "before"}))
    laptop.obey(giving(laptop, {"staff-wifi": CANARY}, **spoilt))
    assert laptop.told()[1:] == [("secrets", "failed", code)]
    assert laptop.parts().secrets.find("staff-wifi") == "before"
    assert all(CANARY not in one.message for one in laptop.receipts())


def test_a_box_for_another_laptop_is_not_opened(laptop: CommandLaptop) -> None:
    other = DeviceIdentity.generate()
    box = sealed(laptop, {"staff-wifi": CANARY}, other.seal_key.public)
    laptop.obey(laptop.order("secrets", args={"names": ["staff-wifi"], "box": box}))
    assert laptop.told() == [("secrets", "failed", "bad-envelope")]
    plain = secretbox.seal_values({"a": "b"}, "north", other.id, laptop.trust.identity.seal_key.public)
    with pytest.raises(BookbagError, match="another laptop"):
        key = laptop.trust.identity.seal_key
        secretbox.open_values(plain, ("a",), "north", laptop.trust.identity.id, key)


def test_an_order_that_was_held_up_does_not_bring_back_what_was(tmp_path: Path) -> None:
    kept = Secrets(str(tmp_path / "secrets.json"))
    kept.put(Given({"a": "new"}, "me", 1, 7))
    with pytest.raises(BookbagError, match="newer"):
        kept.put(Given({"a": "old"}, "me", 1, 6))
    kept.put(Given({"a": "again"}, "me", 1, 7))
    kept.put(Given({"a": "anew"}, "me", 2, 1))
    assert kept.find("a") == "anew"
    kept.put(Given({"a": "another life"}, "you", 1, 1))
    assert kept.find("a") == "another life"
    kept.forget()
    assert kept.find("a") is None and not list(tmp_path.iterdir())


def test_one_damaged_copy_costs_nothing_and_both_are_no_secret(tmp_path: Path) -> None:
    kept = Secrets(str(tmp_path / "secrets.json"))
    kept.put(Given({"a": "b"}, "me", 1, 1))
    (tmp_path / "secrets.json").write_bytes(b"\0" * 50)
    assert kept.find("a") == "b"
    (tmp_path / "secrets.json.2").write_bytes(b"{}")
    with pytest.raises(BookbagError, match="cannot read either copy"):
        kept.find("a")
    kept.put(Given({"a": "c"}, "me", 1, 1))
    assert kept.find("a") == "c", "the next order mends it"


@pytest.mark.parametrize("value", ["", " padded", "two\nlines", "bell\a", "x" * 257, "é" * 129, 7, "\ud800"])
def test_what_can_be_no_secret_is_refused_and_not_told(value: object) -> None:
    with pytest.raises(BookbagError) as refused:
        secretbox.check_value(value)
    assert refused.value.code == "bad-argument"
    assert not str(value).strip() or str(value) not in str(refused.value).replace("cannot use", "")
    assert secretbox.check_value("x" * 256) and secretbox.check_value("كلمة السر ¡ok!")
