"""Orders through the whole laptop: from the school's mailbox to a locked machine, a code by telephone, an
erasure."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.core import jsontext
from agent.host.sandbox import trying
from agent.host.sandbox.laptop import PASSPHRASES
from agent.store.spool import Spool
from agent.trust import floors, receipts, unlockcode
from agent.trust.enrolment import EnrolFile, make_token
from agent.trust.identity import DeviceIdentity, serial_hash
from agent.trust.orders import parse_order
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.leaks import REPOSITORY
from tests.trust.school import Laptop, School


class Site:
    """A school that publishes into a folder, and its one laptop, enrolled and running."""

    def __init__(self, folder: Path, laptop: SandboxLaptop) -> None:
        self.school = School(folder / "desk", at=int(time.time()) - 5 * 3600)
        self.school.publish()
        self.laptop = laptop
        laptop.start()
        root = (self.school.mirror / "metadata" / "1.root.json").read_bytes()
        file = folder / "enrol.json"
        url = f"file://{self.school.mirror}"
        file.write_bytes(EnrolFile("north", (url,), "", root, make_token()).to_bytes())
        assert laptop.cli("enrol", str(file)).returncode == 0
        path = Path(laptop.layout.keys) / "device.json"
        self.identity = DeviceIdentity.from_bytes(path.read_bytes())
        facts = json.loads((laptop.folder / ".sandbox" / "facts.json").read_text())
        self.stand_in = object.__new__(Laptop)
        self.stand_in.identity = self.identity
        self.stand_in.serial = serial_hash("north", facts["serial"])
        self.standing = [self.school.order(self.stand_in)]
        self.send()

    def order(self, kind: str, *people: str, **more: object) -> bytes:
        signers = tuple(self.school.people[name].key for name in people or ("ada",))
        if floors.floor(kind).destructive:
            more.setdefault("grace_s", floors.GRACE)
        if life := floors.floor(kind).life:
            more.setdefault("expires", self.school.at + life)
        envelope = self.school.order(self.stand_in, kind, signers=signers, **more)
        self.school.log_order(envelope)
        return envelope

    def send(self, *envelopes: bytes, at: int | None = None) -> None:
        """The mailbox holds these; the laptop is told to look."""
        self.school.mail(self.stand_in, *self.standing, *envelopes)
        self.school.publish(self.school.at if at is None else at)
        synced = self.laptop.cli("sync")
        assert synced.returncode in (0, 2, 4), synced.stderr

    def commands(self) -> dict[str, Any]:
        found: dict[str, Any] = self.laptop.status()["commands"]
        return found

    def told(self) -> list[tuple[str, str, str]]:
        found = []
        outbox = Spool(self.laptop.layout.outbox)
        for name in outbox.names():
            if not name.startswith("receipt-"):
                continue
            found.append(self.opened(name, outbox.read(name)))
        assert receipts.check_chain(sorted(found, key=lambda one: one.n)) == ""
        return [(one.kind, one.state, one.code) for one in found]

    def opened(self, name: str, data: bytes) -> receipts.Receipt:
        key = self.identity.sign_key.public
        return receipts.verify(receipts.open_return(data, name, key, self.school.returns), key)

    def notice(self, name: str) -> dict[str, Any]:
        value = jsontext.parse((Path(self.laptop.layout.public) / name).read_bytes(), what=name)
        assert isinstance(value, dict)
        return value

    def log_in(self) -> str:
        return trying.log_in(str(self.laptop.folder))


@pytest.fixture
def site(tmp_path: Path, laptop: SandboxLaptop) -> Iterator[Site]:
    yield Site(tmp_path, laptop)
    laptop.stop(signal.SIGKILL)


def test_a_lock_holds_through_a_crash_and_a_code_by_telephone_opens_it(site: Site) -> None:
    laptop = site.laptop
    assert site.log_in() == ""
    lock = site.order("lock", args={"message": {"en": "Please bring it back"}, "contact": "office"})
    site.send(lock)
    until(lambda: site.commands().get("locked"))
    assert site.log_in() != ""
    told = site.notice("ledger.json")["entries"]
    assert any(row["kind"] == "command" and row["subject"].startswith("lock ") for row in told)
    notice = site.notice("lock.json")
    assert notice["locked"] and notice["message"] == {"en": "Please bring it back"}
    assert notice["order"] == parse_order(lock).order.id
    said = laptop.cli("status").stdout
    assert "nobody gets in" in said and "the school says: Please bring it back" in said, said
    assert "whom to ask: office" in said

    laptop.stop(signal.SIGKILL)
    laptop.start()
    until(lambda: site.commands().get("locked"))
    assert site.log_in() != ""

    for _ in range(5):
        wrong = laptop.cli("unlock", "00000-00000")
        assert (wrong.returncode, "not the code" in wrong.stderr) == (4, True), wrong.stderr
        assert wrong.stdout == "", "what was refused is not called open"
    soon = laptop.cli("unlock", "00000-00000")
    assert (soon.returncode, "wrong ones" in soon.stderr) == (4, True), soon.stderr
    laptop.stop(signal.SIGKILL)
    laptop.start()
    challenge = unlockcode.read_challenge(site.notice("lock.json")["challenge"])
    answer = unlockcode.answer(site.identity.unlock_key, site.identity.id, challenge)
    early = laptop.cli("unlock", answer)
    assert (early.returncode, "wrong ones" in early.stderr) == (4, True), "a restart refunds nothing"
    assert site.log_in() != ""

    forget_the_wait(laptop)
    opened = laptop.cli("unlock", answer[:5].lower(), answer[5:])
    assert (opened.returncode, opened.stdout) == (0, "this laptop is open again\n"), opened.stderr
    assert site.log_in() == ""
    assert not site.notice("lock.json")["locked"]
    assert laptop.cli("unlock", answer).returncode == 4, "a code is good once"
    assert [one for one in site.told() if one[0] != "assign"] == [
        ("lock", "done", ""),
        ("unlock-by-code", "done", ""),
    ]


def forget_the_wait(laptop: SandboxLaptop) -> None:
    """A minute passes: the wait that is stored is over."""
    from dataclasses import replace

    from agent.commands.holding import Hold
    from agent.store.twinfile import TwinFile

    file = TwinFile(laptop.layout.state_file("hold"), Hold, "hold")
    hold = file.read()
    assert hold is not None and hold.wait_s == 60
    file.write(replace(hold, wait_s=0, wait_until=0))


def test_a_message_is_shown_and_a_refused_wipe_is_told(site: Site) -> None:
    say = site.order("message", args={"text": {"en": "Library closes at three"}})
    wipe = site.order("wipe", "ada")
    site.send(say, wipe)
    until(lambda: ("wipe", "refused", "under-signed") in site.told())
    until((Path(site.laptop.layout.public) / "messages.json").exists)
    (message,) = site.notice("messages.json")["messages"]
    assert (message["text"], message["from"]) == ({"en": "Library closes at three"}, ["ada"])
    assert "ada, " in (said := site.laptop.cli("status").stdout) and ": Library closes at three" in said
    assert trying.open_volume(str(site.laptop.folder), PASSPHRASES[0]) is not None


def test_what_came_of_an_order_goes_back_on_the_stick_that_brought_it(site: Site, tmp_path: Path) -> None:
    """The next stick may come in a month."""
    say = site.order("message", args={"text": {"en": "Library closes at three"}})
    site.school.mail(site.stand_in, *site.standing, say, site.order("lock"))
    site.school.publish()
    stick = Path(shutil.copytree(site.school.mirror, tmp_path / "stick"))
    shutil.rmtree(stick / "returns", ignore_errors=True)
    brought = site.laptop.cli("sync", "--from", str(stick))
    assert brought.returncode in (0, 2), brought.stderr
    left = sorted((stick / "returns").glob("receipt-*"))
    told = [site.opened(path.name, path.read_bytes()) for path in left]
    assert {("message", "done"), ("lock", "done")} <= {(one.kind, one.state) for one in told}
    assert "left on the stick: receipt-" in brought.stdout


def test_a_stick_with_another_sites_mail_orders_nothing(site: Site, tmp_path: Path) -> None:
    """Not even where the same persons with the same keys decide for both sites."""
    ours = site.school
    south = School(tmp_path / "south", site="south", at=ours.at, like=ours)
    lock = south.order(site.stand_in, "lock")
    south.mail(site.stand_in, south.order(site.stand_in), lock)
    south.publish()
    refused = site.laptop.cli("sync", "--from", str(south.mirror))
    assert refused.returncode in (1, 4) and "cannot " in refused.stderr, refused
    ours.mail(site.stand_in, *site.standing, lock)  # our own service has it in our own mailbox
    ours.publish()
    site.laptop.cli("sync", "--from", str(ours.mirror))
    assert not site.commands().get("locked") and site.log_in() == ""
    assert any(one["code"] == "wrong-site" for one in site.laptop.status()["refusals"])
    site.send(site.order("lock"))
    until(lambda: site.commands().get("locked"))


def test_two_persons_erase_after_the_grace_and_the_worker_with_the_disks_does_it(site: Site) -> None:
    wipe = site.order("wipe", "ada", "bo")
    site.send(wipe)
    until(lambda: site.commands().get("erase_at"))
    armed = site.notice("lock.json")["erase_at"]
    assert armed >= site.school.at + floors.GRACE
    assert trying.open_volume(str(site.laptop.folder), PASSPHRASES[0]) is not None
    site.laptop.set_clock(floors.GRACE + 120)
    site.send(wipe, at=int(time.time()) + floors.GRACE + 60)
    until(lambda: ("wipe", "done", "") in site.told())
    assert trying.open_volume(str(site.laptop.folder), PASSPHRASES[0]) is None
    until(lambda: "erase" in site.laptop.status()["workers"])
    assert site.laptop.status()["workers"]["command"]["failures"] == 0


def test_a_locked_laptop_stays_locked_when_everything_else_is_broken(site: Site) -> None:
    """I-3, I-5: no network, no policy, expired word, a clock in 1970."""
    site.send(site.order("lock"))
    until(lambda: site.commands().get("locked"))
    site.laptop.stop(signal.SIGKILL)
    Path(site.laptop.layout.agent_yaml).write_text("site: [\n")
    for state in ("enforcement", "compiled", "documents"):
        Path(site.laptop.layout.state_file(state)).unlink(missing_ok=True)
    site.laptop.set_clock(-int(time.time()))
    site.laptop.start()
    until(lambda: site.commands().get("locked"))
    assert site.log_in() != ""


#: Put at the end of the enforce worker's operations: it is killed at what ``FLAG`` names, each time.
DYING = """
import signal as _signal

def _dying(name, real):
    def run(*args, **named):
        if os.path.exists(FLAG) and open(FLAG).read() == name:
            os.kill(os.getpid(), _signal.SIGKILL)
        return real(*args, **named)
    return run

_apply = _dying("apply", _apply)
Machine.compile = _dying("compile", Machine.compile)
"""


@pytest.mark.parametrize("at", ["compile", "apply"])
def test_a_lock_is_obeyed_though_every_run_of_the_enforce_worker_dies(tmp_path: Path, at: str) -> None:
    """I-3: out of memory or time, say, over a policy that came in the same word."""
    tree, flag = tmp_path / "altered", tmp_path / "dies"
    shutil.copytree(REPOSITORY / "agent", tree / "agent", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "policies", tree / "policies")
    with open(tree / "agent/daemon/operations.py", "a") as program:
        program.write(DYING.replace("FLAG", repr(str(flag))))
    with sandbox(tree) as laptop:
        site = Site(tmp_path, laptop)
        until(lambda: laptop.status()["enrolment"] == "assigned")
        flag.write_text(at)
        site.school.policy(home="policy: home\n")
        site.school.mail(site.stand_in, *site.standing, site.order("lock"))
        site.school.publish()
        synced = laptop.cli("sync")
        assert "worker enforce" in synced.stderr, synced
        until(lambda: site.log_in() != "")
        until(lambda: ("lock", "done", "") in site.told())
        assert laptop.status()["workers"]["enforce"]["failures"] > 0
