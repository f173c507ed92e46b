"""Networks of Wi-Fi, as policy asks for them: the same of the laptop in a folder and of a real
NetworkManager, which needs no radio to know of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from agent.core.errors import BookbagError
from agent.host.base import Files, Node
from agent.host.wireless import (
    ENTERPRISE,
    FOLDER,
    LEAST,
    MODE,
    PEAP,
    PERSONAL,
    TTLS,
    Profile,
    Wireless,
    keyfile,
    path_of,
    uuid_of,
)

#: A whole certificate, as nobody knows what NetworkManager of tomorrow makes of half of one.
AUTHORITY = (
    "MIIBXDCCAQKgAwIBAgIQcgpsyz81Qd5PvbHqrqV+rTAKBggqhkjOPQQDAjAVMRMwEQYDVQQDDApOb3J0aCBIaWdoMB4XDTI2MDEw"
    "MTAwMDAwMFoXDTQ2MDEwMTAwMDAwMFowFTETMBEGA1UEAwwKTm9ydGggSGlnaDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPof"
    "My4Hw2mcqwduO425EVdGv/VpS5YFhdynR1wKTrdP0l1/acev/LvMdr8PsHOWZZJzLcQQvOKh/QJf/mhFHZKjNDAyMA8GA1UdEwEB"
    "/wQFMAMBAf8wHwYDVR0eAQH/BBUwE6ARMA+CDW5vcnRoLmV4YW1wbGUwCgYIKoZIzj0EAwIDSAAwRQIhAPXKDw4hk2c4TdEPzMQk"
    "iHKXh4O7SpKIfwdS3j309BdgAiBsHki0KWc+OdYropefesLShDoaGOyWslAEv92bPyt66Q=="
)
PUPILS = Profile("North Pupils", PERSONAL, priority=10, secret="four random little words")
STAFF = Profile(
    "North Staff",
    ENTERPRISE,
    eap=PEAP,
    outer="anonymous",
    authority=AUTHORITY,
    server="radius.north.example",
    identity="laptops",
    secret="Pass;word #7",
)


@dataclass(frozen=True)
class Joining:
    """A machine on which NetworkManager runs, and knows no network of ours."""

    wireless: Wireless
    files: Files

    def write(self, name: str, profile: Profile, mode: int = MODE) -> None:
        """Its file, which NetworkManager did not read yet."""
        self.files.make_parents(path_of(name))
        self.files.write(path_of(name), Node("file", mode, content=keyfile(name, profile).encode()))

    def know(self, name: str, profile: Profile, mode: int = MODE) -> Profile | None:
        """What NetworkManager makes of that file."""
        self.write(name, profile, mode)
        self.wireless.take_in(path_of(name))
        return self.settled(name, profile)

    def settled(self, name: str, profile: Profile) -> Profile | None:
        """What NetworkManager says of a network, when it says ``profile`` or two seconds later: while it
        reads again, others' files too, it may say less.
        """
        known = self.wireless.known(uuid_of(name))
        for _ in range(8):
            if known == profile:
                break
            time.sleep(0.25)
            known = self.wireless.known(uuid_of(name))
        return known

    def forget(self, name: str) -> None:
        """Neither the file, nor the network."""
        self.files.remove(path_of(name))
        self.wireless.take_in(path_of(name))


def check_a_network_is_known_from_when_its_file_was_taken_in(machine: Joining) -> None:
    assert machine.wireless.lacks() == ""
    assert machine.wireless.known(uuid_of("pupils")) is None
    machine.write("pupils", PUPILS)
    assert machine.wireless.known(uuid_of("pupils")) is None
    assert machine.know("pupils", PUPILS) == PUPILS
    other = replace(PUPILS, secret="another pass-phrase", priority=LEAST)
    machine.write("pupils", other)
    assert machine.wireless.known(uuid_of("pupils")) != other
    assert machine.know("pupils", other) == other
    machine.forget("pupils")
    assert machine.wireless.known(uuid_of("pupils")) is None


def check_every_kind_of_network_is_known_word_for_word(machine: Joining) -> None:
    for number, profile in enumerate(
        (
            Profile("North Guests", joins=False),
            replace(PUPILS, hidden=True, priority=-100),
            replace(PUPILS, ssid="مدرسة; \\ 1", secret="\\s #\"'; x=\\"),
            replace(PUPILS, secret="0123456789abcdef" * 4),
            STAFF,
            replace(STAFF, eap=TTLS, outer="", identity="lina\\x ü", secret="كلمة السر"),
        )
    ):
        assert machine.know(f"n-{number}", profile) == profile
    for number in range(6):
        machine.forget(f"n-{number}")


def check_other_networks_stay_as_they_are(machine: Joining) -> None:
    assert machine.know("pupils", PUPILS) == PUPILS
    assert machine.know("staff", STAFF) == STAFF
    machine.forget("staff")
    assert machine.settled("pupils", PUPILS) == PUPILS
    machine.forget("pupils")
    machine.wireless.take_in(f"{FOLDER}/bookbag-never.nmconnection")


def check_a_file_that_others_may_read_is_no_network(machine: Joining) -> None:
    try:
        found = machine.know("pupils", PUPILS, 0o644)
    except BookbagError as error:
        assert error.code == "not-effective"
        found = machine.wireless.known(uuid_of("pupils"))
    assert found is None
    assert machine.know("pupils", PUPILS) == PUPILS, "the control"
    machine.forget("pupils")
