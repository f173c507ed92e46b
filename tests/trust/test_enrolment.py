"""Enrolment: no trust on first use, one token for one laptop, and nobody on the way can change or swap a
request."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agent.core.errors import BookbagError
from agent.trust import enrolment
from agent.trust.enrolment import EnrolFile, EnrolRequest, Token, make_token, open_request, return_name
from agent.trust.identity import DeviceIdentity, device_id, mailbox_name, serial_hash
from agent.trust.keys import SealKey
from agent.trust.sealing import seal, unseal
from tests.trust.school import School


class Desk:
    """Tokens that were given out, each good once."""

    def __init__(self, school: School) -> None:
        self.school = school
        self.tokens: dict[str, bytes] = {}

    def token(self) -> Token:
        token = make_token()
        self.tokens[token.id] = token.secret
        return token

    def open(self, data: bytes, name: str) -> EnrolRequest:
        request = open_request(data, name, self.school.returns, self.tokens.get)
        del self.tokens[request.token]
        return request

    def refusal(self, data: bytes, name: str) -> str:
        with pytest.raises(BookbagError) as error:
            self.open(data, name)
        return error.value.code


@pytest.fixture
def desk(school: School) -> Desk:
    return Desk(school)


def ask(desk: Desk, token: Token, identity: DeviceIdentity | None = None) -> bytes:
    serial = serial_hash("north", "SN-1")
    return enrolment.make_request(identity or DeviceIdentity.generate(), token, desk.school.trust(), serial)


def test_a_request_reaches_the_desk_whole(desk: Desk) -> None:
    identity, token = DeviceIdentity.generate(), desk.token()
    request = desk.open(ask(desk, token, identity), return_name(token.id))
    assert (request.device, request.sign_key, request.seal_key) == (identity.id, *identity.public)
    assert (request.site, request.serial_sha256) == ("north", serial_hash("north", "SN-1"))


def test_the_unlock_key_is_escrowed_to_each_person(desk: Desk) -> None:
    identity, token = DeviceIdentity.generate(), desk.token()
    request = desk.open(ask(desk, token, identity), return_name(token.id))
    opened = {
        name: unseal(box, desk.school.people[name].seal, purpose="escrow") for name, box in request.escrow
    }
    assert opened == dict.fromkeys(("ada", "bo", "cy"), identity.unlock_key)


def test_a_token_is_good_once(desk: Desk) -> None:
    token = desk.token()
    data = ask(desk, token)
    desk.open(data, return_name(token.id))
    assert desk.refusal(data, return_name(token.id)) == "already-done"
    assert desk.refusal(ask(desk, token), return_name(token.id)) == "already-done"


def test_a_token_that_was_never_given_out_is_refused(desk: Desk) -> None:
    token = make_token()
    assert desk.refusal(ask(desk, token), return_name(token.id)) == "already-done"


def test_a_server_that_swaps_two_requests_is_caught(desk: Desk) -> None:
    one, two = desk.token(), desk.token()
    first, second = ask(desk, one), ask(desk, two)
    assert desk.refusal(first, return_name(two.id)) == "bad-signature"
    assert desk.refusal(second, return_name(one.id)) == "bad-signature"
    desk.open(first, return_name(one.id))
    desk.open(second, return_name(two.id))


def test_a_server_that_puts_its_own_laptop_in_is_caught(desk: Desk) -> None:
    """It knows the token's id from the name, and not the secret."""
    token = desk.token()
    assert desk.refusal(ask(desk, Token(token.id, bytes(16))), return_name(token.id)) == "bad-signature"
    desk.open(ask(desk, token), return_name(token.id))


@pytest.mark.parametrize("field", ["sign_key", "seal_key", "serial_sha256", "escrow", "site"])
def test_no_field_can_be_exchanged(desk: Desk, field: str) -> None:
    """Even by someone who can open and seal returns: the MAC covers keys, serial and escrow."""
    one, two = desk.token(), desk.token()
    mine, other = ask(desk, one), ask(desk, two)
    payloads = [
        json.loads(unseal(data, desk.school.returns, purpose="return")[64:]) for data in (mine, other)
    ]
    head = unseal(mine, desk.school.returns, purpose="return")[:64]
    changed = {
        **payloads[0],
        field: {"serial_sha256": "0" * 64, "site": "south"}.get(field, payloads[1][field]),
    }
    forged = seal(head + json.dumps(changed).encode(), desk.school.returns.public, purpose="return")
    assert desk.refusal(forged, return_name(one.id)) == "bad-signature"
    desk.open(mine, return_name(one.id))


def test_a_request_must_be_signed_by_the_laptop_it_names(desk: Desk) -> None:
    """Someone who knows a token's secret still cannot enrol a key that they do not hold."""
    token = desk.token()
    plain = unseal(ask(desk, token), desk.school.returns, purpose="return")
    forged = seal(bytes(64) + plain[64:], desk.school.returns.public, purpose="return")
    assert desk.refusal(forged, return_name(token.id)) == "bad-signature"


def test_a_request_sealed_to_another_desk_is_refused(desk: Desk) -> None:
    token = desk.token()
    data = ask(desk, token)
    with pytest.raises(BookbagError) as error:
        open_request(data, return_name(token.id), SealKey.generate(), desk.tokens.get)
    assert error.value.code == "bad-envelope"


def test_encodings_of_two_requests_never_meet(desk: Desk) -> None:
    """Lengths are part of what the MAC covers."""
    identity = DeviceIdentity.generate()
    sign, sealed = identity.public
    one = EnrolRequest("ab", "c" * 32, sign, sealed, "d" * 64, (("x", b"y"),), b"")
    two = replace(one, site="a", token="b" + "c" * 32)
    assert one.expected_mac(b"k" * 16) != two.expected_mac(b"k" * 16)
    assert one.expected_mac(b"k" * 16) == replace(one, mac=b"other").expected_mac(b"k" * 16)


def test_the_host_sees_one_size_and_no_name(desk: Desk) -> None:
    sizes = {len(ask(desk, desk.token())) for _ in range(3)}
    assert len(sizes) == 1
    assert sizes.pop() % 4096 == 0


# -- the enrol file


def enrol_file(school: School) -> EnrolFile:
    return EnrolFile(
        "north",
        ("https://bookbag.north.example/",),
        "-----BEGIN CERTIFICATE-----\n",
        school.repository.root_bytes(),
        make_token(),
    )


def test_an_enrol_file_reads_back_the_same(school: School) -> None:
    made = enrol_file(school)
    assert EnrolFile.from_bytes(made.to_bytes()) == made
    assert "secret" not in repr(made.token)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"v": 2}, "format-too-new"),
        ({"site": "North School"}, "bad-request"),
        ({"urls": ["ftp://x"]}, "bad-request"),
        ({"urls": "https://x"}, "bad-request"),
        ({"root": "%%%"}, "bad-request"),
        ({"token": {"id": "x", "secret": "00" * 16}}, "bad-request"),
        ({"token": {"id": "0" * 32, "secret": "00"}}, "bad-request"),
        ({"token": None}, "bad-request"),
    ],
)
def test_a_malformed_enrol_file_names_its_place(school: School, change: dict[str, object], code: str) -> None:
    data = json.dumps({**json.loads(enrol_file(school).to_bytes()), **change}).encode()
    with pytest.raises(BookbagError) as error:
        EnrolFile.from_bytes(data, place="enrol-laptop.json")
    assert error.value.code == code
    assert error.value.place.startswith("enrol-laptop.json")


def test_an_enrol_file_carries_its_own_sites_root(school: School) -> None:
    enrol_file(school).check_root()  # the positive control
    with pytest.raises(BookbagError) as error:
        replace(enrol_file(school), site="south").check_root()
    assert (error.value.code, error.value.place) == ("wrong-site", "enrol file:root")


@pytest.mark.parametrize("root", [b"", b"<html>", b"{}", b'{"signed": []}', b'{"signed": null}', b"[" * 99])
def test_a_root_that_is_none_is_refused_at_enrolment(school: School, root: bytes) -> None:
    with pytest.raises(BookbagError) as error:
        replace(enrol_file(school), root=root).check_root()
    assert (error.value.code, error.value.place) == ("bad-request", "enrol file:root")


@pytest.mark.parametrize("data", [b"", b"hello", b"{", b"[]", b'{"v": 1}', b"\x00" * 100, b"{" * 100_000])
def test_garbage_is_no_enrol_file(data: bytes) -> None:
    with pytest.raises(BookbagError) as error:
        EnrolFile.from_bytes(data, place="x.json")
    assert error.value.code in ("bad-json", "bad-request", "too-large")


# -- identity


def test_an_identity_reads_back_the_same() -> None:
    made = DeviceIdentity.generate()
    again = DeviceIdentity.from_bytes(made.to_bytes())
    assert (again.id, again.public, again.unlock_key) == (made.id, made.public, made.unlock_key)
    assert made.unlock_key.hex() not in repr(made)


@pytest.mark.parametrize("data", [b"", b"{}", b"\x00" * 64, b'{"v":1,"sign_key":"00"}'])
def test_a_damaged_identity_says_so(data: bytes) -> None:
    with pytest.raises(BookbagError) as error:
        DeviceIdentity.from_bytes(data, place="keys/identity.json")
    assert (error.value.code, error.value.place) == ("state-corrupt", "keys/identity.json")


def test_a_re_enrolled_laptop_is_another_device() -> None:
    one, two = DeviceIdentity.generate(), DeviceIdentity.generate()
    assert one.id != two.id
    assert one.id == device_id(one.public[0])
    names = {mailbox_name(site, one_of.id) for site in ("north", "south") for one_of in (one, two)}
    assert len(names) == 4
    assert all(len(name) == 32 for name in names)


def test_a_serial_is_spoken_of_by_a_salted_hash() -> None:
    assert serial_hash("north", "SN-1") != serial_hash("south", "SN-1")
    assert serial_hash("north", " SN-1\n") == serial_hash("north", "SN-1")
    assert serial_hash("north", "") != serial_hash("north", "SN-1")
