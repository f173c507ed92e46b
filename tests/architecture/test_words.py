"""Every text in the project speaks of the project alone, not of the places where it was written."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import name_of, repository_files

# Written so that no pattern matches its own source.
ELSEWHERE = re.compile(
    r"""/wor[k]/ | /far[m]/ | \bfar[m]-\w | \bsub-?agen[t] | \bCOMPAS[S]\b | DEVELOPERS\.m[d]
    | /opt/(pyp[i]|wheel[s])\b | /root/\.(pyen[v]|cach[e])\b""",
    re.VERBOSE,
)


@pytest.mark.parametrize(
    "text", ["see /wor" + "k/main", "far" + "m-tool", "a Sub".lower() + "agent", "/opt/pyp" + "i"]
)
def test_a_text_about_elsewhere_is_noticed(text: str) -> None:
    assert ELSEWHERE.search(text)


@pytest.mark.parametrize(
    "text", ["framework/x", "homework/year-9", "agent/core", "/home/student/src/", "the session ends"]
)
def test_the_projects_own_words_are_left_alone(text: str) -> None:
    assert not ELSEWHERE.search(text)


def test_every_text_speaks_of_the_project_alone() -> None:
    found = []
    for path in repository_files():
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue  # a picture, an archive
        for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), 1):
            found += [f"{name_of(path)}:{number}: {match.group()}" for match in ELSEWHERE.finditer(line)]
    found += [name_of(path) for path in repository_files() if ELSEWHERE.search(f"/{name_of(path)}")]
    assert not found
