"""A receiver that others wrote takes what we send: `oteltap`, an OTLP receiver in Rust, over real HTTP."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.sync.connection import Deadline
from agent.sync.https import HttpsSource
from agent.sync.reports import Deliverer
from agent.telemetry.memory import MemoryFile
from agent.telemetry.outbox import Outbox
from agent.telemetry.sent import Sent
from tests.daemon.laptop import until
from tests.telemetry.samples import AT, report


@contextmanager
def oteltap() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The receiver as a process of its own; what it understood goes to its standard output."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "oteltap", "--port", str(port)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        until(lambda: listens(port))
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_a_receiver_of_others_takes_and_understands_both_records(tmp_path: Path) -> None:
    (tmp_path / "telemetry").mkdir()
    outbox = Outbox(str(tmp_path / "telemetry" / "out"))
    for record in ("compliance", "health"):
        outbox.put(report(record))
    with oteltap() as (url, process):
        receiver = HttpsSource(url, "", Deadline(20))
        memory = MemoryFile(str(tmp_path / "telemetry"))
        sent = Sent(str(tmp_path / "telemetry" / "sent"))
        this = Deliverer(receiver, outbox, sent, memory, AT).run()
        receiver.close()
        assert (this.taken, this.error, outbox.waiting()) == (2, None, [])
        lines: list[str] = []
        assert process.stdout is not None
        while not (lines and "bookbag.spool.size" in lines[-1]):
            lines.append(process.stdout.readline())
    said = [json.loads(line) for line in lines if line.startswith("{")]
    log = next(one for one in said if one.get("eventName") == "bookbag.compliance")
    assert log["timeUnixNano"] == str(AT * 10**9)
    values = {one["key"]: one["value"] for one in log["attributes"]}
    assert values["bookbag.clock.quality"] == {"stringValue": "good"}
    rows = values["bookbag.exceptions"]["arrayValue"]["values"]
    assert rows == [{"stringValue": "screen-lock.after not-effective"}]
    points = {one["name"]: one["gauge"]["dataPoints"] for one in said if "gauge" in one}
    assert points["hw.battery.charge"][0]["asDouble"] == 0.85
    assert len(points["bookbag.spool.size"]) == 2


@pytest.mark.slow
def test_the_control_it_does_refuse_what_is_none(tmp_path: Path) -> None:
    del tmp_path
    with oteltap() as (url, _):
        receiver = HttpsSource(url, "", Deadline(20))
        headers = {"Content-Type": "application/x-protobuf"}
        assert receiver.post("v1/logs", headers, b"\x0b\x0c\xff", 1000).status == 400
        receiver.close()
