"""OTLP as others understand it: the official messages, golden bytes, and anything at all given to our
decoder.
"""

from __future__ import annotations

import math
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from agent.core.errors import BookbagError
from agent.telemetry.declaration import Signal
from agent.telemetry.otlp import answer, decode, encode, wire
from agent.telemetry.otlp.understand import understand
from agent.telemetry.otlp.wire import Malformed
from agent.telemetry.records import LAPTOP, records
from agent.telemetry.report import Report
from tests.telemetry.samples import AT, COMPLIANCE, HEALTH, report

GOLDEN = Path(__file__).parents[1] / "cases" / "formats" / "telemetry"
OF = {"logs": "compliance", "metrics": "health"}


def attributes(pairs: object) -> dict[str, object]:
    """The attributes of an official message, as plain values."""
    return {one.key: plain(one.value) for one in pairs}  # type: ignore[attr-defined]


def plain(value: object) -> object:
    kind = value.WhichOneof("value")  # type: ignore[attr-defined]
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]  # type: ignore[attr-defined]
    if kind == "kvlist_value":
        return attributes(value.kvlist_value.values)  # type: ignore[attr-defined]
    return getattr(value, kind)


@pytest.mark.parametrize("signal", OF)
def test_golden_requests_are_written_and_read(signal: Signal) -> None:
    reports = [report(OF[signal], number) for number in (1, 2)]
    golden = (GOLDEN / f"{signal}.pb").read_bytes()
    assert encode.request(signal, reports) == golden
    understood = understand(signal, decode.groups(signal, golden))
    assert understood.reports == tuple(reports)
    assert understood.refused == 0


def test_the_official_messages_read_our_logs() -> None:
    request = ExportLogsServiceRequest.FromString(encode.request("logs", [report("compliance")]))
    (group,) = request.resource_logs
    resource = attributes(group.resource.attributes)
    assert resource["app.installation.id"] == "00112233445566778899aabbccddeeff"
    assert resource["service.name"] == "bookbag"
    assert resource["os.type"] == "linux"
    (scope,) = group.scope_logs
    assert (scope.scope.name, scope.scope.version) == ("bookbag.compliance", "1")
    assert attributes(scope.scope.attributes) == {
        "bookbag.report.id": f"{1:032x}",
        "bookbag.report.cause": "schedule",
    }
    (log,) = scope.log_records
    assert (log.event_name, log.time_unix_nano, log.severity_number) == ("bookbag.compliance", AT * 10**9, 9)
    assert log.observed_time_unix_nano == log.time_unix_nano
    fields = {one.attribute: COMPLIANCE[one.name] for one in records()["compliance"].fields}
    assert attributes(log.attributes) == fields


def test_the_official_messages_read_our_metrics() -> None:
    request = ExportMetricsServiceRequest.FromString(encode.request("metrics", [report("health")]))
    found: dict[str, float] = {}
    units: dict[str, str] = {}
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        units[metric.name] = metric.unit
        for point in metric.gauge.data_points:
            assert point.time_unix_nano == AT * 10**9
            extra = "".join(f" {key}={value}" for key, value in attributes(point.attributes).items())
            found[metric.name + extra] = (
                point.as_double if point.WhichOneof("value") == "as_double" else point.as_int
            )
    assert found["hw.battery.charge"] == 0.85
    assert found["bookbag.restart.needed"] == 1
    assert found["system.filesystem.usage system.filesystem.state=free"] == HEALTH["disk-free"]
    assert found["bookbag.spool.size bookbag.spool=outbox"] == 0
    assert len(found) == len(HEALTH), "each field has its own point"
    assert units["hw.battery.charge"] == "1" and units["system.filesystem.limit"] == "By"


def test_what_the_official_messages_write_is_read_by_us() -> None:
    """Packed anew by the reference implementation, in its order and with its choices."""
    logs = ExportLogsServiceRequest.FromString(encode.request("logs", [report("compliance")]))
    assert understand("logs", decode.groups("logs", logs.SerializeToString())).reports == (
        report("compliance"),
    )
    metrics = ExportMetricsServiceRequest.FromString(encode.request("metrics", [report("health")]))
    assert understand("metrics", decode.groups("metrics", metrics.SerializeToString())).reports == (
        report("health"),
    )


def test_an_answer_is_read_as_the_official_messages_mean_it() -> None:
    whole = ExportMetricsServiceResponse()
    assert answer.read(whole.SerializeToString()) == (0, "")
    assert answer.partial(0, "") == b""
    part = ExportMetricsServiceResponse()
    part.partial_success.rejected_data_points = 3
    part.partial_success.error_message = "no such laptop"
    assert answer.read(part.SerializeToString()) == (3, "no such laptop")
    assert answer.partial(3, "no such laptop") == part.SerializeToString()
    with pytest.raises(Malformed):
        answer.read(b"<html>")


def every_value(record: str) -> st.SearchStrategy[Report]:
    """Any report of ``record`` that the gate lets through."""
    names = [one.name for one in records()[record].fields]
    whole = HEALTH if record == "health" else COMPLIANCE
    return st.builds(
        lambda chosen, at, number: report(
            record, number, at=at, values={name: whole[name] for name in names if name in chosen}
        ),
        st.sets(st.sampled_from(names), min_size=1),
        st.integers(1, 4_000_000_000),
        st.integers(0, 2**128 - 1),
    )


@hypothesis.given(
    st.lists(every_value("compliance"), max_size=5), st.lists(every_value("health"), max_size=5)
)
def test_whatever_passes_the_gate_survives_the_journey(logs: list[Report], metrics: list[Report]) -> None:
    for signal, reports in (("logs", logs), ("metrics", metrics)):
        data = encode.request("logs" if signal == "logs" else "metrics", reports)
        found = understand(signal, decode.groups("logs" if signal == "logs" else "metrics", data))
        assert found.reports == tuple(reports)


@hypothesis.given(st.binary(max_size=400))
def test_any_bytes_are_a_request_or_malformed(data: bytes) -> None:
    for signal in ("logs", "metrics"):
        try:
            understand(signal, decode.groups("logs" if signal == "logs" else "metrics", data))
            answer.read(data)
        except Malformed:
            pass


@hypothesis.given(st.data())
def test_a_damaged_request_is_read_as_something_declared_or_not_at_all(data: st.DataObject) -> None:
    whole = bytearray(encode.request("logs", [report("compliance")]))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = understand("logs", decode.groups("logs", bytes(whole)))
    except Malformed:
        return
    for one in found.reports:
        encode.request("logs", [one])  # the gate is content with it


def test_every_truncation_ends() -> None:
    whole = encode.request("metrics", [report("health")])
    for length in range(len(whole)):
        try:
            understand("metrics", decode.groups("metrics", whole[:length]))
        except Malformed:
            continue


def nested(depth: int) -> bytes:
    """A log attribute of lists within lists."""
    value = wire.oneof_varint(3, 1)
    for _ in range(depth):
        value = wire.message(5, wire.message(1, value))
    log = wire.message(6, wire.text(1, "k") + wire.message(2, value))
    return wire.message(1, wire.message(2, wire.message(2, log)))


def test_depth_and_numbers_are_capped() -> None:
    decode.groups("logs", nested(3))
    for depth in (4, 5, 200, 20_000):
        with pytest.raises(Malformed, match="end"):
            decode.groups("logs", nested(depth))
    many = wire.message(1, wire.message(2, wire.oneof_varint(7, 1) * decode.MAX_FIELDS))
    with pytest.raises(Malformed, match="too many"):
        decode.groups("logs", many)
    with pytest.raises(Malformed, match="too many scopes"):
        decode.groups("logs", wire.message(1, wire.message(2, b"") * (decode.MAX_GROUPS + 1)))


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b",  # a group, given up long ago
        b"\x00\x01",  # field number 0
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # a length of 2^70
        b"\x0a\x05ab",  # longer than the message
        b"\x08" + b"\x80" * 11,  # a number that does not end
        b"\x09\x01\x02",  # half of a fixed64
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(Malformed):
        list(wire.fields(memoryview(data), wire.Budget(10)))


def test_unknown_fields_of_a_newer_laptop_are_passed_over() -> None:
    data = encode.request("logs", [report("compliance")])
    newer = wire.message(99, b"news") + data + wire.oneof_varint(77, 5)
    assert understand("logs", decode.groups("logs", newer)).reports == (report("compliance"),)
    request = ExportLogsServiceRequest.FromString(data)
    extra = request.resource_logs[0].scope_logs[0].log_records[0].attributes.add()
    extra.key, extra.value.string_value = "bookbag.added.later", "x"
    found = understand("logs", decode.groups("logs", request.SerializeToString()))
    assert found.reports == (report("compliance"),)


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (lambda log: setattr(log, "event_name", "other"), "event name"),
        (lambda log: setattr(log, "time_unix_nano", 0), "time"),
        (lambda log: setattr(log, "time_unix_nano", 2**63), "time"),
        (lambda log: setattr(log.attributes[4].value, "string_value", "lina's laptop"), "fingerprint"),
        (lambda log: setattr(log.attributes[0].value, "int_value", 5), "outcomes"),
    ],
)
def test_what_is_not_of_its_declared_form_is_refused_as_a_whole(alter: object, why: str) -> None:
    request = ExportLogsServiceRequest.FromString(encode.request("logs", [report("compliance")]))
    alter(request.resource_logs[0].scope_logs[0].log_records[0])  # type: ignore[operator]
    found = understand("logs", decode.groups("logs", request.SerializeToString()))
    assert (found.reports, found.refused) == ((), 1)
    assert why in found.why


def test_numbers_that_are_none_are_refused() -> None:
    for odd in (math.nan, math.inf, 1e300, 0.123456):
        request = ExportMetricsServiceRequest.FromString(encode.request("metrics", [report("health")]))
        metrics = request.resource_metrics[0].scope_metrics[0].metrics
        metrics[0].gauge.data_points[0].as_double = odd
        found = understand("metrics", decode.groups("metrics", request.SerializeToString()))
        assert not found.reports and "hw.battery.charge" in found.why


def test_no_bytes_are_made_of_what_the_gate_refuses() -> None:
    for leaking in (
        report("compliance", values={**COMPLIANCE, "hostname": "lina-laptop"}),
        report("compliance", values={**COMPLIANCE, "fingerprint": "lina-laptop"}),
        report("health", values={"battery-level": 83}),
        Report("browsing", "0" * 32, AT, "schedule", {}, {}),
    ):
        with pytest.raises(BookbagError) as refused:
            encode.request("logs" if leaking.record != "health" else "metrics", [leaking])
        assert refused.value.code == "not-allowed"
    assert {one.name for one in LAPTOP} == {"installation", "agent", "os", "os-version", "arch", "class"}
