"""`bookbag doctor`: is everything around the agent as it must be? Each check is one small function; a failing
one stops no other.
"""

from __future__ import annotations

import argparse
import os
import socket
import stat
from collections.abc import Callable, Iterator

from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.client import Client
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon.jobs import WORKERS
from agent.daemon.wiring import CONTENT_USER, PORTAL_USER, SYNC_USER, open_host
from agent.host.locking.login_gate import PATH as LOGIN_GATE

SUMMARY = "check everything around the agent, and say what to do"
LEAST_FREE = 64 << 20  #: bytes
PORTAL_SECONDS = 10.0

Finding = tuple[str, str, str, str]  #: check, "ok" or an error code, what was seen, what to do


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace) -> int:
    """Exit 4 if any check fails."""
    layout = layout_of(args)
    found = [finding for check in CHECKS for finding in _safely(check, layout)]
    bad = any(code != "ok" for _, code, _, _ in found)
    if args.json:
        names = ("check", "code", "seen", "remedy")
        terminal.print_json(
            {"checks": [dict(zip(names, one, strict=True)) for one in found], "exit": 4 * bad}
        )
    else:
        rows = [
            (terminal.paint("✓", "green") if code == "ok" else terminal.paint("✗", "red"), name, seen)
            for name, code, seen, _ in found
        ]
        for (mark, name, seen), (_, _, _, remedy) in zip(rows, found, strict=True):
            print(
                f"{mark} {name:<14} {terminal.plain(seen)}"
                + (f"; {terminal.plain(remedy)}" if remedy else "")
            )
    return 4 if bad else 0


def check_supervisor(layout: Layout) -> Iterator[Finding]:
    """A supervisor answers, and its workers behave."""
    status = Client(layout, seconds=10).status().result
    yield "supervisor", "ok", "answers", ""
    for about in _list(status.get("errors")):
        yield (
            str(about.get("about")),
            str(about.get("code")),
            str(about.get("message")),
            str(about.get("remedy", "")),
        )
    for name, health in _dict(status.get("workers")).items():
        if "quarantined" in _dict(health):
            yield (
                f"worker {name}",
                "worker-died",
                "is quarantined",
                f"see: journalctl -u 'bookbag-worker-{name}@*'",
            )


def check_clock(layout: Layout) -> Iterator[Finding]:
    """The clock is believable."""
    clock = _dict(Client(layout, seconds=10).status().result.get("clock"))
    if clock.get("quality") == "suspect":
        yield (
            "clock",
            "clock-suspect",
            "is far ahead of any trusted time",
            "connect to the internet, or set it",
        )
    else:
        yield "clock", "ok", "agrees with trusted time" if clock else "not judged yet", ""


def check_folders(layout: Layout) -> Iterator[Finding]:
    """Who owns what, and who may look."""
    for path, mode in (
        (layout.state, 0o700),
        (layout.keys, 0o700),
        (layout.undo, 0o700),
        (layout.generations, 0o700),
        (layout.secrets, 0o700),
    ):
        yield _mode(path, mode)
    keys = f"{layout.keys}/device.json"
    if os.path.exists(keys):
        yield _mode(keys, 0o600)
    if not layout.root and os.path.isdir(layout.mirror):
        import pwd

        owner = pwd.getpwuid(os.stat(layout.mirror).st_uid).pw_name
        good = owner == SYNC_USER
        yield (
            "spool",
            "ok" if good else "bad-path",
            f"belongs to {owner}",
            "" if good else f"chown -R {SYNC_USER} {layout.spool}",
        )


def check_content(layout: Layout) -> Iterator[Finding]:
    """Learning content can come in, be kept and be read; and none of it is broken."""
    if not layout.root:
        for path, user, group in (
            (layout.blobs, SYNC_USER, CONTENT_USER),
            (layout.content, CONTENT_USER, PORTAL_USER),
            (f"{layout.content}/opened", CONTENT_USER, PORTAL_USER),
        ):
            yield _owner(path, user, group)
    told = Client(layout, seconds=10).content().result
    counts = _dict(told.get("counts"))
    here = counts.get("ready", 0)
    bad = {name: counts[name] for name in ("refused", "mending", "over-quota") if counts.get(name)}
    said = ", ".join(f"{count} {name}" for name, count in bad.items())
    yield (
        "content",
        "bad-content" if bad else "ok",
        f"{here} items are here" + (f", {said}" if said else ""),
        "see: bookbag content" if bad else "",
    )


def check_space(layout: Layout) -> Iterator[Finding]:
    """Room to write state."""
    found = os.statvfs(layout.var)
    free = found.f_bavail * found.f_frsize
    good = free >= LEAST_FREE
    yield (
        "free space",
        "ok" if good else "disk-full",
        f"{free >> 20} MiB in {layout.var}",
        "" if good else "free some space",
    )


def check_units(layout: Layout) -> Iterator[Finding]:
    """The service manager listens for every worker."""
    if layout.root:
        yield "units", "ok", "none in a sandbox: workers are forks", ""
        return
    missing = [name for name in sorted(WORKERS) if not stat.S_ISSOCK(_kind(layout.worker_socket(name)))]
    if missing:
        yield (
            "units",
            "not-running",
            f"no socket for {', '.join(missing)}",
            "systemctl enable --now 'bookbag-worker-*.socket'",
        )
    else:
        yield "units", "ok", "every worker's socket is there", ""


def check_portal(layout: Layout) -> Iterator[Finding]:
    """The students' pages come when somebody opens them."""
    if layout.root:
        yield "portal", "ok", f"in a sandbox: `bookbag portal --root {layout.root}`", ""
        return
    from agent.cli.portal import configured_port

    port = configured_port(layout)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PORTAL_SECONDS) as sock:
            sock.settimeout(PORTAL_SECONDS)
            sock.sendall(f"GET /help HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            good = sock.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        good = False
    yield (
        "portal",
        "ok" if good else "not-running",
        f"http://127.0.0.1:{port}/ " + ("answers" if good else "does not answer"),
        "" if good else "systemctl enable --now bookbag-portal.socket bookbag-portal-content.socket",
    )


def check_lock(layout: Layout) -> Iterator[Finding]:
    """What a lock would be worth here, and that nobody is kept out by mistake."""
    host = open_host(layout, enrolling=True)
    grade = host.facts.lock_grade()
    mend = "" if grade else "run the installer again, as root"
    yield "lock", "ok" if grade else "not-supported", f"a lock would be of grade {grade} of 4", mend
    if host.files.read(LOGIN_GATE) is None:
        yield (
            "lock",
            "not-found",
            f"only system users can log in: {LOGIN_GATE} is missing",
            "run the installer again",
        )


CHECKS: tuple[Callable[[Layout], Iterator[Finding]], ...] = (
    check_supervisor,
    check_clock,
    check_folders,
    check_content,
    check_space,
    check_units,
    check_portal,
    check_lock,
)


def _safely(check: Callable[[Layout], Iterator[Finding]], layout: Layout) -> list[Finding]:
    name = check.__name__.removeprefix("check_")
    found: list[Finding] = []
    try:
        found += check(layout)
    except BookbagError as problem:
        found.append((name, problem.code, problem.message, problem.remedy))
    except OSError as problem:
        found.append((name, "io-error", f"{problem.strerror}: {problem.filename}", "run it as root"))
    return found


def _mode(path: str, wanted: int) -> Finding:
    name = os.path.basename(path)
    found = stat.S_IMODE(os.stat(path).st_mode)
    good = found == wanted
    return (
        name,
        "ok" if good else "bad-path",
        f"mode {found:04o}",
        "" if good else f"chmod {wanted:04o} {path}",
    )


def _owner(path: str, user: str, group: str) -> Finding:
    import grp
    import pwd

    name = os.path.basename(path)
    found = os.stat(path)
    seen = pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name
    good = seen == (user, group)
    remedy = "" if good else "systemd-tmpfiles --create bookbag.conf"
    return name, "ok" if good else "bad-path", f"belongs to {':'.join(seen)}", remedy


def _kind(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0


def _list(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
