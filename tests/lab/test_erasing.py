"""On a real laptop, behind the erase worker's walls, an encrypted volume's keys are destroyed for good."""

from __future__ import annotations

import json

import pytest

from tests.lab.laptop import Laptop
from tests.lab.routes import PYTHON

FOLDER, PATH = "/srv/school", "/srv/school/diary.luks"
FIRST, SECOND = "the programme's own key", "what the student types"
FORMAT = "--batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000"
#: Stands in for the erase worker; says what it saw before and after.
ERASE = """
import json, sys
from agent.core.layout import Layout
from agent.host import choose

volumes = choose.open_host(Layout(), enrolling=True).volumes
sys.stdin.readline()
name = volumes.names()[0]
before, sample = volumes.keyslots(name), volumes.sample(name)
volumes.erase_keys(name)
after, left = volumes.keyslots(name), volumes.sample(name)
slots = {"before": before.slots, "after": after.slots}
print(json.dumps({"name": name, **slots, "blocks": len(sample), "left": len(left)}))
"""
ASK = """
import select, sys
from agent.core.layout import Layout
from agent.host.workers import SystemdWorkers
worker = SystemdWorkers(Layout()).start("erase", b"{}")
while select.select([worker], [], [], 60)[0]:
    try:
        piece = worker.read()
    except BlockingIOError:
        continue
    if not piece:
        break
    sys.stdout.write(piece.decode())
"""


def opens(laptop: Laptop, passphrase: str) -> bool:
    asked = ["cryptsetup", "open", "--test-passphrase", "--key-file", "-", PATH]
    return laptop.run(asked, input=passphrase, check=False).returncode == 0


@pytest.mark.parametrize("kind", ["luks1", "luks2"])
def test_keys_are_destroyed_behind_the_workers_walls(kind: str, school_laptop: Laptop) -> None:
    laptop = school_laptop
    words = [word for word in FORMAT.split() if kind == "luks2" or word not in ("--pbkdf", "pbkdf2")]
    laptop.write("/root/first", FIRST)
    laptop.write("/root/second", SECOND)
    laptop.run(["install", "-d", "-m", "700", FOLDER])
    laptop.run(["truncate", "-s", "40M", PATH])
    laptop.run(["chmod", "600", PATH])
    laptop.run(["cryptsetup", "luksFormat", "--type", kind, *words, PATH, "/root/first"])
    laptop.run(["cryptsetup", "luksAddKey", *words, "--key-file", "/root/first", PATH, "/root/second"])
    assert opens(laptop, FIRST) and opens(laptop, SECOND) and not opens(laptop, "another")

    uuid = laptop.run(["cryptsetup", "luksUUID", PATH]).stdout.strip()
    laptop.write("/etc/bookbag/volumes.json", json.dumps({"v": 1, "volumes": [{"uuid": uuid, "path": PATH}]}))
    for path, text in (("/usr/lib/lab/erase.py", ERASE), ("/usr/lib/lab/ask_erase.py", ASK)):
        laptop.write(path, text)
    drop_in = f"[Service]\nExecStart=\nExecStart={PYTHON} /usr/lib/lab/erase.py\n"
    laptop.write("/etc/systemd/system/bookbag-worker-erase@.service.d/90-lab.conf", drop_in)
    laptop.run(["systemd-tmpfiles", "--create", "bookbag.conf"])
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "start", "bookbag-worker-erase.socket"])

    said = json.loads(laptop.run([PYTHON, "/usr/lib/lab/ask_erase.py"], timeout=90).stdout)
    assert said["name"] == PATH
    assert (said["before"], said["after"], said["left"]) == ([0, 1], [], 0)
    assert said["blocks"] > 500
    assert not opens(laptop, FIRST) and not opens(laptop, SECOND)
    laptop.crash()
    laptop.boot()
    assert not opens(laptop, FIRST) and not opens(laptop, SECOND)
