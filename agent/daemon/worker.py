"""`bookbag worker NAME`: one JSON request line in, JSON-lines events out, the last one ``exit`` with what the
run cost.

Whatever happens inside becomes one error event: a supervisor must never have to guess. ``print`` from a
library goes to stderr, so that nothing can speak in the protocol by accident.

The audit after an event is most runs there are, and a third of its cost would be importing json. So json is
imported where it is needed, and `GLANCE`, which has no other content, is known by its bytes.
"""

from __future__ import annotations

import os
import resource
import sys
import time

from agent.core.errors import BookbagError
from agent.core.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_REQUEST = 128 << 10  #: bytes
#: The request for an audit that follows an event, as the supervisor spells it.
GLANCE = b'{"op":"audit","lean":true}'
#: What those of a sandbox have loaded when they begin; what a worker imports besides, it imports itself.
ROOMS = (
    "agent.store",
    "agent.trust",
    "agent.host.sandbox",
    "agent.policy",
    "agent.commands",
    "agent.commands.handlers",
    "agent.content",
    "agent.telemetry",
    "agent.sync",
    "agent.daemon.workers",
)
#: Worker name → module of agent.daemon.workers with ``run(context) -> exit code``.
NAMES = (
    *("ask", "command", "configure", "content", "enforce", "enrol", "erase", "explain", "sync"),
    *("flatpaks", "flatpaks_fetch", "packages", "packages_fetch", "telemetry"),
)


class Context:
    """What one run has: the request, the laptop's layout, and the way to say something."""

    def __init__(self, request: Mapping[str, object], layout: Layout, out: int) -> None:
        self.request = request
        self.layout = layout
        self._out = out
        self._progress_at = 0.0

    def event(self, kind: str, **fields: object) -> None:
        """Emit one event. A supervisor that went away makes this raise BrokenPipeError: nobody waits for the
        rest.
        """
        import json

        line = json.dumps({"event": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
        _write(self._out, line.encode("utf-8", "replace") + b"\n")

    def progress(self, done: int, of: int, what: str) -> None:
        """Say how far the run is; ten times a second is enough for anyone."""
        now = time.monotonic()
        if done < of and now - self._progress_at < 0.1:
            return
        self._progress_at = now
        self.event("progress", done=done, of=of, what=what)

    def log(self, level: str, message: str, **fields: str | int) -> None:
        """Say something for the journal."""
        self.event("log", level=level, msg=message, **fields)

    def error(self, problem: BookbagError) -> None:
        """Say what went wrong."""
        self.event("error", error=problem.to_dict())

    def result(self, result: Mapping[str, object]) -> None:
        """Say what came out."""
        self.event("result", result=dict(result))

    def all_is_well(self) -> None:
        """Say that a lean audit found nothing, which is most of what is ever said."""
        _write(self._out, b'{"event":"result","result":{"lean":true}}\n')

    def text(self, name: str, default: str | None = None) -> str:
        """A text of the request. Raises ``bad-request``."""
        value = self.request.get(name, default)
        if not isinstance(value, str):
            raise BookbagError("bad-request", f"cannot run: {name} must be text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts of the request; absent: none. Raises ``bad-request``."""
        value = self.request.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BookbagError("bad-request", f"cannot run: {name} must be a list of texts")
        return tuple(value)

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number of the request. Raises ``bad-request``."""
        value = self.request.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise BookbagError("bad-request", f"cannot run: {name} must be a whole number")
        return value


def main(name: str, root: str = "/") -> int:
    """Run worker ``name`` on standard input and output; returns the exit code."""
    started = time.monotonic()
    out = os.dup(1)
    os.dup2(2, 1)  # whatever prints, prints to the journal
    layout = Layout(root)
    code = 1
    try:
        code = run(name, layout, _read_line(0), out)
    except BrokenPipeError:
        pass  # nobody listens any more
    finally:
        _say_exit(out, code, started)
        os.close(out)
    return code


def run(name: str, layout: Layout, line: bytes, out: int) -> int:
    """Run worker ``name`` with the request in ``line``, emitting events to ``out``; returns the exit code."""
    context = Context({}, layout, out)
    try:
        if name not in NAMES:
            raise BookbagError(
                "bad-request", f"cannot run worker {name[:40]!r}: known are {', '.join(NAMES)}"
            )
        context = Context(_request(line), layout, out)
        # What importlib.import_module does, whose import costs as much as the worker's.
        module = __import__(f"agent.daemon.workers.{name}", fromlist=["run"])
        code: int = module.run(context)
        return code
    except Exception as problem:
        context.error(as_error(problem, f"finish {name}"))
    return 1


def as_error(problem: Exception, doing: str) -> BookbagError:
    """Whatever was raised, as one error; what nobody foresaw is ``internal``, with its place in the program.
    Raises ``problem`` if it only says that nobody listens any more.
    """
    if isinstance(problem, BrokenPipeError):
        raise problem
    if isinstance(problem, BookbagError):
        return problem
    if isinstance(problem, MemoryError):
        return BookbagError("too-large", f"cannot {doing}: it needs more memory than it may have")
    if isinstance(problem, OSError):
        from agent.core.faults import explained

        return explained(problem, doing, str(problem.filename or ""))
    text = f"cannot {doing}: {type(problem).__name__}: {problem}"
    return BookbagError("internal", text, place=_where(problem))


def _request(line: bytes) -> Mapping[str, object]:
    """What is asked. Raises ``bad-request``, ``bad-json``, ``too-large``."""
    if line == GLANCE:
        return {"op": "audit", "lean": True}
    from agent.core.jsontext import parse

    request = parse(line, what="the request", max_bytes=MAX_REQUEST)
    if not isinstance(request, dict):
        raise BookbagError("bad-request", "cannot run: the request is not an object")
    return request


def _read_line(fd: int) -> bytes:
    data = bytearray()
    while b"\n" not in data and len(data) <= MAX_REQUEST:
        piece = os.read(fd, 64 << 10)
        if not piece:
            break
        data += piece
    return bytes(data.partition(b"\n")[0])


def _say_exit(out: int, code: int, started: float) -> None:
    """The last event: CPU (of this process and what it started, interpreter included), peak memory, and time
    since the request could be read. Nobody may be listening.
    """
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    peak = max(own.ru_maxrss, others.ru_maxrss)
    cost = (code, round(cpu * 1000), peak, round((time.monotonic() - started) * 1000))
    try:
        _write(out, b'{"event":"exit","code":%d,"cpu_ms":%d,"peak_kib":%d,"ms":%d}\n' % cost)
    except OSError:
        return  # nobody listens any more


def _write(out: int, line: bytes) -> None:
    data = memoryview(line)
    while data:
        data = data[os.write(out, data) :]


def _where(defect: BaseException) -> str:
    """File and line where an unforeseen exception was raised."""
    frame = defect.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return ""
    return f"{frame.tb_frame.f_code.co_filename.rpartition('/agent/')[2]}:{frame.tb_lineno}"


def start(argv: list[str]) -> int:
    """``worker NAME [--root DIR]`` from a command line, without argparse: workers start often."""
    root = "/"
    names = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--root" and rest:
            root = os.path.abspath(rest.pop(0))
        elif word.startswith("--root="):
            root = os.path.abspath(word.removeprefix("--root="))
        else:
            names.append(word)
    if len(names) != 1 or names[0].startswith("-"):
        asked = names in (["-h"], ["--help"])
        usage = f"usage: bookbag worker {{{','.join(NAMES)}}} [--root DIR] < request"
        print(usage, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 64
    if names[0] == "fork-server":  # no worker: what those of a sandbox are forked from
        from agent.host import forkserver

        return forkserver.serve(ROOMS, root, main)
    return main(names[0], root)
