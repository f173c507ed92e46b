"""The portal as systemd starts it on a laptop: at the first visit, behind its walls, for each student
their own; and gone again when nobody is there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.lab.browser import Browser
from tests.lab.laptop import Laptop
from tests.portal.library import furnish

pytestmark = pytest.mark.lab

UNITS = ("bookbag-portal.socket", "bookbag-portal-content.socket")
SERVICE = "bookbag-portal.service"
STORE = "/var/lib/bookbag/content"
#: Asks as whoever runs it: argv is port, path, and for a form its fields.
ASK = """
import json, sys, urllib.error, urllib.parse, urllib.request
port, path, fields = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
url = f"http://127.0.0.1:{port}"
data = urllib.parse.urlencode(fields).encode() if fields else None
headers = {"Origin": url} if fields else {}
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *words):
        return None
opener = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))
try:
    answer = opener.open(urllib.request.Request(url + path, data, headers), timeout=20)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode("utf-8", "replace")]))
"""
#: Stands in for the portal's program, inside its unit's walls.
PROBE = r"""#!/opt/bookbag/bin/python
import ctypes, json, os, socket

def went(what):
    try:
        what()
    except OSError as error:
        return error.strerror
    return True

def write(path):
    with open(path, "w") as file:
        file.write("x")
    os.unlink(path)

def connect(port):
    socket.create_connection(("127.0.0.1", port), timeout=2).close()

result = {name: went(what) for name, what in {
    "read keys": lambda: os.listdir("/var/lib/bookbag/keys"),
    "list state": lambda: os.listdir("/var/lib/bookbag/state"),
    "read ledger": lambda: os.listdir("/var/lib/bookbag/ledger"),
    "control socket": lambda: os.listdir("/run/bookbag"),
    "read public": lambda: os.listdir("/var/lib/bookbag/public"),
    "read content": lambda: os.listdir("/var/lib/bookbag/content"),
    "write content": lambda: write("/var/lib/bookbag/content/x"),
    "write public": lambda: write("/var/lib/bookbag/public/x"),
    "list what was asked": lambda: os.listdir("/var/lib/bookbag/asks"),
    "read root's book": lambda: open("/var/lib/bookbag/asks/book.json").close(),
    "write what root tells": lambda: write("/var/lib/bookbag/asks/told.json"),
    "leave a request": lambda: write("/var/lib/bookbag/asks/in/x"),
    "write its own": lambda: write("/var/lib/bookbag/portal/x"),
    "write /etc": lambda: write("/etc/x"),
    "read a home": lambda: os.listdir("/home/student"),
    "internet socket": lambda: socket.socket(socket.AF_INET),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "ssh on loopback": lambda: connect(22),
}.items()}
result["uid"] = os.getuid()
result["sockets"] = os.environ["LISTEN_FDNAMES"]
with open("/var/lib/bookbag/portal/probe", "w") as file:
    json.dump(result, file)
"""


@pytest.fixture
def laptop(school_laptop: Laptop, tmp_path: Path) -> Laptop:
    """With sockets listening and a library that a content worker might have made."""
    school_laptop.run(["systemd-tmpfiles", "--create", "bookbag.conf"])
    furnish(tmp_path / "store")
    store = school_laptop.path(STORE)
    store.mkdir(exist_ok=True)
    shutil.copytree(tmp_path / "store", store, dirs_exist_ok=True)
    school_laptop.run(["chmod", "-R", "a+rX", STORE])
    school_laptop.run(["systemctl", "start", *UNITS])
    return school_laptop


def ask(
    laptop: Laptop,
    path: str,
    fields: dict[str, str] | None = None,
    *,
    user: str = "student",
    port: int = 8642,
) -> tuple[int, str]:
    done = laptop.run(["python3", "-c", ASK, str(port), path, json.dumps(fields or {})], user=user)
    status, text = json.loads(done.stdout)
    return int(status), str(text)


def active(laptop: Laptop) -> bool:
    return laptop.run(["systemctl", "is-active", SERVICE], check=False).stdout.strip() == "active"


def test_it_begins_with_the_first_visit_and_ends_by_itself(laptop: Laptop) -> None:
    assert not active(laptop)
    status, page = ask(laptop, "/")
    assert status == 200 and "Alice" in page
    assert active(laptop)
    assert ask(laptop, "/laptop")[0] == 200
    laptop.run(
        ["systemctl", "stop", SERVICE]
    )  # as it does by itself after five minutes: see tests/portal/test_process
    assert not active(laptop)
    assert ask(laptop, "/help")[0] == 200, "and begins again"
    checks = json.loads(laptop.run(["bookbag", "doctor", "--json"], check=False).stdout)["checks"]
    assert {one["check"]: one["code"] for one in checks}["portal"] == "ok"
    laptop.run(["systemctl", "stop", *UNITS, SERVICE])
    checks = json.loads(laptop.run(["bookbag", "doctor", "--json"], check=False).stdout)["checks"]
    assert {one["check"]: one["code"] for one in checks}["portal"] == "not-running"
    log = laptop.run(["journalctl", "--unit", SERVICE, "--output=cat"]).stdout
    assert "Traceback" not in log and "alice" not in log.lower(), "what students read is nowhere logged"


def test_each_student_has_their_own_and_nobody_has_anothers(laptop: Laptop) -> None:
    page = ask(laptop, "/item/science.water")[1]
    token = re.search(r'name="token" value="([0-9a-f]{32})"', page)
    assert token is not None and "data-place" in page
    form = {"token": token[1], "second": "73"}
    assert ask(laptop, "/item/science.water/place", form)[0] == 204
    assert 'data-start="73"' in ask(laptop, "/item/science.water")[1]
    assert 'data-start="0"' in ask(laptop, "/item/science.water", user="teacher")[1]
    assert ask(laptop, "/item/science.water/place", form, user="teacher")[0] == 403
    assert "data-place" not in ask(laptop, "/item/science.water", user="root")[1], "root is a guest"
    laptop.run(["systemctl", "stop", SERVICE])
    assert 'data-start="73"' in ask(laptop, "/item/science.water")[1], "it outlives the process"
    kept = laptop.run(["ls", "/var/lib/bookbag/portal"]).stdout.split()
    assert kept == ["1000.json", "secret"]
    denied = laptop.run(["cat", "/var/lib/bookbag/portal/1000.json"], user="teacher", check=False)
    assert denied.returncode != 0


def test_its_walls(laptop: Laptop) -> None:
    laptop.write("/usr/local/lib/probe", PROBE, mode=0o755)
    laptop.write("/var/lib/bookbag/asks/book.json", "{}", mode=0o600)
    laptop.write(
        f"/etc/systemd/system/{SERVICE}.d/50-probe.conf",
        "[Service]\nExecStart=\nExecStart=/usr/local/lib/probe\n",
    )
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "start", SERVICE])
    path = "/var/lib/bookbag/portal/probe"
    laptop.wait_until(lambda: laptop.exists(path), 20, "the probe", unit=SERVICE)
    laptop.wait_until(lambda: laptop.read(path), 5, "its words")
    found: dict[str, Any] = json.loads(laptop.read(path))
    assert found.pop("uid") == laptop.account("bookbag-portal")[0]
    assert sorted(found.pop("sockets").split(":")) == ["content", "portal", "portal"]
    may = {name for name, went in found.items() if went is True}
    assert may == {
        "read public",
        "read content",
        "write its own",
        "list what was asked",
        "leave a request",
    }, found
    outside = laptop.run(
        ["python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 22))"], check=False
    )
    assert outside.returncode == 0, "the control: that port is there for others"


def test_the_laptops_own_browser_shows_it_as_the_student(laptop: Laptop) -> None:
    with Browser(laptop) as window:
        page = window.open("http://127.0.0.1:8642/item/library.alice", screenshot="portal-lab")
        assert page.error == "" and "Alice’s Adventures" in page.title
        assert "Favourite" in page.text, "it knows the student"
        again = window.open("http://127.0.0.1:8642/")
        assert "Go on" in again.text
    assert "Go on" not in ask(laptop, "/", user="teacher")[1]


def test_another_port_from_agent_yaml(laptop: Laptop) -> None:
    laptop.write("/etc/bookbag/agent.yaml", "site: north\nurls: []\nportal-port: 9000  # ours\n")
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "restart", *UNITS])
    assert ask(laptop, "/help", port=9000)[0] == 200
    assert "data-place" in ask(laptop, "/item/science.water", port=9000)[1], "it still knows the student"
    assert "http://127.0.0.1:9001/" in ask(laptop, "/item/science.water", port=9000)[1]
    with pytest.raises(Exception, match="refused"):
        ask(laptop, "/help")
    shown = laptop.run(["bookbag", "portal"], user="student").stdout.strip()
    assert shown == "http://127.0.0.1:9000/"
    for wrong in ("portal-port: 80", "portal-port: x", "portal-port: 99999"):
        laptop.write("/etc/bookbag/agent.yaml", f"site: north\nurls: []\n{wrong}\n")
        laptop.run(["systemctl", "daemon-reload"])
        laptop.run(["systemctl", "restart", *UNITS])
        assert ask(laptop, "/help")[0] == 200
