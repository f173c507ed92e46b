"""The project is installed on a laptop from wheels, without network; changed code costs seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import agent_layer
from tests.lab.errors import LabError
from tests.lab.fixtures import LaptopFactory
from tests.lab.image import Image
from tests.lab.lab import PROJECT

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "bookbag"
version = "0.0.1"
[project.scripts]
bookbag = "agent:main"
[tool.hatch.build.targets.wheel]
include = ["/agent"]
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "agent/__init__.py": "import cryptography, yaml\ndef main(): print('one')\n",
    "installer/systemd/probe.service": "[Service]\nType=oneshot\nUser=bookbag-sync\nExecStart=bookbag\n",
    "installer/sysusers.d/bookbag.conf": 'u bookbag-sync - "Fetches"\n',
    "installer/tmpfiles.d/bookbag.conf": "d /var/lib/bookbag 0711 root root\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A tiny project of the same shape, with this one's locked requirements."""
    for name, text in {
        **FILES,
        "installer/requirements.lock": (PROJECT / agent_layer.LOCK).read_text(),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_installed_with_its_units_and_users_and_again_when_its_code_changes(
    debian: Image, project: Path, laptop_factory: LaptopFactory
) -> None:
    first = agent_layer.install_agent(debian, project)
    assert agent_layer.install_agent(debian, project) == first
    laptop = laptop_factory(disk=first)
    laptop.run(["systemctl", "start", "probe"])
    assert "one" in laptop.journal(unit="probe")
    assert laptop.run(["stat", "-c", "%U %a", "/var/lib/bookbag"]).stdout == "root 711\n"
    assert not laptop.exists("/mnt/wheels/requirements.lock")

    (project / "agent/__init__.py").write_text("def main(): print('two')\n")
    second = agent_layer.install_agent(debian, project)
    assert second.layers[1:] == first.layers[1:], "what is below the project is shared"
    assert laptop_factory(disk=second).run(["bookbag"], user="student").stdout == "two\n"
    assert laptop.run(["bookbag"]).stdout == "one\n"


@pytest.mark.soak
def test_a_line_that_systemd_skips_is_an_error(debian: Image, project: Path) -> None:
    (project / "installer/sysusers.d/bookbag.conf").write_text('u bookbag-sync - "with: a colon"\n')
    with pytest.raises(LabError, match=r"(?s)no user bookbag-sync.*not a valid GECOS"):
        agent_layer.install_agent(debian, project)


def test_a_failed_build_says_why_and_leaves_nothing(debian: Image, project: Path) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT.replace('version = "0.0.1"', ""))
    with pytest.raises(LabError, match=r"(?s)agent\.log.*version"):
        agent_layer.install_agent(debian, project)
    (project / agent_layer.LOCK).unlink()
    with pytest.raises(LabError, match=r"no installer/requirements\.lock"):
        agent_layer.install_agent(debian, project)
