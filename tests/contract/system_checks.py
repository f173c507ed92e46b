"""Kernel, time, apt and authorities, as policy asks for them: the same of a laptop in a folder and of a real
one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TypeVar

from agent.host.apt import SOURCES
from agent.host.base import Host, Node
from agent.host.certificates import FOLDER, TRUSTED
from agent.host.timekeeping import ZONES
from tests.contract.openpgp_keys import VENDOR
from tests.contract.subject import refused

_Capability = TypeVar("_Capability")
SWITCH = "net.ipv4.ip_forward"
TIMESYNCD = "systemd-timesyncd.service"
NTP = "/etc/systemd/timesyncd.conf.d"
APT = "/etc/apt/apt.conf.d"
PARAGRAPH = f"""\
# A comment.
Types: deb
URIs: https://a.contract.example/deb https://b.contract.example/deb/
Suites: s
Components: main
Signed-By:
{"".join(f" {line or '.'}{chr(10)}" for line in VENDOR.splitlines())}
Types: deb
URIs: https://a.contract.example/deb https://b.contract.example/deb/
Suites: in/
Signed-By:
{"".join(f" {line or '.'}{chr(10)}" for line in VENDOR.splitlines())}"""
#: Lets it run where the clock is somebody else's: it asks, and sets nothing.
ANYWHERE = """\
[Unit]
ConditionVirtualization=
ConditionCapability=
[Service]
AmbientCapabilities=
CapabilityBoundingSet=
"""
#: Two authorities of one name, with keys of their own; they have run out, which is no matter here.
AUTHORITIES = (
    """\
-----BEGIN CERTIFICATE-----
MIIBNTCB3aADAgECAhBEiIoyFpqa438vSmVSM+hgMAoGCCqGSM49BAMCMBMxETAP
BgNVBAMMCENvbnRyYWN0MB4XDTI2MDEwMTAwMDAwMFoXDTI3MDEwMTAwMDAwMFow
EzERMA8GA1UEAwwIQ29udHJhY3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQt
SCALDLKkEi1YLQo/g9dee0aeuwGlD0ac1EEhsap5LSHBngncjlKSsEA56OQb5KDx
gHbLPl0VfJhgA/Siu4nEoxMwETAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMC
A0cAMEQCIHsMzMzcSr6Q0YM6LMUXoOgquV0fXxcIqEUCL28zQRrJAiAMngiWKqTU
iBoKdboIwE+ASQ1sEeNcPQbBaqUyUUTd1Q==
-----END CERTIFICATE-----
""",
    """\
-----BEGIN CERTIFICATE-----
MIIBNTCB3aADAgECAhBKSrR1UdBsLDaV6PBTck+PMAoGCCqGSM49BAMCMBMxETAP
BgNVBAMMCENvbnRyYWN0MB4XDTI2MDEwMTAwMDAwMFoXDTI3MDEwMTAwMDAwMFow
EzERMA8GA1UEAwwIQ29udHJhY3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATq
z7TGmwYKFXBGyRTB0VcjqQVT3Y2Hfn0Lo9FJ87dhtz0YUpZvIpBCKycH2BKspHqr
ailSXvO1jQoAJeDZAQzGoxMwETAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMC
A0cAMEQCIBKozBCpsbmsbblj8OsolcjYMELErlyi9gEv2yoH8DH0AiANJP3j1DLw
gLK9Vkpm53K41qB9j8nIKrDneSjON0FtOA==
-----END CERTIFICATE-----
""",
)


@dataclass(frozen=True)
class Furnished:
    """A machine that has all of these capabilities."""

    host: Host

    def put(self, path: str, text: str) -> None:
        """Write a file."""
        self.host.files.make_parents(path)
        self.host.files.write(path, Node("file", 0o644, content=text.encode()))


def there(capability: _Capability | None) -> _Capability:
    assert capability is not None
    return capability


# -- kernel


def check_a_switch_is_set_and_set_back(machine: Furnished) -> None:
    kernel = there(machine.host.kernel)
    before = kernel.value(SWITCH)
    assert before in ("0", "1")
    other = {"0": "1", "1": "0"}[before]
    for value in (other, other, before):
        kernel.set(SWITCH, value)
        assert kernel.value(SWITCH) == value


def check_what_the_kernel_does_not_take_is_told(machine: Furnished) -> None:
    kernel = there(machine.host.kernel)
    before = kernel.value(SWITCH)
    refused("not-effective", kernel.set, SWITCH, "much")
    assert kernel.value(SWITCH) == before
    assert kernel.value("kernel.no_such_switch") is None
    refused("not-effective", kernel.set, "kernel.no_such_switch", "1")


def check_what_is_no_switch_leads_nowhere(machine: Furnished) -> None:
    kernel = there(machine.host.kernel)
    for name in (
        "",
        "kernel",
        "../../etc/passwd",
        "net/ipv4/ip_forward",
        "net..ip_forward",
        "a b.c",
        "a.b\n",
    ):
        refused("bad-path", kernel.value, name)
        refused("bad-path", kernel.set, name, "1")
    for value in ("", "1\n2", "1;2", "$(x)", "x" * 2000):
        refused("bad-path", kernel.set, SWITCH, value)


# -- time


def check_programs_tell_the_time_of_the_zone_that_the_link_leads_to(machine: Furnished) -> None:
    time, files = there(machine.host.timekeeping), machine.host.files
    before = files.read("/etc/localtime")
    try:
        for zone, other in (("Africa/Cairo", "Asia/Kathmandu"), ("Asia/Kathmandu", "Africa/Cairo")):
            link = f"{ZONES}/{zone}".encode()
            files.make_parents("/etc/localtime")
            files.write("/etc/localtime", Node("symlink", 0o777, content=link))
            assert (time.tells(zone), time.tells(other)) == (True, False)
        assert time.has_zone("Africa/Cairo")
        assert not time.has_zone("Africa/Nowhere")
        for name in ("", "/etc/passwd", "Africa/../../etc/passwd", "EET", "Africa/Cairo\n"):
            refused("bad-path", time.has_zone, name)
            refused("bad-path", time.tells, name)
    finally:
        if before is None:
            files.remove("/etc/localtime")
        else:
            files.write("/etc/localtime", before)


def check_the_servers_are_those_that_were_taken_in(machine: Furnished) -> None:
    time, services = there(machine.host.timekeeping), there(machine.host.services)
    before = time.servers()
    machine.put(f"{NTP}/50-contract.conf", "[Time]\nNTP=\nNTP=one.example 192.0.2.1\n")
    services.take_in(TIMESYNCD)
    assert time.servers() == ("one.example", "192.0.2.1")
    machine.put(f"{NTP}/60-contract.conf", "[Time]\nNTP=two.example\n")
    services.take_in(TIMESYNCD)
    assert time.servers() == ("one.example", "192.0.2.1", "two.example")
    for name in ("50", "60"):
        machine.host.files.remove(f"{NTP}/{name}-contract.conf")
    machine.host.files.remove_empty([NTP])
    services.take_in(TIMESYNCD)
    assert time.servers() == before


def check_nobody_is_asked_where_it_does_not_run(machine: Furnished) -> None:
    services = there(machine.host.services)
    services.set_active(TIMESYNCD, False)
    refused("not-supported", there(machine.host.timekeeping).servers)
    assert not services.state(TIMESYNCD).active, "asking started it"


# -- apt


def check_the_last_file_of_apt_has_the_last_word(machine: Furnished) -> None:
    apt = there(machine.host.apt)
    assert apt.setting("Contract::Word") == apt.setting("Contract::List") == ()
    machine.put(f"{APT}/98contract", 'Contract::Word "one";\nContract::List { "a"; "${x}"; };\n')
    assert apt.setting("Contract::Word") == ("one",)
    assert apt.setting("contract::list") == ("a", "${x}")
    machine.put(f"{APT}/99contract", 'Contract::Word "two";\n#clear Contract::List;\nContract::List:: "c";\n')
    assert apt.setting("Contract::Word") == ("two",)
    assert apt.setting("Contract::List") == ("c",)
    for name in ("98", "99"):
        machine.host.files.remove(f"{APT}/{name}contract")
    assert apt.setting("Contract::Word") == apt.setting("Contract::List") == ()


def check_apt_looks_where_its_sources_say_and_nowhere_where_they_contradict(machine: Furnished) -> None:
    apt, files = there(machine.host.apt), machine.host.files
    before = apt.looks_for()
    one, two = (f"{SOURCES}/contract-{name}" for name in ("a.sources", "b.list"))
    machine.put(one, PARAGRAPH)
    try:
        assert apt.looks_for() - before == {
            *(f"https://{host}.contract.example/deb/dists/s/InRelease" for host in ("a", "b")),
            *(f"https://{host}.contract.example/deb/in/InRelease" for host in ("a", "b")),
        }
        machine.put(two, "deb [signed-by=/usr/share/x.asc] https://b.contract.example/deb/ s main\n")
        refused("not-effective", apt.looks_for)
        machine.put(two, "deb https://c.contract.example ./\n")
        assert "https://c.contract.example/./InRelease" in apt.looks_for()
        machine.put(one, "Types: deb\n")
        refused("not-effective", apt.looks_for)
    finally:
        for path in (one, two):
            files.remove(path)
    assert apt.looks_for() == before


def check_updates_are_installed_when_somebody_says_so(machine: Furnished) -> None:
    """There are none: what shows is that it was looked, and ended well."""
    apt = there(machine.host.apt)
    assert apt.updated() is None
    word = 'APT::Periodic::Enable "1";\nAPT::Periodic::Unattended-Upgrade "always";\n'
    machine.put(f"{APT}/99contract", word)
    apt.update()
    apt.update()
    end = time.monotonic() + 120
    while apt.updated() is None and time.monotonic() < end:
        time.sleep(0.2)
    updated = apt.updated()
    assert updated is not None and abs(updated - machine.host.clock.wall()) < 300
    machine.host.files.remove(f"{APT}/99contract")


# -- authorities


def check_an_authority_is_believed_as_long_as_its_file_is_there(machine: Furnished) -> None:
    certificates, files = there(machine.host.certificates), machine.host.files
    before, whole = files.names(TRUSTED), files.read(f"{TRUSTED}/ca-certificates.crt")
    paths = [f"{FOLDER}/bookbag-contract-{name}.crt" for name in ("a", "b")]
    for path, pem in zip(paths, AUTHORITIES, strict=True):
        machine.put(path, pem)
    assert not any(map(certificates.believes, paths))
    certificates.update()
    assert all(map(certificates.believes, paths))
    files.remove(paths[0])
    certificates.update()
    assert certificates.believes(paths[1]), "the other of the same name, which stood behind it"
    machine.put(f"{FOLDER}/unlisted", AUTHORITIES[0])
    assert not certificates.believes(f"{FOLDER}/unlisted")
    files.remove(f"{FOLDER}/unlisted")
    files.remove(paths[1])
    certificates.update()
    assert files.names(TRUSTED) == before
    assert files.read(f"{TRUSTED}/ca-certificates.crt") == whole
