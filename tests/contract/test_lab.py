"""The contract over a real machine: systemd, its own /etc, dconf and people."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
import pytest

from tests.contract import checks
from tests.contract.packages_checks import NEEDY, PLAIN, RIVAL
from tests.contract.run import ARCHIVE
from tests.lab import network_manager
from tests.lab.image import Image
from tests.lab.laptop import Laptop
from tests.lab.repository import Repository
from tests.leaks import REPOSITORY

#: What the runner needs of ours; the standard library is there.
PARTS = ("agent/__init__.py", "agent/core", "agent/host", "tests/__init__.py", "tests/contract")
PLACE = "/opt/contract"


def copy(laptop: Laptop) -> None:
    """The host, the contract, and psutil, the one package that they need."""
    package = Path(psutil.__file__).parent
    for path in (*package.glob("*.py"), *package.glob("*.so")):
        laptop.write(f"{PLACE}/psutil/{path.name}", path.read_bytes())
    for part in PARTS:
        top = REPOSITORY / part
        for path in [top] if top.is_file() else sorted(top.rglob("*.py")):
            laptop.write(f"{PLACE}/{path.relative_to(REPOSITORY)}", path.read_bytes())


def bring_packages(laptop: Laptop, folder: Path) -> None:
    """A signed source of what the checks install."""
    made = Repository(folder / "archive", folder / "keys")
    made.begin()
    try:
        made.add(PLAIN, "1.0")
        made.add(NEEDY, "1.0", depends=PLAIN)
        made.add(RIVAL, "1.0", conflicts=NEEDY)
        made.publish()
        laptop.write("/etc/apt/keyrings/contract.asc", made.key())
    finally:
        made.end()
    text = made.source("http://127.0.0.1:8001/", "/etc/apt/keyrings/contract.asc")
    (made.folder / "lab.sources").write_text(text)
    for path in made.folder.rglob("*"):
        if path.is_file():
            laptop.write(f"{ARCHIVE}/{path.relative_to(made.folder)}", path.read_bytes())


@pytest.mark.lab
@pytest.mark.slow
def test_the_real_machine_keeps_the_contract(laptop: Laptop, debian: Image, tmp_path: Path) -> None:
    copy(laptop)
    bring_packages(laptop, tmp_path)
    inside = ["env", "-C", PLACE, "python3", "-m", "tests.contract.run"]
    assert laptop.run(inside, check=False).returncode == 64, (
        "it empties /etc/dconf: not without being told to"
    )
    done = laptop.run([*inside, "--lab"], check=False, timeout=300)
    outcomes = dict(re.findall(r"^(\w+): (.*)$", done.stdout, re.MULTILINE))
    assert done.returncode == 0, done.stdout + done.stderr
    expected = {
        *checks.FILES,
        *checks.WATCH,
        *checks.MACHINE,
        *checks.SENSORS,
        *checks.SERVICES,
        *checks.SYSTEM,
        *checks.PRINTING,
        *checks.PACKAGES,
        *checks.DCONF,
        *checks.FIREWALL,
        *checks.VOLUMES,
        *checks.ACCOUNTS,
        *checks.HARDWARE,
        *checks.SSH,
        *checks.FIRMWARE,
        *checks.PROGRAMS,
    }
    assert set(outcomes) == expected
    left_out = {name for name, outcome in outcomes.items() if outcome != "ok"}
    # Root may do everything; the machine's root has nothing above it. Each is shown over a folder.
    assert left_out == {"what_we_may_not_do_is_refused", "a_link_never_leads_above_the_folder"}

    with network_manager.running(laptop, debian):
        done = laptop.run([*inside, "--wireless"], check=False, timeout=300)
    outcomes = dict(re.findall(r"^(\w+): (.*)$", done.stdout, re.MULTILINE))
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes == dict.fromkeys([*checks.WIRELESS, *checks.RESOLVING], "ok")


@pytest.mark.lab
@pytest.mark.slow
def test_a_real_laptop_keeps_the_contract_of_a_lock(school_laptop: Laptop) -> None:
    copy(school_laptop)
    inside = ["env", "-C", PLACE, "python3", "-m", "tests.contract.run", "--lock"]
    done = school_laptop.run(inside, check=False, timeout=300)
    outcomes = dict(re.findall(r"^(\w+): (.*)$", done.stdout, re.MULTILINE))
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes == dict.fromkeys(checks.LOCK, "ok")


@pytest.mark.lab
def test_a_machine_that_is_not_enrolled_is_left_alone(laptop: Laptop) -> None:
    copy(laptop)
    script = (
        "from agent.core.layout import Layout\nfrom agent.host.choose import open_host\n"
        "try:\n    print(open_host(Layout()).name)\nexcept Exception as error:\n    print(error.code)\n"
    )
    inside = ["env", "-C", PLACE, "python3", "-c", script]
    assert laptop.run(inside).stdout == "not-enrolled\n"
    laptop.write("/etc/bookbag/agent.yaml", "")
    assert laptop.run(inside).stdout == "linux\n"
