"""What the machine does with its own hardware, as the programs that decide it say."""

from __future__ import annotations

from typing import Protocol


class Hardware(Protocol):
    """Only asks. What is configured is a matter of files; this is what came of them."""

    def refuses(self, module: str) -> bool:
        """Whether the kernel module ``module`` is not loaded, whoever asks for it. One that was loaded before
        stays until the machine starts again. Raises ``not-supported`` where nothing loads modules.
        """
        ...

    def on_lid(self) -> str:
        """What logind does when the lid is closed, in the words of logind.conf(5): ``suspend``, ``ignore``…
        Raises ``not-supported`` where it does not run.
        """
        ...

    def on_power_button(self) -> str:
        """The same of the power button, where no desktop has taken it upon itself."""
        ...
