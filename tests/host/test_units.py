"""The unit files: systemd understands them, and what each service is exposed to does not grow."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.linux.pam import GATE as RULES
from agent.host.locking.boot_target import LOCK, LOCKER, WAYS_IN
from agent.host.locking.login_gate import OPEN, PATH
from agent.host.workers import SLICE
from agent.policy.resources.login_hours import PATH as HOURS
from agent.portal.sockets import PORT
from tests.leaks import REPOSITORY

INSTALLER = REPOSITORY / "installer"
UNITS = INSTALLER / "systemd"
#: Ten times the exposure that `systemd-analyze security` reckons (0 best, 100 worst).
EXPOSURE = {
    "bookbag.service": 12,
    "bookbag-firewall.service": 20,
    "bookbag-flatpaks.service": 45,
    "bookbag-flatpaks-fetch.service": 20,
    "bookbag-packages.service": 67,
    "bookbag-packages-fetch.service": 11,
    "bookbag-packages-lists.service": 27,
    "bookbag-portal.service": 7,
    "bookbag-worker-ask@x.service": 11,
    "bookbag-worker-command@x.service": 22,
    "bookbag-locker@x.service": 5,
    "bookbag-worker-configure@x.service": 7,
    "bookbag-worker-content@x.service": 7,
    "bookbag-worker-enforce@x.service": 33,
    "bookbag-worker-enrol@x.service": 18,
    "bookbag-worker-erase@x.service": 23,
    "bookbag-worker-explain@x.service": 20,
    "bookbag-worker-sync@x.service": 11,
    "bookbag-worker-telemetry@x.service": 6,
}
USERS = {"sync": ["bookbag-sync"], "telemetry": ["bookbag-sync"], "content": ["bookbag-content"]}
WORKERS = sorted(
    path.name[len("bookbag-worker-") : -len("@.service")] for path in UNITS.glob("bookbag-worker-*@.service")
)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, starting a program that is there."""
    copy = tmp_path / "units"
    shutil.copytree(UNITS, copy)
    for path in copy.glob("*.service"):
        path.write_text(path.read_text(encoding="utf-8").replace("/usr/bin/bookbag", "/bin/true"), "utf-8")
    return copy


def analyze(units: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def names() -> list[str]:
    """Every unit, templates with an instance."""
    return [path.name.replace("@", "@x") for path in sorted(UNITS.iterdir()) if path.is_file()]


@pytest.mark.needs("systemd-analyze")
def test_systemd_understands_every_unit(units: Path) -> None:
    assert len(names()) == 34
    result = analyze(units, "verify", "--man=no", *names())
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.needs("systemd-analyze")
def test_a_mistake_in_a_unit_is_noticed(units: Path) -> None:
    unit = units / "bookbag.service"
    unit.write_text(unit.read_text("utf-8").replace("WatchdogSec=60", "WatchdogSecs=60"), "utf-8")
    assert "WatchdogSecs" in analyze(units, "verify", "--man=no", "bookbag.service").stderr


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize(("unit", "most"), EXPOSURE.items())
def test_no_service_is_more_exposed_than_it_was(units: Path, unit: str, most: int) -> None:
    ask = ("security", "--offline=true", "--no-pager", f"--threshold={most}", unit)
    result = analyze(units, *ask)
    assert result.returncode == 0, result.stdout[-300:]
    loosened = units / "bookbag-worker-.service.d/10-every-worker.conf"
    if unit.startswith("bookbag-worker-"):
        loosened.unlink()  # the control: what all workers share does count
        assert analyze(units, *ask).returncode != 0


def settings(unit: str) -> dict[str, list[str]]:
    """Key → values of a unit file, in order."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_every_service_has_its_exposure_judged() -> None:
    assert set(EXPOSURE) == {name for name in names() if name.endswith(".service")}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_is_started_where_the_resident_looks_for_it(worker: str) -> None:
    socket = settings(f"bookbag-worker-{worker}.socket")
    assert socket["ListenStream"] == [Layout().worker_socket(worker)]
    assert (socket["Accept"], socket["SocketMode"]) == (["yes"], ["0600"])
    service = settings(f"bookbag-worker-{worker}@.service")
    assert service["ExecStart"] == [f"/usr/bin/bookbag worker {worker}"]
    for bound in (
        "RuntimeMaxSec",
        "MemoryMax",
        "TasksMax",
        "CapabilityBoundingSet",
        "RestrictAddressFamilies",
    ):
        assert service[bound], bound
    shared = settings("bookbag-worker-.service.d/10-every-worker.conf")
    assert f"/sys/fs/cgroup/{shared['Slice'][0]}" == SLICE, "or it could not be stopped"


@pytest.mark.parametrize("worker", WORKERS)
def test_what_a_worker_says_for_itself_is_not_said_again_for_all(worker: str) -> None:
    """The drop-in of all workers is read after a unit and would win; what is to differ is a later drop-in."""
    shared = settings("bookbag-worker-.service.d/10-every-worker.conf")
    assert not set(settings(f"bookbag-worker-{worker}@.service")) & set(shared)
    for path in UNITS.glob(f"bookbag-worker-{worker}@.service.d/*"):
        assert path.name > "10-every-worker.conf"


@pytest.mark.needs("systemd-analyze")
def test_one_worker_alone_sees_disks(units: Path) -> None:
    for worker in WORKERS:
        unit = f"bookbag-worker-{worker}@x.service"
        judged = analyze(units, "security", "--offline=true", "--no-pager", "--json=short", unit).stdout
        private = next(one for one in json.loads(judged) if one["json_field"] == "PrivateDevices")
        assert private["set"] == (worker != "erase"), worker


def test_only_the_sync_worker_may_use_the_internet_and_it_is_not_root() -> None:
    for worker in WORKERS:
        service = settings(f"bookbag-worker-{worker}@.service")
        online = "AF_INET" in service["RestrictAddressFamilies"][0]
        assert online == (worker == "sync")
        assert service.get("User", []) == USERS.get(worker, [])
    sync = settings("bookbag-worker-sync@.service")
    assert (sync["User"], sync["CapabilityBoundingSet"]) == (["bookbag-sync"], [""])
    assert sync["ReadWritePaths"] == [f"{Layout().spool} {Layout().telemetry}"]
    telemetry = settings("bookbag-worker-telemetry@.service")
    assert (telemetry["PrivateNetwork"], telemetry["CapabilityBoundingSet"]) == (["yes"], [""])
    assert telemetry["ReadWritePaths"] == [Layout().telemetry]
    assert f"-{Layout().spool}" in telemetry["InaccessiblePaths"][0]
    assert f"-{Layout().keys}" in sync["InaccessiblePaths"][0]
    ask = settings("bookbag-worker-ask@.service")
    assert (ask["PrivateNetwork"], ask["CapabilityBoundingSet"]) == (["yes"], [""]), (
        "root, and can do nothing"
    )
    assert ask["ReadWritePaths"] == [f"{Layout().asks} {Layout().outbox}"]
    assert ask["SupplementaryGroups"] == ["bookbag-sync bookbag-portal"], "to whose groups it hands files"
    content = settings("bookbag-worker-content@.service")
    assert (content["PrivateNetwork"], content["CapabilityBoundingSet"]) == (["yes"], [""])
    assert content["ReadWritePaths"] == [Layout().content]
    # what it makes is for the portal to read; what the sync user fetched it reads by its own group
    assert (content["Group"], content["SupplementaryGroups"]) == (["bookbag-portal"], ["bookbag-content"])
    # With the portal's group it would read what students ask, and what is arranged for one of them.
    closed = content["InaccessiblePaths"][0].split()
    assert {f"-{Layout().portal}", f"-{Layout().asks}"} <= set(closed)


def test_secrets_are_open_to_none_that_has_no_use_for_them() -> None:
    """Many of them are root, whose the files are."""
    for path in UNITS.glob("*.service"):
        said = settings(path.name)
        closed = " ".join(said.get("InaccessiblePaths", [])).split()
        closed += (
            [f"-{Layout().secrets}"] if said.get("TemporaryFileSystem") == [f"{Layout().var}:ro"] else []
        )
        is_open = not {f"-{Layout().secrets}", str(Path(f"-{Layout().secrets}").parent)} & set(closed)
        assert is_open is (path.name in _USE_SECRETS), path.name


#: What carries out orders, what enforces, what waits for news of them, and what takes them away; and what
#: looks at resources to explain them.
_USE_SECRETS = (
    "bookbag.service",
    "bookbag-worker-command@.service",
    "bookbag-worker-enforce@.service",
    "bookbag-worker-enrol@.service",
    "bookbag-worker-erase@.service",
    "bookbag-worker-explain@.service",
)


def test_of_packages_one_fetches_and_is_nobody_and_another_installs_and_has_no_network() -> None:
    fetch, act = (settings(f"bookbag-packages{part}.service") for part in ("-fetch", ""))
    lists = settings("bookbag-packages-lists.service")
    assert (fetch["User"], fetch["CapabilityBoundingSet"]) == (["bookbag-sync"], [""])
    assert fetch["ReadWritePaths"] == [f"{Layout().packages}/fetched"]
    assert f"-{Layout().keys}" in fetch["InaccessiblePaths"][0]
    assert (act["PrivateNetwork"], act["RestrictAddressFamilies"]) == (["yes"], ["AF_UNIX AF_NETLINK"])
    assert json.loads(act["StandardInputText"][0]) == {"op": "act"}
    assert [one["ExecStart"] for one in (fetch, act)] == [
        [f"/usr/bin/bookbag worker {name}"] for name in ("packages_fetch", "packages")
    ]
    # Apt's own look at its sources: what it reads from the network it reads as its own user.
    assert lists["ExecStart"] == ["/usr/bin/apt-get -q update --error-on=any"]
    assert f"-{Layout().var}" in lists["InaccessiblePaths"][0]
    for one in (fetch, lists):  # the next start would be lost if it came before the last one's end
        assert one["After"] == one["OnSuccess"] == ["bookbag-packages.service"]
    assert lists["OnFailure"] == ["bookbag-packages.service"], "the other sources may have been read"


def test_of_flatpaks_one_fetches_without_a_capability_and_another_has_no_network() -> None:
    fetch, act = (settings(f"bookbag-flatpaks{part}.service") for part in ("-fetch", ""))
    assert fetch["CapabilityBoundingSet"] == [""]
    assert fetch["ReadWritePaths"] == ["/var/lib/flatpak/repo /var/lib/flatpak/repo-lock"]
    assert fetch["ReadOnlyPaths"] == ["/var/lib/flatpak/repo/config"]
    assert (fetch["TemporaryFileSystem"], fetch["BindPaths"]) == (
        [f"{Layout().var}:ro"],
        [f"{Layout().flatpaks}/fetched"],
    )
    assert fetch["RestrictAddressFamilies"] == ["AF_INET AF_INET6"], "root's number opens doors of root's"
    assert (act["PrivateNetwork"], act["RestrictAddressFamilies"]) == (["yes"], ["AF_UNIX AF_NETLINK"])
    assert json.loads(act["StandardInputText"][0]) == {"op": "act"}
    assert [one["ExecStart"] for one in (fetch, act)] == [
        [f"/usr/bin/bookbag worker {name}"] for name in ("flatpaks_fetch", "flatpaks")
    ]
    assert fetch["After"] == fetch["OnSuccess"] == fetch["OnFailure"] == ["bookbag-flatpaks.service"]


def test_a_deny_list_of_system_calls_follows_an_allow_list() -> None:
    """Or systemd takes the first for a deny list, and everything else is allowed."""
    for path in UNITS.glob("*.service"):
        filters = settings(path.name)["SystemCallFilter"]
        assert filters[0].startswith("@system-service"), path.name


def test_the_directories_are_those_of_the_layout() -> None:
    layout = Layout()
    made = {}
    swept = set()
    for line in (INSTALLER / "tmpfiles.d/bookbag.conf").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, path, *rest = line.split()
            if kind == "r!":  # at boot alone: drafts of writes that were killed
                swept.add(path.removesuffix("/*.tmp"))
                continue
            assert kind == "d"
            made[path] = tuple(rest)
    ledger = str(Path(layout.ledger).parent)
    journals = {ledger, layout.undo, layout.lock_undo}
    ours = {layout.etc, layout.state, layout.keys, layout.secrets, layout.outbox, layout.public, *journals}
    assert swept == {*ours, layout.portal, layout.asks, f"{layout.asks}/in"}, (
        "generations have names of their own, and what the sync user has is its own to keep"
    )
    private = ("0700", "root", "root")
    assert made[layout.var] == ("0711", "root", "root"), "passed through, not listed"
    for path in (layout.state, layout.keys, layout.generations, *journals):
        assert made[path] == private, path
    assert made[str(Path(layout.worker_socket("x")).parent)] == private
    assert made[layout.spool] == ("0711", "bookbag-sync", "bookbag-sync"), "passed through, not listed"
    assert made[layout.blobs] == ("2750", "bookbag-sync", "bookbag-content"), "new files are of that group"
    assert made[layout.content] == ("0750", "bookbag-content", "bookbag-portal")
    assert made[f"{layout.content}/opened"] == ("0770", "bookbag-content", "bookbag-portal")
    assert made[layout.asks] == ("0750", "root", "bookbag-portal"), "no other user sees who asked what"
    assert made[f"{layout.asks}/in"] == ("0770", "root", "bookbag-portal")
    assert made[layout.packages] == ("0711", "root", "root"), "passed through, not listed"
    assert made[f"{layout.packages}/fetched"] == ("0755", "bookbag-sync", "bookbag-sync")
    assert made[layout.telemetry] == ("0755", "bookbag-sync", "bookbag-sync")
    assert made[layout.outbox] == ("0750", "root", "bookbag-sync")
    assert made[layout.public] == made[layout.run] == made[layout.etc] == ("0755", "root", "root")
    assert made[layout.portal] == ("0700", "bookbag-portal", "bookbag-portal")
    user = (INSTALLER / "sysusers.d/bookbag.conf").read_text("utf-8")
    for name, home in (("sync", layout.spool), ("portal", layout.portal), ("content", layout.content)):
        line = rf'^u bookbag-{name} - "[^":]+" {home} /usr/sbin/nologin$'
        assert re.search(line, user, re.MULTILINE), name


def test_the_portal_listens_on_loopback_only_and_can_open_no_socket_itself() -> None:
    portal, content = settings("bookbag-portal.socket"), settings("bookbag-portal-content.socket")
    assert portal["ListenStream"] == [f"127.0.0.1:{PORT}"]
    assert content["ListenStream"] == [f"127.0.0.1:{PORT + 1}"]
    assert (portal["FileDescriptorName"], content["FileDescriptorName"]) == (["portal"], ["content"])
    assert portal["ListenNetlink"] == ["inet-diag"] and "ListenNetlink" not in content
    service = settings("bookbag-portal.service")
    assert service["ExecStart"] == ["/usr/bin/bookbag portal --socket-activated"]
    assert service["Sockets"] == ["bookbag-portal.socket bookbag-portal-content.socket"]
    assert (service["PrivateNetwork"], service["RestrictAddressFamilies"]) == (["yes"], ["none"])
    assert (service["User"], service["CapabilityBoundingSet"]) == (["bookbag-portal"], [""])
    assert service["ReadWritePaths"] == [f"{Layout().portal} -{Layout().content}/opened -{Layout().asks}/in"]
    assert service["MemoryMax"] and service["TasksMax"]
    closed = service["InaccessiblePaths"][0].split()
    layout = Layout()
    ledger = str(Path(layout.ledger).parent)
    journals = (ledger, layout.undo, layout.generations)
    secret = (layout.keys, layout.state, *journals, layout.secrets, layout.spool, layout.outbox)
    assert {f"-{path}" for path in (*secret, layout.run)} == set(closed)


def test_the_login_gate_is_what_the_agent_takes_it_for() -> None:
    assert (INSTALLER / "security/bookbag-login.conf").read_bytes() == OPEN
    assert PATH == "/etc/security/bookbag-login.conf"
    rules = (INSTALLER / "pam-configs/bookbag").read_text("utf-8").partition("Account:\n")[2].splitlines()
    gate = tuple((rule[0], " ".join(rule[1:])) for rule in RULES)
    assert tuple(tuple(rule.split("\t")[1:]) for rule in rules)[: len(gate)] == gate
    hours = rules[len(gate) :]  # asked behind the gate; whoever it does not concern skips what is left
    assert [rule.split()[0] for rule in hours[:-1]] == ["[success=2", "[success=1"]
    assert f"pam_time.so conffile={HOURS}" in hours[-1]


def test_a_locked_laptop_wants_nothing_that_lets_a_person_in() -> None:
    target = settings("bookbag-lock.target")
    wanted = {unit for line in target["Wants"] for unit in line.split()}
    stopped = {unit for line in target["Conflicts"] for unit in line.split()}
    assert target["AllowIsolate"] == ["yes"]
    assert not [unit for unit in wanted if any(fnmatchcase(unit, way) for way in WAYS_IN)]
    aliases = {
        "gdm.service",
        "gdm3.service",
        "greetd.service",
        "lightdm.service",
        "lxdm.service",
        "ly.service",
    }
    aliases |= {"nodm.service", "sddm.service", "slim.service", "xdm.service"}  # display-manager.service is
    plain = {way for way in WAYS_IN if "*" not in way} - aliases
    assert plain <= stopped, "at boot nobody stops what was started: systemd must not start it"
    assert any(fnmatchcase(unit, LOCKER) for unit in wanted)


def test_the_locker_can_do_nothing_but_show_and_ask() -> None:
    locker = settings("bookbag-locker@.service")
    assert (locker["DynamicUser"], locker["CapabilityBoundingSet"]) == (["yes"], [""])
    assert (locker["Restart"], locker["StartLimitIntervalSec"]) == (["always"], ["0"])
    assert locker["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert locker["PartOf"] == [LOCK]


def test_the_agent_brings_the_sockets_of_all_its_workers() -> None:
    agent = settings("bookbag.service")
    sockets = {f"bookbag-worker-{name}.socket" for name in WORKERS}
    for key in ("Wants", "After"):
        assert sockets <= {unit for line in agent[key] for unit in line.split()}
    started = re.search(r"bookbag-worker-\{(.*?)\}\.socket", (INSTALLER / "install").read_text("utf-8"))
    assert started is not None and set(started[1].split(",")) == set(WORKERS)
