"""One laptop: a disk of its own over a shared image, booted by systemd-nspawn, a cable, a power button."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.lab import mounts, programs, rootfs
from tests.lab.cgroups import Group
from tests.lab.errors import CommandFailed, LabError, TimedOut, last_lines
from tests.lab.guest import Guest
from tests.lab.network import BRIDGE, NOWHERE, PREFIX, Network

#: What systemd-nspawn ends with when the laptop restarts rather than stops.
RESTARTED = 133


class Laptop(Guest):
    """A laptop that is off until `boot`. Changes are kept until `discard`, through restarts and crashes."""

    def __init__(
        self,
        name: str,
        machine: str,
        address: str,
        group: Group,
        folder: Path,
        layers: Sequence[Path],
        network: Network,
    ) -> None:
        super().__init__(name, group, folder / "disk")
        self.machine = machine  #: its name for nspawn, of at most 12 characters
        self.address = address  #: on the school's network, fixed
        self.console = folder / "console.log"
        self.discarded = False
        self._folder = folder
        self._network = network
        self._cable = True
        self._nspawn: subprocess.Popen[bytes] | None = None
        mounts.overlay(layers, folder / "changes", folder / "work", self.disk)
        self.write("/etc/hostname", f"{name}\n")
        self.write("/etc/machine-id", f"{secrets.token_hex(16)}\n", mode=0o444)
        self.write("/etc/systemd/network/10-lab.network", _NETWORK.format(address=f"{self.address}/{PREFIX}"))
        self.write("/etc/tmpfiles.d/00-lab.conf", _BOOT_ID)
        for units in ("bookbag", "bookbag-"):
            self.write(f"/etc/systemd/system/{units}.service.d/90-lab-boot.conf", _SEES_BOOT_ID)
        for unit in _SEES_ALL_THE_SAME:
            self.write(f"/etc/systemd/system/{unit}.service.d/90-lab-boot.conf", "[Service]\n")
        self.write("/etc/hosts", f"127.0.0.1 localhost {name}\n::1 localhost\n{network.server} server.lab\n")

    # --- power ---

    def boot(self, timeout: float = 60) -> None:
        """Switch it on and wait until its services have started, failed ones included, and it has its
        address.

        Raises `TimedOut` after ``timeout`` seconds and `LabError` when it stops instead, both with its
        console.
        """
        if self.init_pid is not None:
            raise LabError(f"cannot boot {self.name}: it is on")
        self.group.remove()
        self.group.make()
        with self.console.open("ab") as console:
            self._nspawn = subprocess.Popen(
                self.group.entered(self._network.entered([*_clocks_from_zero(), *self._command()])),
                env=programs.environment(**rootfs.NSPAWN_ENVIRONMENT),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + timeout
        self._await(self._find_init, until, "its process 1")
        if not self._cable:
            self.set_cable(False)
        self._await(self._has_started, until, "its services")
        self._await(self._has_address, until, f"address {self.address}")

    def power_off(self, timeout: float = 60) -> None:
        """Shut it down as a person would and wait until it is off. Raises `TimedOut`."""
        self.run(["systemctl", "poweroff"], check=False)
        if (code := self._wait_off(timeout)) == RESTARTED:
            raise LabError(f"{self.name} was to power off, and restarted ({code})")

    def reboot(self, timeout: float = 60) -> None:
        """Restart it as a person would; returns when it is up again. Raises `TimedOut`."""
        self.run(["systemctl", "reboot"], check=False)
        self.wait_for_restart(timeout)

    def wait_for_restart(self, timeout: float = 60) -> None:
        """Wait for a restart that the laptop decided itself, and bring it up again. Raises `LabError`."""
        if (code := self._wait_off(timeout)) != RESTARTED:
            raise LabError(f"{self.name} was to restart, and stopped with {code}\n{last_lines(self.console)}")
        self.boot(timeout)

    def wait_until_off(self, timeout: float = 60) -> None:
        """Wait for a power-off that the laptop decided itself. Raises `LabError`."""
        if self._wait_off(timeout) == RESTARTED:
            raise LabError(f"{self.name} was to stop, and restarted")

    def crash(self) -> None:
        """SIGKILL every process at once. What was written but not synced survives: it is no power cut."""
        self.group.kill()
        self._wait_off(60)

    def discard(self) -> None:
        """Crash it if it is on, and forget its disk. Nothing of it is left."""
        self.crash()
        self.group.remove()
        mounts.remove(self._folder)
        self.discarded = True

    # --- cable ---

    def set_cable(self, up: bool) -> None:
        """Put its network cable in or out, now or (while it is off) for the next boot. Restarts keep it."""
        self._cable = up
        if self.init_pid is not None:
            self._network.connect(f"vb-{self.machine}", up)

    # --- inside ---

    def _command(self) -> list[str]:
        return [
            *rootfs.NSPAWN,
            f"--machine={self.machine}",
            f"--hostname={self.name}",
            f"--directory={self.disk}",
            "--boot",
            f"--network-bridge={BRIDGE if self._cable else NOWHERE}",
            "--resolv-conf=off",
            "--console=passive",
        ]

    def _await(self, done: Callable[[], bool], until: float, what: str) -> None:
        """Poll ``done`` until the monotonic time ``until``."""
        while not done():
            if self._nspawn is None or self._nspawn.poll() is not None:
                self._forget()
                raise LabError(f"{self.name} stopped while booting\n{last_lines(self.console)}")
            if time.monotonic() > until:
                said = f"{last_lines(self.console)}\n{self.journal(lines=40) if self.init_pid else ''}"
                self.crash()
                raise TimedOut(f"{self.name}: waited in vain for {what}\n{said}")
            time.sleep(0.02)

    def _find_init(self) -> bool:
        """Find the laptop's process 1: the one in its groups that is number 1 in a namespace of its own."""
        for pid in self.group.pids():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
                numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
                name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
                if len(numbers) > 1 and numbers[-1] == "1" and name == "systemd":
                    self.init_pid = pid
                    return True
        return False

    def _has_started(self) -> bool:
        with contextlib.suppress(CommandFailed):
            state = self.run(["systemctl", "is-system-running"], check=False).stdout.strip()
            return state in {"running", "degraded"}
        return False

    def _has_address(self) -> bool:
        if not self._cable:
            return True
        return (
            f" {self.address}/"
            in self.run(["ip", "-oneline", "addr", "show", "dev", "host0"], check=False).stdout
        )

    def _wait_off(self, timeout: float) -> int:
        """Wait until nspawn has ended; its exit code, 0 when it was off already."""
        if self._nspawn is None:
            return 0
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._nspawn.wait(0.5)
                self._forget()
                return code
            # A shutdown stops what was started in it before it ends that, and nsenter stops with it: never
            # awake again it would keep the dead, and with them the laptop.
            for pid in self._lent.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        raise TimedOut(f"{self.name} is still on after {timeout} s\n{last_lines(self.console)}")

    def _forget(self) -> None:
        """Note that it is off."""
        self.group.kill()
        self._nspawn = self.init_pid = None
        rootfs.forget_machine(self.machine)


def _clocks_from_zero() -> list[str]:
    """Starts nspawn where the clocks that count from boot begin at zero, as they do on a real machine.

    Without it a restarted laptop seems to have been running since this machine was switched on.
    """
    ago = int(time.clock_gettime(time.CLOCK_BOOTTIME)), int(time.clock_gettime(time.CLOCK_MONOTONIC))
    return ["unshare", "--time", f"--boottime=-{ago[0]}", f"--monotonic=-{ago[1]}", "--fork", "--"]


#: nspawn names each boot by a file mounted over the kernel's; a unit with a /proc of its own would see the
#: machine's name behind it, and a clock that trusts nothing would count every change as a restart.
_BOOT_ID = "C! /run/lab-boot-id 0444 root root - /proc/sys/kernel/random/boot_id\n"
_SEES_BOOT_ID = "[Service]\nBindReadOnlyPaths=-/run/lab-boot-id:/proc/sys/kernel/random/boot_id\n"
#: Have the machine's own /proc, where nothing can be mounted over it a second time.
_SEES_ALL_THE_SAME = ("bookbag-packages",)
_NETWORK = """\
[Match]
Name=host0
[Network]
Address={address}
LinkLocalAddressing=ipv6
LLMNR=no
MulticastDNS=no
"""
