"""The supervisor as a process: one per laptop, a clean end, a new start after any death, systemd's signs, its
configuration.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import tempfile
from pathlib import Path

from agent.daemon.notify import Notify
from tests.daemon.laptop import SandboxLaptop, until

GOOD = b"site: north\nurls: ['https://127.0.0.1:1/']\npoll: 1h\n"


def configured(laptop: SandboxLaptop, text: bytes) -> None:
    path = Path(laptop.layout.agent_yaml)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


def test_a_second_supervisor_is_refused(laptop: SandboxLaptop) -> None:
    laptop.start()
    second = laptop.cli("run")
    assert second.returncode == 1
    assert "looks after this laptop already" in second.stderr
    assert laptop.process is not None
    assert str(laptop.process.pid) in second.stderr
    assert laptop.answers()
    assert laptop.stop() == 0
    laptop.start()  # the lock went with its holder
    assert laptop.stop() == 0


def test_a_clean_end_leaves_no_socket_and_no_worker(laptop: SandboxLaptop) -> None:
    laptop.start()
    assert laptop.stop(signal.SIGTERM) == 0
    assert not os.path.exists(laptop.layout.control_socket)
    laptop.start()
    assert laptop.stop(signal.SIGINT) == 0


def test_killed_and_started_again(laptop: SandboxLaptop) -> None:
    for _ in range(3):
        laptop.start()
        assert laptop.stop(signal.SIGKILL) == -signal.SIGKILL
    laptop.start()
    assert laptop.cli("status").returncode == 0
    assert laptop.stop() == 0


def test_a_socket_deep_down(laptop: SandboxLaptop) -> None:
    """An address may have 107 bytes; a sandbox's folder more."""
    deep = laptop.folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    other = SandboxLaptop(deep)
    other.start()
    assert other.cli("status").returncode == 0
    assert other.stop() == 0


def test_the_status_file_is_for_everyone(laptop: SandboxLaptop) -> None:
    laptop.start()
    path = Path(laptop.layout.public) / "status.json"
    until(path.exists)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    until(lambda: json.loads(path.read_text())["enrolment"] == "none")
    assert laptop.stop() == 0


def test_systemd_hears_that_it_is_ready_alive_and_stopping(laptop: SandboxLaptop) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, tempfile.TemporaryDirectory() as folder:
        manager.bind(f"{folder}/notify")
        manager.settimeout(10)
        laptop.start(NOTIFY_SOCKET=f"{folder}/notify", WATCHDOG_USEC="400000")
        heard = [manager.recv(1000).decode() for _ in range(6)]
        laptop.stop()
        manager.settimeout(0.1)
        try:
            while True:
                heard.append(manager.recv(1000).decode())
        except TimeoutError:
            pass
    assert any(text.startswith("READY=1\nSTATUS=") for text in heard)
    assert heard.count("WATCHDOG=1") >= 2
    assert heard[-1] == "STOPPING=1"


def test_an_abstract_notify_socket_and_none() -> None:
    name = f"\0bookbag-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(5)
        notify = Notify({"NOTIFY_SOCKET": "@" + name[1:], "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"})
        notify.ready("a\nb")
        assert manager.recv(100) == b"READY=1\nSTATUS=a b"
        assert notify.watchdog_interval == 0  # meant for another process
        notify.close()
    silent = Notify({})
    silent.ready("nobody listens")
    assert silent.watchdog_interval == 0
    gone = Notify({"NOTIFY_SOCKET": "/nonexistent/notify"})
    gone.ready("nobody listens there either")
    gone.close()


def test_a_broken_agent_yaml_leaves_the_last_good_one_in_force(laptop: SandboxLaptop) -> None:
    configured(laptop, GOOD)
    laptop.start()
    until(lambda: laptop.status()["sync"]["poll_s"] == 3600)
    configured(laptop, GOOD.replace(b"poll: 1h", b"pol: 1h"))
    until(lambda: laptop.status()["errors"])
    status = laptop.status()
    (error,) = [one for one in status["errors"] if one["about"] == "configuration"]
    assert error["code"] == "bad-config"
    assert error["place"].endswith("agent.yaml:3:1")
    assert "'poll'" in error["remedy"]
    assert status["sync"]["poll_s"] == 3600
    assert laptop.cli("status").returncode == 4
    laptop.stop()
    laptop.start()  # also after a restart
    until(lambda: laptop.status()["sync"]["poll_s"] == 3600)
    configured(laptop, GOOD.replace(b"1h", b"2h"))
    until(lambda: laptop.status()["sync"]["poll_s"] == 7200)
    assert not [one for one in laptop.status()["errors"] if one["about"] == "configuration"]
    assert laptop.stop() == 0


def test_hangup_reads_the_configuration_again(laptop: SandboxLaptop) -> None:
    laptop.start()
    until(lambda: "configure" in laptop.status()["workers"])
    before = laptop.status()["workers"]["configure"]["runs"]
    assert laptop.process is not None
    laptop.process.send_signal(signal.SIGHUP)
    until(lambda: laptop.status()["workers"]["configure"]["runs"] > before)
    assert laptop.stop() == 0


def test_a_host_that_is_not_there_is_said_and_stops_nothing(laptop: SandboxLaptop) -> None:
    configured(laptop, GOOD)
    (Path(laptop.layout.etc) / "root.json").write_text("{}")
    laptop.start()
    answer = laptop.cli("sync")
    assert answer.returncode == 1
    assert "cannot reach" in answer.stderr
    status = laptop.status()
    assert [one["code"] for one in status["errors"]] == ["network"]
    assert status["sync"]["next_in_s"] <= 3600 * 1.2
    assert laptop.stop() == 0
