"""Whether there is a way out, as a kernel tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.linux.links import LinuxLinks

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
WAY = "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
NEAR = "eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
ANY, NONE = "0" * 32, f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"
WAY_6 = f"{ANY} 00 {ANY} 00 fe80{'0' * 27}1 00000400 00000001 00000000 00000003 eth0\n"


@pytest.mark.parametrize(
    ("carrier", "routes", "routes_6", "up"),
    [
        ("1", HEAD + NEAR + WAY, NONE, True),
        ("1", HEAD + NEAR, NONE + WAY_6, True),
        ("0", HEAD + WAY, WAY_6, False),  # the cable is pulled, the route not gone yet
        ("1", HEAD + NEAR, NONE, False),  # connected, and no router
        ("1", HEAD, NONE, False),
        (None, HEAD + WAY, WAY_6, False),
        ("1", "", "", False),
        ("1", HEAD + "eth0\t00000000\n\neth0 x y z\n", "a b\n\n", False),
        ("1", HEAD + WAY.replace("0003", "zz"), "", False),
        ("1", HEAD + WAY.replace("0003", "0203"), "", False),  # unreachable on purpose
    ],
)
def test_up_is_connected_and_routed(
    tmp_path: Path, carrier: str | None, routes: str, routes_6: str, *, up: bool
) -> None:
    (tmp_path / "sys/class/net/eth0").mkdir(parents=True)
    (tmp_path / "proc/net").mkdir(parents=True)
    if carrier is not None:
        (tmp_path / "sys/class/net/eth0/carrier").write_text(f"{carrier}\n")
    (tmp_path / "proc/net/route").write_text(routes)
    (tmp_path / "proc/net/ipv6_route").write_text(routes_6)
    assert LinuxLinks(str(tmp_path)).up() is up


def test_a_kernel_that_says_nothing_has_no_way_out(tmp_path: Path) -> None:
    assert not LinuxLinks(str(tmp_path)).up()
