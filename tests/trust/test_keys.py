"""Keys, sealed boxes and envelopes: what holds, and each way in which it must not."""

from __future__ import annotations

import base64
import json

import pytest
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import SSlibKey

from agent.core.errors import BookbagError
from agent.trust import dsse
from agent.trust.keys import PublicKey, SealKey, SealPublicKey, SigningKey
from agent.trust.persons import Person
from agent.trust.sealing import BLOCK, seal, unseal
from tests.trust.school import Human

TYPE = dsse.ORDER_TYPE


def code(error: pytest.ExceptionInfo[BookbagError]) -> str:
    return error.value.code


def test_a_signature_verifies_and_an_altered_one_does_not() -> None:
    key = SigningKey.generate()
    signature = key.sign(b"yes")
    assert key.public.verifies(signature, b"yes")
    assert not key.public.verifies(signature, b"no")
    assert not SigningKey.generate().public.verifies(signature, b"yes")
    assert not key.public.verifies(signature[:-1], b"yes")


def test_private_keys_go_through_pem() -> None:
    key = SigningKey.generate()
    assert SigningKey.load_pem(key.to_pem(b"secret"), b"secret").public == key.public
    for passphrase in (b"wrong", None):
        with pytest.raises(BookbagError) as error:
            SigningKey.load_pem(key.to_pem(b"secret"), passphrase, place="keys/ada.pem")
        assert (code(error), error.value.place) == ("bad-key", "keys/ada.pem")


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(BookbagError) as error:
        SigningKey.load_pem(SealKey.generate().to_pem())
    assert code(error) == "bad-key"
    with pytest.raises(BookbagError) as error:
        SealKey.load_pem(SigningKey.generate().to_pem())
    assert code(error) == "bad-key"


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "AB" * 32, " " + "ab" * 31 + "a"])
def test_public_keys_are_read_strictly(text: str) -> None:
    with pytest.raises(BookbagError) as error:
        PublicKey.from_hex(text)
    assert code(error) == "bad-key"


@pytest.mark.parametrize("first", [0, 1])
def test_a_degenerate_public_key_is_refused(first: int) -> None:
    """Keys of small order accept signatures that nobody made."""
    with pytest.raises(BookbagError) as error:
        PublicKey(bytes([first]) + bytes(31))
    assert code(error) == "bad-key"


def test_key_ids_are_those_of_the_update_framework() -> None:
    key = SigningKey.generate().public
    listed = SSlibKey(key.keyid, "ed25519", "ed25519", {"public": key.hex})
    import hashlib

    canonical = encode_canonical(listed.to_dict())
    assert canonical is not None
    assert hashlib.sha256(canonical.encode()).hexdigest() == key.keyid


# -- sealed boxes


@pytest.mark.parametrize("size", [0, 1, 4000, 4040, 4041, 10_000])
def test_what_is_sealed_opens_for_its_key_alone(size: int) -> None:
    key = SealKey.generate()
    box = seal(b"x" * size, key.public)
    assert unseal(box, key) == b"x" * size
    assert len(box) % BLOCK == 0
    with pytest.raises(BookbagError) as error:
        unseal(box, SealKey.generate())
    assert code(error) == "bad-envelope"


def test_a_boxs_size_tells_only_blocks() -> None:
    key = SealKey.generate()
    assert len(seal(b"", key.public)) == len(seal(b"x" * 4000, key.public)) == BLOCK


def test_any_flipped_byte_spoils_a_box() -> None:
    key = SealKey.generate()
    box = seal(b"hello", key.public)
    for at in (0, 3, 4, 40, 100, len(box) - 1):
        bad = bytearray(box)
        bad[at] ^= 1
        with pytest.raises(BookbagError) as error:
            unseal(bytes(bad), key)
        assert code(error) == "bad-envelope"


@pytest.mark.parametrize("change", [lambda box: box[:-1], lambda box: box[:4096] * 200, lambda box: b""])
def test_boxes_of_impossible_size_are_refused(change: object) -> None:
    key = SealKey.generate()
    with pytest.raises(BookbagError) as error:
        unseal(change(seal(b"x", key.public)), key)  # type: ignore[operator]
    assert code(error) == "bad-envelope"


def test_a_purpose_is_bound_in() -> None:
    key = SealKey.generate()
    box = seal(b"unlock key", key.public, purpose="escrow")
    assert unseal(box, key, purpose="escrow") == b"unlock key"
    with pytest.raises(BookbagError) as error:
        unseal(box, key, purpose="mail")
    assert code(error) == "bad-envelope"


def test_too_much_is_not_sealed_and_a_degenerate_key_not_sealed_to() -> None:
    with pytest.raises(BookbagError) as error:
        seal(bytes(512 << 10), SealKey.generate().public)
    assert code(error) == "too-large"
    with pytest.raises(BookbagError) as error:
        seal(b"x", SealPublicKey(bytes(32)))
    assert code(error) == "bad-key"


# -- envelopes


def open_by(data: bytes, persons: list[Person], needed: int) -> tuple[str, ...]:
    return dsse.open_envelope(data, persons, needed, TYPE).persons


def test_two_persons_are_two() -> None:
    ada, bo = Human("ada"), Human("bo")
    envelope = dsse.sign(b"{}", TYPE, [ada.key])
    envelope = dsse.add_signature(envelope, bo.key)
    assert open_by(envelope, [ada.person(), bo.person()], 2) == ("ada", "bo")


def test_one_persons_two_keys_are_one_person() -> None:
    ada, bo = Human("ada"), Human("bo")
    envelope = dsse.sign(b"{}", TYPE, [ada.key, ada.second])
    assert open_by(envelope, [ada.person(), bo.person()], 1) == ("ada",)
    with pytest.raises(BookbagError) as error:
        open_by(envelope, [ada.person(), bo.person()], 2)
    assert code(error) == "under-signed"


def test_one_key_listed_for_two_persons_counts_for_neither() -> None:
    ada = Human("ada")
    twin = Person("twin", ada.person().keys, ada.seal.public)
    envelope = dsse.sign(b"{}", TYPE, [ada.key])
    with pytest.raises(BookbagError) as error:
        open_by(envelope, [ada.person(), twin], 2)
    assert code(error) == "duplicate-person"


def test_the_same_signature_twice_is_one() -> None:
    ada, bo = Human("ada"), Human("bo")
    value = json.loads(dsse.sign(b"{}", TYPE, [ada.key]))
    value["signatures"] *= 2
    value["signatures"][1] = {**value["signatures"][1], "keyid": ""}
    with pytest.raises(BookbagError) as error:
        open_by(json.dumps(value).encode(), [ada.person(), bo.person()], 2)
    assert code(error) == "under-signed"


def test_a_stranger_and_an_altered_payload_count_for_nothing() -> None:
    ada, stranger = Human("ada"), Human("stranger")
    with pytest.raises(BookbagError) as error:
        open_by(dsse.sign(b"{}", TYPE, [stranger.key]), [ada.person()], 1)
    assert code(error) == "bad-signature"
    value = json.loads(dsse.sign(b"{}", TYPE, [ada.key]))
    value["payload"] = base64.b64encode(b"{ }").decode()
    with pytest.raises(BookbagError) as error:
        open_by(json.dumps(value).encode(), [ada.person()], 1)
    assert code(error) == "bad-signature"


def test_nothing_needed_still_needs_somebody() -> None:
    ada, stranger = Human("ada"), Human("stranger")
    with pytest.raises(BookbagError):
        open_by(dsse.sign(b"{}", TYPE, [stranger.key]), [ada.person()], 0)


def test_signing_twice_changes_nothing() -> None:
    ada = Human("ada")
    envelope = dsse.sign(b"{}", TYPE, [ada.key])
    assert dsse.add_signature(envelope, ada.key) == envelope


def test_an_envelope_of_another_type_is_refused() -> None:
    ada = Human("ada")
    envelope = dsse.sign(b"{}", dsse.ENROL_TYPE, [ada.key])
    with pytest.raises(BookbagError) as error:
        open_by(envelope, [ada.person()], 1)
    assert code(error) == "bad-envelope"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"<html>sign in</html>",
        b'{"payloadType": "x", "payload": "e30=", "signatures": [{}]}',
        b'{"payloadType": "x", "payload": "!!!!", "signatures": []}',
        b'{"payloadType": "x", "payload": "e30=", "payload": "e30=", "signatures": []}',
        b'{"payloadType": "x", "payload": "e30=", "signatures": [' + b'{"sig": ""},' * 16 + b'{"sig": ""}]}',
        b"[" * 100_000,
        b" " * (dsse.MOST_BYTES + 1),
    ],
)
def test_malformed_envelopes_are_refused_with_one_code(data: bytes) -> None:
    with pytest.raises(BookbagError) as error:
        dsse.parse(data)
    assert code(error) == "bad-envelope"
