"""One run of the lab: its network, its laptops, and its end."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType

from tests.lab import cgroups, programs, sweep
from tests.lab.image import Image
from tests.lab.laptop import Laptop
from tests.lab.network import Network, laptop_address

PROJECT = Path(__file__).resolve().parents[2]


class Lab:
    """A network and the laptops on it, as a context manager; leaving it removes every trace.

    Raises `LabError` where this machine cannot do it (`programs.missing` tells beforehand).
    """

    def __init__(self) -> None:
        self.identifier = secrets.token_hex(2)
        self.folder = sweep.runs_folder() / self.identifier
        self.network = Network(self.identifier)
        self._made = 0
        self._laptops: list[Laptop] = []
        self._held = ExitStack()

    def __enter__(self) -> Lab:
        self._held.enter_context(sweep.living(self.identifier))
        self._held.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tests.lab.sweep", self.identifier],
                stdin=subprocess.PIPE,
                cwd=PROJECT,
                env=programs.environment(),
                start_new_session=True,
            )
        )
        self.folder.mkdir()
        try:
            cgroups.of_lab(self.identifier).make().share()
            self.network.build()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.network.stop_all()
            sweep.sweep(self.identifier)
        finally:
            self._held.close()

    def laptop(self, image: Image, name: str | None = None) -> Laptop:
        """A new laptop with this disk image, switched off; `Laptop.boot` it, and `Laptop.discard` it in the
        end.

        ``name`` is its host name. Addresses of discarded laptops are given out again.
        """
        self._made += 1
        folder = self.folder / str(self._made)
        folder.mkdir()
        self._laptops = [laptop for laptop in self._laptops if not laptop.discarded]
        taken = {laptop.address for laptop in self._laptops}
        address = next(address for address in map(laptop_address, count(1)) if address not in taken)
        machine = f"bb{self.identifier}{self._made}"
        group = cgroups.Group(f"{cgroups.of_lab(self.identifier).name}/{machine}")
        made = Laptop(
            name or f"laptop{self._made}", machine, address, group, folder, image.layers, self.network
        )
        self._laptops.append(made)
        return made


def output_folder() -> Path:
    """Where tests leave pictures for people: ``$BOOKBAG_TEST_OUTPUT`` or build/test-output."""
    path = Path(os.environ.get("BOOKBAG_TEST_OUTPUT") or PROJECT / "build" / "test-output")
    path.mkdir(parents=True, exist_ok=True)
    return path
