"""What sender and receiver agree on beside the reports; above all the body of an answer: whether the receiver
took all, and if not, how much it would not have, and why.
"""

from __future__ import annotations

from agent.telemetry.otlp import wire
from agent.telemetry.otlp.wire import Budget

MAX_BYTES = 64 << 10
CONTENT_TYPE = "application/x-protobuf"
#: The header that says whose reports a request holds, as they do themselves: a receiver that has to do with
#: nobody else need not read them first. Other receivers pass it over.
INSTALLATION = "Bookbag-Installation"
_MAX_FIELDS = 1000


def partial(rejected: int, message: str) -> bytes:
    """An Export…ServiceResponse; both kinds have one form. Without a rejection it is empty."""
    if not rejected and not message:
        return b""
    return wire.message(1, wire.varint(1, rejected) + wire.text(2, message))


def read(data: bytes) -> tuple[int, str]:
    """(how many were rejected, the receiver's words). Raises Malformed."""
    rejected, message = 0, ""
    budget = Budget(_MAX_FIELDS)
    for number, kind, value in wire.fields(memoryview(data), budget):
        if number == 1:
            for inner, sort, one in wire.fields(wire.as_view(kind, value), budget):
                if inner == 1:
                    rejected = max(0, wire.as_int(sort, one))
                elif inner == 2:
                    message = wire.as_text(sort, one)
    return rejected, message
