"""The process that the workers of a sandbox are forked from (`agent.host.forked` says why).

It imports what workers import, and does nothing else: it opens no file of the laptop, starts no thread and
has no secrets, so that each fork begins as a new process would.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator

from agent.host.walls import raise_walls

_LONGEST_QUESTION = 128

#: What a fork does, given the worker's name and the laptop's folder; returns the exit code.
Work = Callable[[str, str], int]


def serve(rooms: Iterable[str], root: str, work: Work) -> int:
    """Load the modules of the packages ``rooms``, and answer on standard input until nobody is there to ask;
    returns the exit code."""
    connection = socket.socket(fileno=os.dup(0))
    for module in _modules(rooms):
        importlib.import_module(module)
    gc.freeze()  # what was loaded is shared by all forks for as long as nobody counts it
    while True:
        question, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_QUESTION, 1)
        word, _, what = question.decode().partition(" ")
        if word == "start" and descriptors:
            answer = _fork(what, root, descriptors[0], work)
        elif word == "end" and what.isdigit():
            answer = _end(int(what))
        else:
            return 0
        connection.sendall(b"%d" % answer)


def _modules(rooms: Iterable[str]) -> Iterator[str]:
    for room in rooms:
        package = importlib.import_module(room)
        for module in pkgutil.iter_modules(package.__path__, f"{room}."):
            if not module.ispkg:
                yield module.name


def _fork(name: str, root: str, connection: int, work: Work) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = _work(name, root, connection, work)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(connection)
    return pid


def _work(name: str, root: str, connection: int, work: Work) -> int:
    """In the fork: worker ``name``, with nothing of this process but what it has loaded."""
    os.setsid()
    os.dup2(connection, 0)
    os.dup2(connection, 1)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    raise_walls(name, root)
    return work(name, root)


def _end(pid: int) -> int:
    """Kill it, and all that it started; its process id stays taken until here, for nobody else waits."""
    for kill in (os.killpg, os.kill):  # it may not have its own session yet, and then has started nothing
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return 0
    return pid
