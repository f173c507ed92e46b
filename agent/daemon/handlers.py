"""One answer per verb of routes.py. Nothing here does work: it hands the question to a part or a worker, and
the reply back.
"""

from __future__ import annotations

import os
import sys

from agent.core.errors import BookbagError
from agent.daemon.jobs import MAX_WAITING, MAX_WAITING_FOR_ANYONE, Job
from agent.daemon.schedule import MAX_PAUSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.daemon.control import Call
    from agent.daemon.supervisor import Supervisor

MAX_REASON = 200  #: characters
MAX_CODE = 64
MAX_PROGRAM = 101


def status(agent: Supervisor, call: Call) -> None:
    """How this laptop stands."""
    whole = agent.status()
    call.result(whole)
    code = whole["exit"]
    call.end(code if isinstance(code, int) else 1)


def explain(agent: Supervisor, call: Call) -> None:
    """Who set a key, why, and what was there before."""
    at = agent.enforcing.trusted_now or 0
    request: dict[str, object] = {"op": "key", "key": _text(call, "key", 200), "at": at}
    room = MAX_WAITING if call.uid in (0, os.geteuid()) else MAX_WAITING_FOR_ANYONE
    agent.jobs.submit(Job("explain", request, _replying(call), call.event), room=room)


def ledger(agent: Supervisor, call: Call) -> None:
    """The newest entries of the ledger, and whether its chain holds."""
    newest = call.args.get("newest", 50)
    if not isinstance(newest, int) or not 1 <= newest <= 500:
        raise BookbagError("bad-request", "cannot show that many entries: newest must be 1 to 500")
    agent.jobs.submit(Job("explain", {"op": "ledger", "newest": newest}, _replying(call), call.event))


def unlock(agent: Supervisor, call: Call) -> None:
    """Open a locked laptop with the code that the school answered."""
    agent.commanding.unlock(_text(call, "code", MAX_CODE), _replying(call), call.event)


def sync(agent: Supervisor, call: Call) -> None:
    """Look for news now, at the host or in a folder, and enforce what is found."""
    folder = call.args.get("from")
    if folder is not None:
        folder = _text(call, "from", 4000)
        if not os.path.isabs(folder):
            raise BookbagError("bad-request", "cannot sync from a relative path", place=folder)
    if agent.syncing.config:
        agent.syncing.now(folder, call)
        return

    def configured(_: Job) -> None:
        try:
            agent.syncing.now(folder, call)
        except BookbagError as problem:
            call.error(problem.to_dict())
            call.end(1)

    agent.reload(configured)  # asked right after the start, before agent.yaml was read


def content(agent: Supervisor, call: Call) -> None:
    """How every item of learning content stands; with ``want``, that one is fetched before all others."""
    if "want" in call.args:
        agent.fetching.want(_text(call, "want", 80))
    call.result({**agent.fetching.known, "missing": len(agent.fetching.missing)})
    call.end(0)


def software(agent: Supervisor, call: Call) -> None:
    """The programs that are offered here, as the caller sees them; with ``op`` ``install`` or ``remove``
    they choose the one called ``name``, or give it back."""
    op = call.args.get("op", "list")
    if op not in ("list", "install", "remove"):
        raise BookbagError("bad-request", "cannot do that with programs: op must be list, install or remove")
    owner = call.uid in (0, os.geteuid())
    request: dict[str, object] = {"op": op, "uid": call.uid, "root": owner}
    if op != "list":
        request["name"] = _text(call, "name", MAX_PROGRAM)
    room = MAX_WAITING if owner else MAX_WAITING_FOR_ANYONE
    agent.asking.choose(request, _replying(call), call.event, room)


def plan(agent: Supervisor, call: Call) -> None:
    """What applying would change."""
    agent.enforcing.ask({"op": "plan"}, _replying(call), call.event)


def apply(agent: Supervisor, call: Call) -> None:
    """Apply now, even while paused; with a plan's hash only if the machine has not moved since."""
    request: dict[str, object] = {"op": "apply", "uid": call.uid}
    if "plan" in call.args:
        request["plan"] = _text(call, "plan", 64)
    agent.enforcing.ask(request, _replying(call), call.event)


def pause(agent: Supervisor, call: Call) -> None:
    """Stop healing for a while."""
    seconds = call.args.get("seconds")
    if not isinstance(seconds, int) or not 1 <= seconds <= MAX_PAUSE:
        raise BookbagError(
            "bad-request", f"cannot pause for that long: 1 second to {MAX_PAUSE // 3600} hours"
        )
    reason = _text(call, "reason", MAX_REASON)
    request: dict[str, object] = {"op": "pause", "seconds": seconds, "reason": reason, "uid": call.uid}
    agent.enforcing.ask(request, _replying(call), call.event)


def resume(agent: Supervisor, call: Call) -> None:
    """End a pause."""
    agent.enforcing.ask({"op": "resume", "uid": call.uid}, _replying(call), call.event)


def enrol(agent: Supervisor, call: Call) -> None:
    """Join a site with an enrol file."""
    file = call.args.get("file")
    if not isinstance(file, str):
        raise BookbagError("bad-request", "cannot enrol without the text of an enrol file")
    reply = _replying(call)

    def joined(job: Job) -> None:
        reply(job)
        agent.enforcing.joined()
        agent.syncing.soon()  # somebody stands there and waits: not after a minute, as when all are started

    def ended(job: Job) -> None:
        """Answer once the new configuration is in force, so that a sync may follow at once."""
        if job.code == 0:
            agent.reload(joined)
        else:
            reply(job)

    how = {name: call.args.get(name) is True for name in ("again", "look")}
    agent.jobs.submit(Job("enrol", {"op": "enrol", "file": file, **how}, ended, call.event))


def reload(agent: Supervisor, call: Call) -> None:
    """Read agent.yaml again."""
    agent.reload(_replying(call))


def report(agent: Supervisor, call: Call) -> None:
    """Make a report now, and deliver it."""
    agent.reporting.now(call)


def inside(agent: Supervisor, call: Call) -> None:
    """What the resident process holds, so that a test can keep it small."""
    memory = {}
    with open("/proc/self/smaps_rollup", encoding="ascii") as lines:
        for line in lines:
            name, _, rest = line.partition(":")
            if rest.endswith("kB\n"):
                memory[name] = int(rest.split()[0])
    call.result(
        {
            "pid": os.getpid(),
            "modules": sorted(sys.modules),
            "memory_kib": memory,
            "descriptors": len(os.listdir("/proc/self/fd")),
            "cpu_ms": int(sum(os.times()[:2]) * 1000),
        }
    )
    call.end(0)


def _text(call: Call, name: str, longest: int) -> str:
    value = call.args.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
        raise BookbagError("bad-request", f"cannot take {name}: it must be text of 1 to {longest} characters")
    return value


def _replying(call: Call) -> Callable[[Job], None]:
    """How a job's end becomes the end of a call; its events went ahead."""

    def ended(job: Job) -> None:
        call.end(1 if job.code is None else job.code)

    return ended
