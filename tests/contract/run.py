"""Run the contract over the real machine that this stands on: ``python3 -m tests.contract.run --lab``, as
root.

Only for a laptop that is there to be tested: it empties /etc/dconf. The standard library is enough.
``--lab``: every check of files, watch, facts, clock, services, accounts, hardware, ssh, firmware, programs
and (if there) dconf, nftables, CUPS, packages and encrypted volumes. ``--lock``: every check of the layers of
a lock, on a laptop with Bookbag installed; sessions end, services stop. ``--dconf NAME``: that one check,
where something is mounted over /etc/dconf. ``--firewall NAME``: that one check, in a network that nothing is
connected to. One line per check; exit status 1 if one failed, 64 if it was not asked so.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from agent.core.layout import Layout
from agent.host.base import Host, Readings
from agent.host.choose import check_real, open_readings
from agent.host.linux.dconf import LinuxDconf
from agent.host.linux.files import LinuxFiles
from agent.host.linux.firewall import NFT, LinuxFirewall
from agent.host.linux.firmware import STARTED, LinuxFirmware
from agent.host.linux.machine import DCONF, open_machine
from agent.host.linux.package_work import FETCH, LISTS
from agent.host.linux.packages import LinuxPackages
from agent.host.linux.printing import LPADMIN, LinuxPrinting
from agent.host.linux.programs import LinuxPrograms
from agent.host.linux.resolving import LinuxResolving
from agent.host.linux.services import LinuxServices
from agent.host.linux.units import LinuxUnits
from agent.host.linux.wireless import NMCLI, LinuxWireless
from agent.host.remote_login import UNIT as SSH
from agent.host.services import FOLDER
from agent.host.watch import open_watch
from agent.host.wireless import FOLDER as CONNECTIONS
from tests.contract import checks
from tests.contract.accounts_checks import People
from tests.contract.containers import real
from tests.contract.dconf_checks import Desktop
from tests.contract.firewall_checks import Walled
from tests.contract.firmware_checks import Bios
from tests.contract.hardware_checks import Wired
from tests.contract.lock_checks import Lockable
from tests.contract.packages_checks import NEEDY, PLAIN, RIVAL, Stocked
from tests.contract.printing_checks import Printable
from tests.contract.programs_checks import ALIASED, PATH, Installed
from tests.contract.programs_checks import FOLDER as OPT
from tests.contract.resolving_checks import FOLDER as DROP_INS
from tests.contract.resolving_checks import UNIT as NETWORK_MANAGER
from tests.contract.resolving_checks import Asking
from tests.contract.services_checks import DROP_IN, TIMER, UNIT, WANTS, Managed
from tests.contract.ssh_checks import Reachable
from tests.contract.subject import LeftOut, Subject, clear
from tests.contract.system_checks import ANYWHERE, TIMESYNCD, Furnished
from tests.contract.volumes_checks import Vault
from tests.contract.watch_checks import Watched
from tests.contract.wireless_checks import Joining

AREA = "/etc/bookbag-contract"
#: A source of packages, if whoever runs this brought one, with what apt is to be told of it.
ARCHIVE, SOURCES = "/opt/contract-archive", "/etc/apt/sources.list.d/contract.sources"


@contextmanager
def area() -> Iterator[None]:
    """An empty directory of the machine's own."""
    clear(AREA)
    os.mkdir(AREA, 0o755)
    try:
        yield
    finally:
        clear(AREA)


@contextmanager
def files() -> Iterator[Subject]:
    """The machine's own files."""
    tree = LinuxFiles()
    with area(), tempfile.TemporaryDirectory() as outside:
        try:
            yield Subject(tree, "", AREA, outside, real=True)
        finally:
            tree.close()


@contextmanager
def watched() -> Iterator[Watched]:
    """The machine's own watch."""
    watch = open_watch(Layout())
    with area():
        try:
            yield Watched(watch, "", AREA, quiet=0.05)
        finally:
            watch.close()


@contextmanager
def machine() -> Iterator[Host]:
    """The machine."""
    yield open_machine()


@contextmanager
def readings() -> Iterator[Readings]:
    """What can be read of it."""
    yield open_readings(Layout())


@contextmanager
def desktop() -> Iterator[Desktop]:
    """The machine's dconf, for a person of its own."""
    tree = LinuxFiles()
    user = next((one for one in pwd.getpwall() if 1000 <= one.pw_uid <= 59999), pwd.getpwnam("nobody"))
    clean_dconf()
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o755)  # noqa: S103  # the user must get in
        dconf = _At(tree, home)
        try:
            yield Desktop(dconf, tree, user.pw_name, lambda text: own_settings(home, text))
        finally:
            clean_dconf()
            tree.close()


@contextmanager
def walled() -> Iterator[Walled]:
    """The kernel's own rules, without ours, and perhaps with those of somebody else."""
    firewall = LinuxFirewall()
    other = ["table", "ip", "contract"]
    nft(["delete", *other])
    firewall.clear()

    def make_other() -> None:
        nft(["add", *other])
        nft(["add", "chain", *other[1:], "theirs"])

    try:
        yield Walled(firewall, make_other, lambda: "theirs" in nft(["list", *other]))
    finally:
        firewall.clear()
        nft(["delete", *other])


def nft(words: list[str]) -> str:
    """What it says; nothing where it fails."""
    return subprocess.run([NFT, *words], capture_output=True, text=True, check=False).stdout


@contextmanager
def bios() -> Iterator[Bios]:
    """A tree like the kernel's, which the unit writes to that writes to the real one."""
    with area():
        os.makedirs(os.path.dirname(AREA + STARTED))
        os.makedirs(Layout(AREA).secrets)
        yield Bios(AREA, lambda: LinuxFirmware(AREA))


@contextmanager
def vault() -> Iterator[Vault]:
    """A LUKS container of the machine's own cryptsetup."""
    with tempfile.TemporaryDirectory() as folder:
        yield real(Path(folder), "luks2")


@contextmanager
def managed() -> Iterator[Managed]:
    """The machine's systemd, without the unit of these checks."""
    services = LinuxServices(LinuxUnits())
    tree = LinuxFiles()
    reads = Path("/run/contract-sleeper")
    forget_sleeper()
    try:
        yield Managed(services, tree, lambda: len(reads.read_text().split()) if reads.exists() else 0)
    finally:
        forget_sleeper()
        tree.close()


def forget_sleeper() -> None:
    """Nothing is left of the unit of the services' checks."""
    subprocess.run(["systemctl", "stop", TIMER, UNIT], check=False, capture_output=True)
    for path in (WANTS, DROP_IN, f"{FOLDER}/{TIMER}", f"{FOLDER}/{UNIT}", "/run/contract-sleeper"):
        Path(path).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        os.rmdir(os.path.dirname(DROP_IN))
    subprocess.run(["systemctl", "daemon-reload"], check=True)


@contextmanager
def furnished() -> Iterator[Furnished]:
    """The machine, with systemd-timesyncd running."""
    subprocess.run(["systemctl", "start", TIMESYNCD], check=True)
    yield Furnished(open_machine())


@contextmanager
def stocked() -> Iterator[Stocked]:
    """The machine's dpkg, with a source of packages on the machine itself."""
    place, nobody = "/var/lib/contract-packages", pwd.getpwnam("nobody")
    began: list[str] = []
    remove_packages()
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(f"{place}/fetched", mode=0o755)
    os.chown(f"{place}/fetched", nobody.pw_uid, nobody.pw_gid)
    serve = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", ARCHIVE, "8001"]
    shutil.copy(f"{ARCHIVE}/lab.sources", SOURCES)
    server = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):  # what is asked before it answers has no such package, and that for a while
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", 8001)) == 0:
                break
        time.sleep(0.1)

    def fetched() -> None:
        while began:
            if (unit := began.pop()) == LISTS:
                subprocess.run(["apt-get", "-q", "update"], check=True, capture_output=True)
            elif unit == FETCH:
                code = f"from agent.host.linux.package_fetch import fetch; print(fetch({place!r}, 0))"
                subprocess.run(
                    [sys.executable, "-c", code],
                    check=True,
                    capture_output=True,
                    user=nobody.pw_uid,
                    group=nobody.pw_gid,
                    extra_groups=(),
                )

    def person(*words: str) -> None:
        subprocess.run(
            words, check=True, capture_output=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        )

    try:
        yield Stocked(
            LinuxPackages(place, began.append, lambda: True),
            fetched,
            lambda name: person("apt-get", "-qy", "install", name),
            lambda name: person("apt-mark", "hold", name),
        )
    finally:
        server.kill()
        server.wait()
        remove_packages()
        os.unlink(SOURCES)


def remove_packages() -> None:
    """Nothing of these checks is installed, or held."""
    for words in (("apt-mark", "unhold"), ("apt-get", "-qy", "purge"), ("dpkg", "--purge")):
        subprocess.run([*words, NEEDY, PLAIN, RIVAL], check=False, capture_output=True)


@contextmanager
def installed() -> Iterator[Installed]:
    """The machine's dpkg, and a place for a program of no package."""
    tree = LinuxFiles()

    def starts(path: str) -> bool:
        try:
            done = subprocess.run([path], check=False, capture_output=True, user="nobody", extra_groups=())
        except PermissionError:
            return False
        return done.returncode == 0

    try:
        yield Installed(LinuxPrograms(tree), tree, lambda one: os.chmod(one, 0o777), starts)  # noqa: S103
    finally:
        tree.close()
        for path in (PATH, ALIASED):
            Path(path).unlink(missing_ok=True)
        if os.path.islink(OPT):
            os.unlink(OPT)
        clear(OPT)


@contextmanager
def printable() -> Iterator[Printable]:
    """The machine's CUPS, without any queue."""
    subprocess.run(["systemctl", "start", "cups.socket"], check=True)
    printing = LinuxPrinting()
    tree = LinuxFiles()

    def administrator(*words: str) -> None:
        subprocess.run([LPADMIN, *words], check=True, capture_output=True)

    def restart() -> None:
        subprocess.run(["systemctl", "restart", "cups.service"], check=True)

    try:
        yield Printable(
            printing,
            tree,
            lambda name: administrator("-p", name, "-v", "socket://192.0.2.1", "-m", "raw", "-E"),
            lambda name: administrator("-d", name),
            restart,
        )
    finally:
        for name in printing.names():
            administrator("-x", name)
        tree.close()


@contextmanager
def joining() -> Iterator[Joining]:
    """The machine's NetworkManager, without a network of ours."""
    wireless, tree = LinuxWireless(), LinuxFiles()
    try:
        yield Joining(wireless, tree)
    finally:
        for path in Path(CONNECTIONS).glob("bookbag-*"):
            path.unlink()
        subprocess.run([NMCLI, "connection", "reload"], check=True)
        tree.close()


@contextmanager
def asking() -> Iterator[Asking]:
    """The machine's NetworkManager, which says whom programs ask; the last file has the last word on that."""
    says = Path(f"{DROP_INS}/zz-contract.conf")
    says.write_text("[main]\ndns=default\nrc-manager=file\n", encoding="ascii")
    subprocess.run(["systemctl", "restart", NETWORK_MANAGER], check=True)
    tree = LinuxFiles()
    try:
        yield Asking(LinuxResolving(), LinuxServices(LinuxUnits()), tree)
    finally:
        says.unlink()
        tree.close()


@contextmanager
def asking_for_the_time() -> Iterator[None]:
    """Within it systemd-timesyncd can run, though this is no machine of its own."""
    unit = Path(f"{FOLDER}/{TIMESYNCD}.d/contract.conf")
    unit.parent.mkdir(exist_ok=True)
    unit.write_text(ANYWHERE, encoding="ascii")
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    try:
        yield
    finally:
        subprocess.run(["systemctl", "stop", TIMESYNCD], check=True)
        shutil.rmtree(unit.parent)
        subprocess.run(["systemctl", "daemon-reload"], check=True)


@contextmanager
def lockable() -> Iterator[Lockable]:
    """The machine, and the first of its people, who logs in through PAM and logind as a login manager has
    it.
    """
    host = open_machine()
    user = host.facts.users()[0]
    try:
        yield Lockable(host, user, partial(log_in, user))
    finally:
        subprocess.run(["systemctl", "stop", "contract-session-*"], check=True)
        clear("/var/lib/systemd/linger")
        os.mkdir("/var/lib/systemd/linger")


@contextmanager
def wired() -> Iterator[Wired]:
    """The machine's own kmod and logind."""
    host = open_machine()
    assert host.hardware is not None and host.services is not None
    yield Wired(host.hardware, host.services, host.files)


@contextmanager
def reachable() -> Iterator[Reachable]:
    """The machine's ssh server, running."""
    subprocess.run(["systemctl", "start", SSH], check=True)
    host = open_machine()
    assert host.remote_login is not None and host.services is not None
    yield Reachable(host.remote_login, host.services, host.files)


@contextmanager
def people() -> Iterator[People]:
    """The machine's accounts, and who gets in by them."""

    def in_and_out(user: str) -> str:
        why = log_in(user)
        subprocess.run(["systemctl", "stop", "contract-session-*"], check=True)
        return why

    yield People(open_machine(), in_and_out)


def log_in(user: str) -> str:
    """Open a session that lasts; why it could not, "" if it is there."""
    unit = f"contract-session-{os.urandom(4).hex()}"
    run = ["systemd-run", "--quiet", f"--unit={unit}", f"--property=User={user}", "--property=PAMName=login"]
    subprocess.run([*run, "sleep", "infinity"], check=True)
    for _ in range(300):
        if told(["systemctl", "show", "--property=ActiveState", "--value", unit]) == "failed":
            return "PAM refused"
        # logind moves the process that has passed PAM into a scope of its session.
        pid = told(["systemctl", "show", "--property=MainPID", "--value", unit])
        with suppress(OSError), open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            if "/session-" in file.read():
                return ""
        time.sleep(0.05)
    raise AssertionError(f"{unit} neither runs nor failed")


def told(argv: list[str]) -> str:
    """What a program says."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


class _At(LinuxDconf):
    """dconf as the user, whose own settings lie in a folder of ours: nobody's real home is written."""

    def __init__(self, tree: LinuxFiles, home: str) -> None:
        super().__init__(tree, DCONF)
        self._environment = {"XDG_CONFIG_HOME": home}


def own_settings(home: str, text: str) -> None:
    """Compile ``text`` as the database that the user's programs write (which takes a session, and we have
    none).
    """
    os.makedirs(f"{home}/dconf", exist_ok=True)
    with tempfile.TemporaryDirectory() as source:
        with open(f"{source}/own", "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run([DCONF, "compile", f"{home}/dconf/user", source], check=True)
    os.chmod(f"{home}/dconf/user", 0o644)


def covered(path: str) -> bool:
    """Whether something is mounted at ``path`` (os.path.ismount misses a folder of the same disk)."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return any(line.split()[4] == path for line in file)


def alone() -> bool:
    """Whether our network has nothing but itself."""
    with open("/proc/self/net/dev", encoding="ascii") as file:
        return [line.split(":")[0].strip() for line in file if ":" in line] == ["lo"]


def clean_dconf() -> None:
    """Nothing of these checks is left below /etc/dconf."""
    clear("/etc/dconf/db")
    clear("/etc/dconf/profile")
    os.makedirs("/etc/dconf/db")


def run(
    named: Mapping[str, Callable[[Any], None]], made: Callable[[], AbstractContextManager[object]]
) -> int:
    """Run each check over a fresh subject; how many failed."""
    failed = 0
    for name, check in named.items():
        outcome = "ok"
        try:
            with made() as subject:
                check(subject)
        except LeftOut as reason:
            outcome = f"left out: {reason}"
        except Exception:
            failed += 1
            outcome = f"FAILED\n{traceback.format_exc()}"
        print(f"{name}: {outcome}", flush=True)
    return failed


def main(arguments: list[str]) -> int:
    """Exit status."""
    if arguments[:1] == ["--dconf"] and covered("/etc/dconf"):
        return 1 if run({arguments[1]: checks.DCONF[arguments[1]]}, desktop) else 0
    if arguments[:1] == ["--firewall"] and alone():
        return 1 if run({arguments[1]: checks.FIREWALL[arguments[1]]}, walled) else 0
    if arguments not in (["--lab"], ["--lock"], ["--wireless"]):
        print(__doc__, file=sys.stderr)
        return 64
    check_real(Layout(), enrolling=True)
    if arguments == ["--lock"]:
        return 1 if run(checks.LOCK, lockable) else 0
    if arguments == ["--wireless"]:
        return 1 if run(checks.WIRELESS, joining) + run(checks.RESOLVING, asking) else 0
    failed = run(checks.FILES, files) + run(checks.WATCH, watched) + run(checks.MACHINE, machine)
    failed += run(checks.SENSORS, readings) + run(checks.SERVICES, managed)
    with asking_for_the_time():
        failed += run(checks.SYSTEM, furnished)
    failed += run(checks.ACCOUNTS, people) + run(checks.HARDWARE, wired)
    failed += run(checks.SSH, reachable) + run(checks.FIRMWARE, bios)
    failed += run(checks.PROGRAMS, installed)
    return 1 if failed + run_what_is_installed() else 0


def run_what_is_installed() -> int:
    """The checks of what only some machines have."""
    failed = 0
    if os.access(DCONF, os.X_OK):
        failed += run(checks.DCONF, desktop)
    if os.access(NFT, os.X_OK):
        failed += run(checks.FIREWALL, walled)
    if os.access(LPADMIN, os.X_OK):
        failed += run(checks.PRINTING, printable)
    if shutil.which("cryptsetup"):
        failed += run(checks.VOLUMES, vault)
    if os.path.isdir(ARCHIVE):
        failed += run(checks.PACKAGES, stocked)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
