"""enrol: make this laptop a member of a site, from the file that IT carried to it. No network, no trust on
first use.

Each step is durable before the next, agent.yaml comes last, and all may be repeated with the same file after
any interruption. The request to the desk is made later, by the first refresh: it is sealed to persons of the
*verified* trust document.
"""

from __future__ import annotations

import os

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Entry
from agent.daemon import wiring
from agent.daemon.enforced import Pause, pause_file
from agent.daemon.lock import Lock
from agent.daemon.pending import Enrolment, enrolment_file
from agent.daemon.settings import Settings, is_receiver, is_url, write_settings
from agent.daemon.worker import Context
from agent.store import atomic
from agent.trust.enrolment import EnrolFile
from agent.trust.identity import DeviceIdentity, mailbox_name

#: Why a laptop that was in use before is left alone at first.
LOOK = "what is there is looked at before anything is changed"


def run(context: Context) -> int:
    """Take the enrol file in the request's ``file`` (its text)."""
    layout = context.layout
    host = wiring.open_host(layout, enrolling=True)
    wiring.prepare(layout)
    file = EnrolFile.from_bytes(context.text("file").encode())
    check(file)
    before = enrolment_file(layout).read()
    same = before is not None and before.token == file.token.id
    identity = wiring.identity_of(layout)
    if identity is not None and not same:
        if context.request.get("again") is not True:
            raise BookbagError(
                "already-done",
                "cannot enrol: this laptop is enrolled already",
                place=layout.agent_yaml,
                remedy="with `--again` it becomes a new device and forgets its former life",
            )
        leave(layout, before.site if before else "", file)
        identity = None
    dropped = 0
    if identity is None:
        dropped = forget_returns(layout)
        identity = DeviceIdentity.generate()
        atomic.write(wiring.identity_path(layout), identity.to_bytes(), mode=0o600)
    if not same:
        enrolment_file(layout).write(joined(file, identity.id))
    atomic.write(layout.bootstrap_root, file.root, mode=0o644)
    if file.ca:
        atomic.write(layout.ca, file.ca.encode(), mode=0o644)
    else:
        atomic.remove(layout.ca)
    if host.volumes is not None:
        host.volumes.remember()
    look = context.request.get("look") is True
    if look:
        pause_file(layout).write(Pause(0, "", LOOK, 0))
    atomic.write(
        layout.agent_yaml,
        write_settings(Settings(file.site, file.urls, telemetry_url=file.telemetry_url)),
        mode=0o644,
    )
    at = wiring.open_clock(layout, host).now().at
    message = f"as device {identity.id} with token {file.token.id}"
    message += "; nothing is changed before somebody has looked" if look else ""
    message += f"; {dropped} returns of its former life were dropped" if dropped else ""
    wiring.open_ledger(layout).append(Entry("enrol", file.site, "done", message=message, at=at))
    context.result({"site": file.site, "device": identity.id, "urls": list(file.urls), "look": look})
    return 0


def joined(file: EnrolFile, device: str) -> Enrolment:
    """What is remembered of it."""
    return Enrolment(
        file.site, file.token.id, file.token.secret, "made", device, mailbox_name(file.site, device)
    )


def check(file: EnrolFile) -> None:
    """What would only fail later, refused now: no usable address, a root that is none, or of another site."""
    bad = [url for url in file.urls if not is_url(url)]
    if file.telemetry_url and not is_receiver(file.telemetry_url):
        bad.append(file.telemetry_url)
    if bad:
        raise BookbagError(
            "bad-request", f"cannot enrol: {bad[0][:200]!r} is no usable address", place="enrol file:urls"
        )
    file.check_root()


def leave(layout: Layout, site: str, file: EnrolFile) -> None:
    """Put the former life away: its keys for good; what was accepted from a site only if the site changes.
    The keys go last: as long as they are there, whoever is cut off here begins again."""
    for path in (
        layout.state_file("high-water"),
        f"{layout.state_file('high-water')}.2",
        layout.state_file("enforcement"),
    ):
        if site != file.site and os.path.exists(path):
            atomic.set_aside(path)
    obeying = Lock.take(f"{layout.state}/command.lock", wait=True)  # an order under way could bring them back
    try:
        if site != file.site:  # of the same one they go on: its Wi-Fi may be the way to its next word
            wiring.open_secrets(layout).forget()
        atomic.remove(wiring.identity_path(layout))
    finally:
        obeying.release()


def forget_returns(layout: Layout) -> int:
    """Drop what a former life still had to tell: no desk would believe it any more; and what was arranged for
    whoever had it. Returns how much was to be told."""
    obeying = Lock.take(f"{layout.state}/command.lock", wait=True)  # or an order under way tells one more
    asking = Lock.take(f"{layout.asks}/lock", wait=True)  # likewise a request
    try:
        wiring.open_arranged(layout).forget()
        atomic.remove(wiring.told_arranged(layout))
        outbox = wiring.open_outbox(layout)
        names = outbox.names()
        for name in names:
            outbox.remove(name)
    finally:
        asking.release()
        obeying.release()
    return len(names)
