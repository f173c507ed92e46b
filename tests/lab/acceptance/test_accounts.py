"""Accounts and signing in, by what a real laptop lets people do: sudo, PAM, passwd, its own user database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.lab import sessions
from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import BACKUPS, LEFT_OUT, School
from tests.lab.acceptance.school import bookbag
from tests.lab.errors import LabError
from tests.lab.laptop import Laptop

POWER = ("ict-1", "head-1")
USERS = tuple(one.rstrip("-") for one in BACKUPS)
MIDDLING, GOOD = "kartoffel7q", "Vier-gelbe-7-Kutschen"


@pytest.fixture
def laptop(school: School) -> Iterator[Laptop]:
    """One of the school's, whose people are as they were again after the test, to the byte."""
    laptop = school.lina
    there = [laptop.path(one) for one in (*USERS, *BACKUPS) if laptop.exists(one)]
    before = {path: (path.read_bytes(), path.stat()) for path in there}
    mode = laptop.path("/home/student").stat().st_mode & 0o7777
    yield laptop
    # Whoever logged out takes a while to go, and the service manager ends what is theirs by then.
    gone = 'test -z "$(loginctl list-users --no-legend)" && ! systemctl --quiet is-active "user@*.service"'
    laptop.wait_until(
        lambda: laptop.run(["sh", "-c", gone], check=False).returncode == 0, 60, "everybody out"
    )
    for one in (*USERS, *BACKUPS, "/etc/sudoers.d/student"):
        path = laptop.path(one)
        path.unlink(missing_ok=True)
        if path in before:
            data, was = before[path]
            laptop.write(one, data, mode=was.st_mode & 0o7777, owner=(was.st_uid, was.st_gid))
    for left in ("/etc/gdm3", "/home/lina"):
        shutil.rmtree(laptop.path(left), ignore_errors=True)
    laptop.path("/home/student").chmod(mode)


def test_people_get_in_and_do_what_the_school_decided(school: School, laptop: Laptop) -> None:
    laptop.write("/etc/sudoers.d/student", "student ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
    laptop.run(["usermod", "--append", "--groups", "sudo,audio", "teacher"])
    laptop.run(["chmod", "0755", "/home/student"])
    laptop.write("/etc/gdm3/daemon.conf", "[daemon]\nAutomaticLoginEnable=true\nAutomaticLogin=student\n")
    laptop.write(
        "/etc/gdm3/greeter.dconf-defaults", "[org/gnome/login-screen]\n# banner-message-enable=true\n"
    )
    before = snapshot(laptop)
    assert becomes_root(laptop, "student") and becomes_root(laptop, "teacher"), "the control"
    assert gets_in(laptop, "student") and gets_in(laptop, "teacher")
    shadow = laptop.read("/etc/shadow")
    assert changes_password(laptop, "student", MIDDLING)
    laptop.write("/etc/shadow", shadow, mode=0o640, owner=(0, 42))

    decide(school, {**SETTINGS, "accounts.hours": [f"{day(0)}-{day(1)} 00:00-24:00"]})
    assert becomes_root(laptop, "teacher") and not becomes_root(laptop, "student")
    assert gets_in(laptop, "student")
    assert not changes_password(laptop, "student", MIDDLING)
    assert changes_password(laptop, "student", GOOD), "the control"
    now = laptop.read("/etc/shadow")
    restored = now.replace(kept(now, "student"), kept(shadow, "student"))
    laptop.write("/etc/shadow", restored, mode=0o640, owner=(0, 42))
    assert laptop.path("/home/student").stat().st_mode & 0o777 == 0o700
    lina = laptop.run(["id", "--name", "--groups", "lina"]).stdout.split()
    assert set(lina) == {"lina", "audio"}
    assert laptop.run(["id", "--name", "--groups", "teacher"]).stdout.split() == ["teacher", "sudo"]
    assert greeter(laptop) == "'Property of \"North High\"'"
    assert "AutomaticLoginEnable=false" in laptop.read("/etc/gdm3/daemon.conf")

    decide(school, {**SETTINGS, "accounts.hours": [f"{day(3)} 00:00-24:00"]})
    assert not gets_in(laptop, "student")
    assert gets_in(laptop, "teacher"), "administrators always"
    laptop.run(["su", "-s", "/bin/sh", "daemon", "-c", "true"])

    school.desk.withdraw("accounts")
    school.desk.publish(*POWER)
    bookbag(laptop, "sync", codes=(0, 2))
    assert becomes_root(laptop, "student") and gets_in(laptop, "student")
    assert tree.differences(before, snapshot(laptop)) == []
    assert not laptop.exists("/home/lina"), "nobody ever used it"
    assert laptop.path("/home/student").stat().st_mode & 0o777 == 0o755


def test_a_first_password_is_changed_at_the_first_login_and_never_set_back(
    school: School, laptop: Laptop, tmp_path: Path
) -> None:
    desk, first, second = school.desk, tmp_path / "first.txt", tmp_path / "second.txt"
    (tmp_path / "roster.csv").write_text(f"login,name,laptop\nlina,Canary Haddad,{laptop.name}\n")
    desk.policy("accounts", {"accounts.roster": "given"}, power=True)
    desk.fleet("roster", "import", str(tmp_path / "roster.csv"), "--sheet", str(first), "--as", "ict-1")
    arrives(school)
    given = on_sheet(first)
    assert "required to change your password" in su(laptop, given)
    assert "required" not in su(laptop, f"{given}x"), "the control: another is refused"
    assert su(laptop, given, given, GOOD, GOOD).endswith("lina"), "and in, once it is changed"
    assert not su(laptop, given).endswith("lina") and su(laptop, GOOD).endswith("lina")

    laptop.run(["usermod", "--comment", "Somebody", "lina"])
    bookbag(laptop, "apply", codes=(0, 2))
    assert "Canary Haddad" in laptop.run(["getent", "passwd", "lina"]).stdout, "the control: it is healed"
    assert su(laptop, GOOD).endswith("lina"), "the password is theirs"

    desk.fleet("roster", "reset", laptop.name, "lina", "--sheet", str(second), "--as", "ict-1")
    arrives(school)
    assert "required to change your password" in su(laptop, on_sheet(second))
    assert not su(laptop, GOOD).endswith("lina")
    assert su(laptop, on_sheet(second), on_sheet(second), GOOD, GOOD).endswith("lina")

    laptop.run(["sh", "-c", "echo precious > ~/essay.txt"], user="lina")
    desk.withdraw("accounts")
    desk.fleet("roster", "remove", laptop.name, "--as", "ict-1")
    arrives(school)
    assert not su(laptop, GOOD).endswith("lina"), "closed"
    assert laptop.read("/home/lina/essay.txt") == "precious\n"
    said = bookbag(laptop, "ledger", "--json").stdout + laptop.run(["journalctl", "--no-pager"]).stdout
    assert "roster:accounts" in said and "Canary" not in said and given not in said
    laptop.path("/var/lib/bookbag/secrets/accounts.json").unlink()


def arrives(school: School) -> None:
    """What the desk decided, published by two persons."""
    school.desk.publish(*POWER)
    bookbag(school.lina, "sync", codes=(0, 2))
    bookbag(school.lina, "apply", codes=(0, 2))


def on_sheet(path: Path) -> str:
    """The one password that is on it."""
    (line,) = [one for one in path.read_text().splitlines() if "password" in one]
    return line.split()[-1]


def su(laptop: Laptop, *typed: str) -> str:
    """What a student sees who becomes lina and types these, through PAM's own stages; it ends with who they
    are then."""
    run = f"printf '%s\\n' {' '.join(typed)} | su lina -c 'id -un' 2>&1"
    return laptop.run(["sh", "-c", run], user="student", check=False).stdout.strip()


SETTINGS = {
    "accounts.administrators": ["teacher"],
    "accounts.password-quality": "strong",
    "accounts.home-permissions": "private",
    "accounts.automatic-login": "off",
    "accounts.banner": 'Property of "North High"',
}
PEOPLE = (
    {"user": {"login": "lina", "shown": "Lina Haddad"}},
    {"group": {"group": "audio", "members": ["lina"], "only": True}},
)


def decide(school: School, settings: dict[str, object]) -> None:
    """Publish them, of two persons, and have them in force without a failure."""
    school.desk.policy("accounts", settings, resources=PEOPLE, power=True)
    school.desk.publish(*POWER)
    bookbag(school.lina, "sync", codes=(0, 2))
    bookbag(school.lina, "apply", codes=(0,))


def snapshot(laptop: Laptop) -> dict[str, str]:
    """/etc but for what is not a laptop's settings."""
    return tree.snapshot(laptop, "/etc", LEFT_OUT)


def day(ahead: int) -> str:
    """A day of the week, by the clock that the laptop has."""
    return (datetime.now(UTC) + timedelta(days=ahead)).strftime("%a").lower()


def becomes_root(laptop: Laptop, user: str) -> bool:
    """Whether sudo runs something as root for them, with their password if it asks."""
    run = f"echo {user} | sudo -S -k -p '' id -u"
    return laptop.run(["sh", "-c", run], user=user, check=False).stdout.strip() == "0"


def gets_in(laptop: Laptop, user: str) -> bool:
    """Whether PAM lets them log in."""
    try:
        sessions.log_in(laptop, user)
    except LabError:
        return False
    sessions.log_out(laptop, user)
    return True


def changes_password(laptop: Laptop, user: str, new: str) -> bool:
    """Whether passwd takes a new one from whoever has `user` as the old one."""
    run = f"printf '%s\\n' {user} {new} {new} | passwd"
    return laptop.run(["sh", "-c", run], user=user, check=False).returncode == 0


def kept(shadow: str, user: str) -> str:
    """Their line in ``shadow``."""
    return next(one for one in shadow.splitlines() if one.startswith(f"{user}:"))


def greeter(laptop: Laptop) -> str:
    """The banner in the database that GDM makes of its file when it starts."""
    laptop.run(["install", "-D", "/etc/gdm3/greeter.dconf-defaults", "/run/lab-greeter/keys/90-debian"])
    laptop.run(["dconf", "compile", "/run/lab-greeter/database", "/run/lab-greeter/keys"])
    laptop.write("/run/lab-greeter/profile", "file-db:/run/lab-greeter/database\n")
    ask = ["env", "DCONF_PROFILE=/run/lab-greeter/profile", "dconf", "read"]
    return laptop.run([*ask, "/org/gnome/login-screen/banner-message-text"]).stdout.strip()
