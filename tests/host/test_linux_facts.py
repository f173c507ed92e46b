"""What firmware and os-release say, and what they say when they say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.linux.facts import LinuxFacts, means_something, os_release


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "0", "0000000000", "None", "N/A", "To be filled by O.E.M.", "Default string", "INVALID"),
        *(
            "System Serial Number",
            "Not Specified",
            "xxxxxxxx",
            "................",
            "ffffffff-ffff",
            "Unknown",
        ),
    ],
)
def test_what_makers_leave_there_is_no_serial(text: str) -> None:
    assert not means_something(text)


@pytest.mark.parametrize(
    "text", ["PF1ABCDE", "5CG1234XYZ", "4c4c4544-0051-3010-8052-b4c04f4e4432", "0123", "R9-0N1"]
)
def test_what_makers_mean_is_one(text: str) -> None:
    assert means_something(text)


def laptop(root: Path, files: dict[str, bytes]) -> LinuxFacts:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return LinuxFacts(str(root))


def test_the_best_number_that_means_something_is_the_serial(tmp_path: Path) -> None:
    files = {
        "sys/class/dmi/id/product_serial": b"To Be Filled By O.E.M.\n",
        "sys/class/dmi/id/product_uuid": b"4c4c4544-0051\n",
    }
    assert laptop(tmp_path, files).serial() == "4c4c4544-0051"
    files["sys/class/dmi/id/product_serial"] = b" PF1ABCDE \nsecond line\n"
    assert laptop(tmp_path, files).serial() == "PF1ABCDE"


def test_a_board_without_dmi_has_a_device_tree(tmp_path: Path) -> None:
    assert laptop(tmp_path, {"proc/device-tree/serial-number": b"100000003d1f\0"}).serial() == "100000003d1f"
    assert LinuxFacts(str(tmp_path / "nowhere")).serial() == ""


def test_os_release_is_read_as_it_is_written(tmp_path: Path) -> None:
    text = b"# comment\nID=debian\nVERSION_ID=\"12\"\nNAME='x'\nnonsense\n"
    system = laptop(tmp_path, {"etc/os-release": text}).system()
    assert (system["os"], system["version"], system["host"]) == ("debian", "12", "linux")
    assert os_release("") == {}
    assert LinuxFacts(str(tmp_path / "nowhere")).system()["os"] == "linux"
