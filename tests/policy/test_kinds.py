"""The contract of every kind, found by listing: cases, reasons, an example that works, and polite
behaviour.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import pytest

from agent.core.model import Outcome
from agent.host.lacking import called
from agent.policy import kinds
from agent.policy.bases.graded import Graded
from agent.policy.bases.managed import Managed
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.desk.reference import entry
from agent.policy.resources.administrators import Administrators
from agent.policy.resources.agent import Agent
from agent.policy.resources.apt_settings import AptSettings
from agent.policy.resources.apt_source import AptSource
from agent.policy.resources.assurance import Assurance
from agent.policy.resources.block import Block
from agent.policy.resources.blocked_program import BlockedProgram
from agent.policy.resources.certificate import Certificate
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.resources.default_applications import DefaultApplications
from agent.policy.resources.default_printer import DefaultPrinter
from agent.policy.resources.directory import Directory
from agent.policy.resources.file import File
from agent.policy.resources.firefox import Firefox
from agent.policy.resources.firewall import Firewall
from agent.policy.resources.firmware_password import FirmwarePassword
from agent.policy.resources.firmware_switch import FirmwareSwitch
from agent.policy.resources.flatpak import Flatpak
from agent.policy.resources.flatpak_source import FlatpakSource
from agent.policy.resources.group import Group
from agent.policy.resources.homes import Homes
from agent.policy.resources.ini_keys import IniKeys
from agent.policy.resources.kept_packages import KeptPackages
from agent.policy.resources.kernel_modules import KernelModules
from agent.policy.resources.lid import Lid
from agent.policy.resources.login_hours import LoginHours
from agent.policy.resources.other_browser import OtherBrowser
from agent.policy.resources.package import Package
from agent.policy.resources.password_quality import PasswordQuality
from agent.policy.resources.power_button import PowerButton
from agent.policy.resources.printer import Printer
from agent.policy.resources.recording import Recording
from agent.policy.resources.resolvers import Resolvers
from agent.policy.resources.root_password import RootPassword
from agent.policy.resources.roster import Roster
from agent.policy.resources.service import Service
from agent.policy.resources.ssh_server import SshServer
from agent.policy.resources.sysctl import Sysctl
from agent.policy.resources.telemetry import Telemetry
from agent.policy.resources.timer import Timer
from agent.policy.resources.timesyncd import Timesyncd
from agent.policy.resources.timezone import Timezone
from agent.policy.resources.usb_rules import UsbRules
from agent.policy.resources.user import User
from agent.policy.resources.wifi import Wifi
from tests.contract.openpgp_keys import VENDOR
from tests.leaks import REPOSITORY
from tests.policy.machine import Machine, compiled, outcomes, source
from tests.policy.test_guarantees import words

CASES = REPOSITORY / "tests" / "cases"
SETTINGS = list(kinds.settings().values())
EXAMPLES: dict[str, Resource] = {
    "agent": Agent({"poll_s": 900}),
    "file": File(path="/usr/share/bookbag/x", content="x\n"),
    "directory": Directory("/usr/share/bookbag/x", "0750", "root", "games"),
    "chromium": Chromium(setting="homepage", policies={"HomepageLocation": "https://a.example/"}),
    "other-browser": OtherBrowser(place="edge", policies={"BookmarkBarEnabled": True}),
    "firefox": Firefox({"DisableFirefoxAccounts": True}),
    "blocked-program": BlockedProgram("/usr/games/lab-game"),
    "block": Block("/etc/hosts", ["0.0.0.0 a.example"]),
    "firmware-password": FirmwarePassword("firmware-admin"),
    "firmware-switch": FirmwareSwitch("usb-boot", off=True),
    "firewall": Firewall(["ssh"], ["web"]),
    "dconf": Dconf(group="x", values={"/org/gnome/desktop/screensaver/lock-delay": "uint32 0"}),
    "dconf-profile": DconfProfile(),
    "default-applications": DefaultApplications({"pdf": "org.gnome.Evince.desktop"}),
    "default-printer": DefaultPrinter(),
    "printer": Printer("office", "socket://192.0.2.9", "pdf", "Office", paper="letter"),
    "telemetry": Telemetry(records=["health"]),
    "administrators": Administrators(["ict"]),
    "kernel-modules": KernelModules("camera", blocked=True),
    "kept-packages": KeptPackages(["hello"]),
    "package": Package("hello", installed=True, held=True),
    "flatpak": Flatpak("org.gnome.Calculator//stable", installed=True, source="vendor"),
    "flatpak-source": FlatpakSource("vendor", "https://vendor.example/repo/", VENDOR),
    "lid": Lid("lock"),
    "usb-rules": UsbRules("camera", blocked=True),
    "homes": Homes("0700"),
    "ini-keys": IniKeys("/etc/gdm3/daemon.conf", {"daemon/TimedLoginEnable": "false"}),
    "login-hours": LoginHours(["mon-fri 07:30-16:00"]),
    "password-quality": PasswordQuality("good"),
    "group": Group("audio", members=["student"]),
    "user": User("lina", shown="Lina"),
    "apt-settings": AptSettings("updates", {"APT::Periodic::Enable": "1", "Some::List": ["a", "b"]}),
    "apt-source": AptSource("vendor", ["https://vendor.example"], ["stable"], ["main"], [], "x\n"),
    "certificate": Certificate("north", "x\n"),
    "power-button": PowerButton("sleep"),
    "assurance": Assurance("secure-boot", required=True),
    "recording": Recording(blocked=True),
    "root-password": RootPassword(barred=True),
    "resolvers": Resolvers(["9.9.9.9"], ["north.example"]),
    "service": Service("bluetooth.service", enabled=True, active=True),
    "ssh-server": SshServer("keys"),
    "sysctl": Sysctl("vm.swappiness", "10"),
    "roster": Roster(),
    "timer": Timer("apt-daily.timer", ["*-*-* 16:00:00"], 60),
    "timezone": Timezone("Africa/Cairo"),
    "timesyncd": Timesyncd(["time.example"]),
    "wifi": Wifi("pupils", "North", "wpa-personal", secret="pupils-wifi", priority=1),
}


def indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def furnish(machine: Machine, resource: Resource) -> None:
    """What has to be there before there is something to change."""
    if isinstance(resource, BlockedProgram):
        machine.write(resource.path, mode=0o755)


@pytest.mark.parametrize("kind", [*kinds.settings(), *kinds.resources()])
def test_every_kind_has_cases(kind: str) -> None:
    assert list((CASES / kind).glob("*.yaml")), f"add tests/cases/{kind}/*.yaml"


def test_the_place_of_a_kind_is_its_name() -> None:
    assert {name: one.key for name, one in kinds.settings().items()} == {key: key for key in kinds.settings()}
    assert {name: one.kind for name, one in kinds.resources().items()} == {k: k for k in kinds.resources()}


def test_names_and_single_kinds_load_nothing_else() -> None:
    code = (
        "import sys; from agent.policy import kinds; kinds.resource('file:/etc/motd');"
        "assert 'screen-lock.after' in kinds.settings(); kinds.settings()['browser.homepage'];"
        "print(*sorted(name for name in sys.modules if name.startswith('agent.policy.settings.browser.')"
        " or name.startswith('agent.policy.resources.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [
        "agent.policy.resources.chromium",
        "agent.policy.resources.file",
        "agent.policy.resources.firefox",
        "agent.policy.resources.other_browser",
        "agent.policy.settings.browser.homepage",
    ]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.key)
def test_every_setting_is_complete(setting: Setting, machine: Machine) -> None:
    assert {"en", "ar"} <= set(setting.why)
    assert all(20 < len(sentence) < 300 for sentence in setting.why.values())
    assert setting.about.endswith((".", ")."))
    assert setting.value.describe()
    policy = compiled(source("settings:\n" + indented(setting.example), power=bool(setting.powers)))
    assert not policy.refusals
    row = policy.settings[setting.key]
    assert row["shown"]
    assert row["why"] == setting.why
    resources = setting.compile(row["value"])
    assert resources
    assert all(one.effects or not isinstance(one, Chromium | Dconf) for one in resources), "no read-back"
    for one in resources:
        furnish(machine, one)
    looks = all(one.only_looks for one in resources)
    expected = set() if setting.offers else {Outcome.IN_FORCE if looks else Outcome.CHANGED}
    assert set(outcomes(machine.apply(policy)).values()) == expected


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.key)
def test_a_setting_says_whether_it_takes_two_persons(setting: Setting) -> None:
    """What its resources decide on the laptop (I-7), whatever its value, is what the reference page says."""
    rooted = []
    for value in words(setting.key):
        one = source("settings: " + json.dumps({setting.key: value}))
        refused = compiled(one).refusals
        assert all(row["code"] == "root-power" for row in refused)
        allowed = compiled(replace(one, power=True))
        assert not allowed.refusals and setting.key in allowed.settings
        rooted.append(bool(refused))
    assert any(rooted) is bool(setting.powers)
    assert ("- Takes two persons" in "\n".join(entry(setting))) is bool(setting.powers)


def test_two_persons_are_asked_for_where_the_machine_itself_is_changed() -> None:
    """The control: neither all nor none of them are."""
    powerful = {one.key for one in SETTINGS if one.powers}
    assert "time.servers" in powerful and "screen-lock.after" not in powerful


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.key)
def test_strictest_settings_can_compare(setting: Setting) -> None:
    if setting.merge is Merge.STRICTEST:
        numbers = (61, 60) if setting.key == "agent.report" else (60, 61)
        tight, loose = (setting.words[-1], setting.words[0]) if isinstance(setting, Graded) else numbers
        assert setting.tighter(tight, loose)
        assert not setting.tighter(loose, tight)
        assert not setting.tighter(tight, tight)
    assert not setting.tighter("x", "x")


def test_of_a_shared_resource_no_two_settings_give_the_same_part() -> None:
    """Or it would be the order of their names that decides."""
    given: dict[tuple[str, str, str], str] = {}
    for key, setting in kinds.settings().items():
        said = source("settings:\n" + indented(setting.example), power=True)
        value = compiled(said).settings[key]["value"]
        for one in setting.compile(value):
            if one.shared:
                assert isinstance(one, Managed | Agent), "teach this test what the parts of the new kind are"
                for part, decided in (one.policies if isinstance(one, Managed) else one.values).items():
                    for name in decided if isinstance(decided, dict) else [""]:
                        assert given.setdefault((one.id, part, name), key) == key
    assert len(given) > 8


@pytest.mark.parametrize("kind", kinds.resources())
def test_every_resource_keeps_the_contract(kind: str, machine: Machine) -> None:
    cls, resource = kinds.resources()[kind], EXAMPLES[kind]
    assert isinstance(resource, cls)
    assert cls.about.endswith(".")
    assert resource.id == f"{kind}:{resource.name}"
    assert cls.named(resource.name).id == resource.id
    assert cls(**json.loads(json.dumps(resource.record()))) == resource
    assert type(resource).power is not Resource.power, "a kind declares its power"
    with pytest.raises((FrozenInstanceError, TypeError, AttributeError)):
        resource.kind = "other"  # type: ignore[misc]
    furnish(machine, resource)
    before = machine.state()
    seen = resource.observe(machine.host)
    assert machine.state() == before, "looking changed something"
    resource.apply(machine.host, seen, resource.intended(seen))
    once = machine.state()
    again = resource.observe(machine.host)
    resource.apply(machine.host, again, resource.intended(again))
    assert machine.state() == once, "applying twice is not applying once"
    assert set(resource.checklist()) <= set(resource.paths())


def test_direct_kinds_document_each_key() -> None:
    for cls in kinds.resources().values():
        if cls.direct:
            assert cls.example
            assert all(key.about for key in cls.keys.values()), cls.kind
            assert list(cls.keys) == [one.name for one in fields(cls)]  # type: ignore[arg-type]
            body = "resources:\n" + indented(cls.example)
            assert not compiled(source(body, power=True)).refusals


@pytest.mark.parametrize("kind", kinds.resources())
def test_a_host_that_lacks_a_capability_is_told_politely(kind: str, machine: Machine) -> None:
    resource = EXAMPLES[kind]
    if not resource.needs:
        return
    policy = compiled(source(said_by(kind), power=True))
    whole, before = machine.host, machine.state()
    for need in resource.needs:
        machine.host = replace(whole, **{need: None})  # type: ignore[arg-type]
        found = machine.apply(policy)
        mine = [one for one in found.reports if one.resource.startswith(f"{kind}:")]
        assert {one.outcome for one in mine} == {Outcome.NOT_SUPPORTED}
        told = {one.message.removeprefix("cannot do this here: the machine has no ") for one in mine}
        assert told == {called(need)} and "_" not in called(need), "in words for people"
        assert not found.failed
        machine.apply(None)
        assert machine.state() == before


def said_by(kind: str) -> str:
    """What a document says that comes to a resource of ``kind``."""
    for setting in SETTINGS:
        body = "settings:\n" + indented(setting.example)
        if any(item.resource().kind == kind for item in compiled(source(body, power=True)).items()):
            return body
    return "resources:\n" + indented(kinds.resources()[kind].example)


def test_kinds_are_found_in_a_zip_too(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        for path in (REPOSITORY / "agent").rglob("*.py"):
            archive.write(path, path.relative_to(REPOSITORY))
    code = (
        f"import sys; sys.path.insert(0, {str(bundle)!r}); import agent;"
        "assert 'bundle.zip' in agent.__file__;"
        "from agent.policy import kinds; print(*kinds.settings(), *kinds.resources())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert run.stdout.split() == [*kinds.settings(), *kinds.resources()]
