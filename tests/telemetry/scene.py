"""A sandbox laptop with a school whose policy names records, and a receiver: all that a report travels
through.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.trust.enrolment import EnrolFile, make_token
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.leaks import REPOSITORY
from tests.sync.server import Host, Tls, make_tls, static_host
from tests.telemetry.receiver import Receiver, receiving
from tests.trust.school import School

POLICY = """\
policy: reports
rank: school
owner: ict@north.example
review-by: "2027-08-01"
settings:
  telemetry.records: {records}
"""
BOTH = "[compliance, health]"


@dataclass
class Scene:
    """The laptop is enrolled and has the policy; nothing was reported yet."""

    laptop: SandboxLaptop
    school: School
    host: Host
    receiver: Receiver
    tls: Tls

    def decide(self, records: str, codes: tuple[int, ...] = (0, 2), **more: Any) -> None:
        """Sign another decision about telemetry (and ``more`` documents), and let the laptop have it."""
        self.school.policy(reports=POLICY.format(records=records), **more)
        self.school.at += 1
        self.school.publish(self.school.at)
        done = self.laptop.cli("sync")
        assert done.returncode in codes, done.stdout + done.stderr

    def now(self, *, code: int = 0) -> None:
        """A report at once."""
        done = self.laptop.cli("telemetry", "--now")
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"


@contextlib.contextmanager
def scene(folder: Path, records: str = BOTH, *, tree: Path = REPOSITORY, **documents: Any) -> Iterator[Scene]:
    """Everything up and running, from the program in ``tree``."""
    school = School(folder / "desk", at=int(time.time()))
    school.policy(reports=POLICY.format(records=records), **documents)
    school.publish()
    tls = make_tls(folder / "tls")
    with static_host(school.mirror, tls) as host, receiving(tls) as receiver, sandbox(tree) as laptop:
        root = (school.mirror / "metadata" / "1.root.json").read_bytes()
        file = EnrolFile("north", (host.url,), tls.ca.read_text(), root, make_token(), receiver.url)
        path = folder / "enrol.json"
        path.write_bytes(file.to_bytes())
        laptop.start()
        enrolled = laptop.cli("enrol", str(path))
        assert enrolled.returncode == 0, enrolled.stderr
        assert laptop.cli("sync").returncode in (0, 2)  # 0: its own first round was quicker
        until(lambda: laptop.status()["fingerprint"])
        yield Scene(laptop, school, host, receiver, tls)
        laptop.stop()
