"""Joining a site, as far as a refresh carries it: ask once there is a verified trust document, stop asking
once a person assigned us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.core import returns
from agent.core.errors import BookbagError
from agent.daemon import wiring
from agent.daemon.machine import Machine
from agent.daemon.pending import Enrolment, enrolment_file
from agent.trust.enrolment import Token, make_request, return_name
from agent.trust.identity import serial_hash
from agent.trust.verified import Verified
from agent.trust.view import SiteView


def go_on(machine: Machine, word: Verified[SiteView]) -> None:
    """After a verified word: put the request in the outbox, or note that the laptop is assigned."""
    view = word.value
    file = enrolment_file(machine.layout)
    pending = machine.tolerant(file.read)
    identity = wiring.identity_of(machine.layout)
    if pending is None or identity is None or pending.stage == "assigned":
        return
    if view.assignment is not None:
        wiring.open_outbox(machine.layout).remove(return_name(pending.token))
        file.write(replace(pending, stage="assigned", secret=b""))
    elif pending.stage == "made":
        serial = serial_hash(view.site, machine.host.facts.serial())
        request = make_request(identity, Token(pending.token, pending.secret), view.trust, serial)
        wiring.open_outbox(machine.layout).put(return_name(pending.token), request)
        file.write(replace(pending, stage="asked"))
        machine.record("enrol", view.site, "asked", message=f"token {pending.token}")


def delivered(machine: Machine, names: Sequence[str], *, already: bool) -> None:
    """The sync worker says these returns were delivered, or (``already``) that others of their name were
    there before: of a request to be enrolled that is an answer, a receipt is kept whatever bears its name.

    It could lie; then a return is lost, which whoever runs the host can bring about anyhow.
    """
    outbox = wiring.open_outbox(machine.layout)
    waiting = set(outbox.names())
    for name in names:
        if name not in waiting or (already and not name.startswith(returns.ENROL)):
            continue
        _enrolment_delivered(machine, name, already=already)
        outbox.remove(name)
        machine.record(
            "return", name, "already-done" if already else "delivered", "already-done" if already else ""
        )


def _enrolment_delivered(machine: Machine, name: str, *, already: bool) -> None:
    file = enrolment_file(machine.layout)
    pending: Enrolment | None = machine.tolerant(file.read)
    if pending is None or pending.stage != "asked" or return_name(pending.token) != name:
        return
    file.write(replace(pending, stage="refused" if already else "delivered"))
    if already:
        machine.troubles.append(
            BookbagError(
                "already-done",
                "cannot enrol: a request with this token was there before",
                place=pending.token,
                remedy="if the desk does not list this laptop, make a new token and enrol again",
            )
        )
