"""What a worker of the sandbox does before anything else: wall itself in below the laptop's folder.

Not the sync worker: it leaves returns on a stick, which lies elsewhere. Python's bytecode caches beside our
own modules stay writable (the modules do not), or every start would compile them again.
"""

from __future__ import annotations

import os

from agent.host.landlock import confine


def raise_walls(name: str, folder: str) -> bool:
    """Confine this process, worker ``name`` of the laptop in ``folder``; False where it is not, or cannot
    be.
    """
    if name == "sync":
        return False
    temporary = f"{folder}/.sandbox/tmp"
    os.makedirs(temporary, mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = temporary
    return confine([folder, *_bytecode_caches()], network=False)


def _bytecode_caches() -> list[str]:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return [
        path for path, _, _ in os.walk(package) if path.endswith("__pycache__") and os.access(path, os.W_OK)
    ]
