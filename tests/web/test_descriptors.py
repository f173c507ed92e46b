"""As many connections as there are descriptors for, in processes of their own: a limit is the process's."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ASKED = """
import resource, sys
soft, hard = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from agent.web.descriptors import places
print(places(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "after"),
    [(1024, 4096, 512, 1280), (2000, 4096, 512, 2000), (256, 1024, 384, 1024), (200, 200, 1, 200)],
)
def test_each_connection_has_its_socket_and_its_file(
    soft: int, hard: int, connections: int, after: int
) -> None:
    argv = [sys.executable, "-c", _ASKED, str(soft), str(hard)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(connections), str(after), str(hard)]
