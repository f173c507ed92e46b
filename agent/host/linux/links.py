"""Whether a real machine has a way out, by what the kernel says of its interfaces and routes."""

from __future__ import annotations

INTERFACES = "/sys/class/net"
ROUTES = "/proc/net/route"
ROUTES_6 = "/proc/net/ipv6_route"
_EVERYWHERE_6 = "0" * 32
_UP, _REJECTS = 0x0001, 0x0200


class LinuxLinks:
    """``top`` stands for / in tests."""

    def __init__(self, top: str = "") -> None:
        self._top = top

    def up(self) -> bool:
        return any(self._carrier(name) for name in {*self._routed(), *self._routed_6()})

    def _carrier(self, name: str) -> bool:
        """Reading it fails while the interface is down."""
        return any(line.strip() == "1" for line in self._lines(f"{INTERFACES}/{name}/carrier"))

    def _routed(self) -> list[str]:
        """Interface, destination, gateway, flags…, all of it in hex."""
        rows = [line.split() for line in self._lines(ROUTES)[1:]]
        return [row[0] for row in rows if len(row) > 3 and row[1] == "00000000" and _leads(row[3])]

    def _routed_6(self) -> list[str]:
        rows = [line.split() for line in self._lines(ROUTES_6)]
        return [
            row[9]
            for row in rows
            if len(row) > 9
            and row[0] == _EVERYWHERE_6
            and row[1] == "00"
            and row[9] != "lo"
            and _leads(row[8])
        ]

    def _lines(self, path: str) -> list[str]:
        try:
            with open(self._top + path, encoding="ascii", errors="replace") as file:
                return file.read(1 << 20).splitlines()
        except OSError:
            return []


def _leads(flags: str) -> bool:
    try:
        return int(flags, 16) & (_UP | _REJECTS) == _UP
    except ValueError:
        return False
