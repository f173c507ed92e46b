"""What tests ask for to get laptops. `tests/lab/conftest.py` takes them in; other folders' may too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.lab import agent_layer, image, programs
from tests.lab.lab import PROJECT, Lab
from tests.lab.laptop import Laptop
from tests.lab.network import Network

#: The laptops that a test has made so far, for the report of its failure.
LAPTOPS = pytest.StashKey[list[Laptop]]()


class LaptopFactory(Protocol):
    """Makes laptops that are discarded when the test ends."""

    def __call__(
        self,
        *,
        name: str | None = None,
        disk: image.Image | None = None,
        agent: bool = False,
        boot: bool = True,
    ) -> Laptop:
        """A new laptop, booted unless ``boot`` is off: plain Debian, with ``agent``, or another ``disk``."""


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab of this test run. Without root or programs: skipped, or failed where CI promises both."""
    if reason := programs.missing():
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail(f"{reason}, and CI as root leaves nothing out", pytrace=False)
        pytest.skip(reason)
    with Lab() as made:
        yield made


@pytest.fixture(scope="session")
def debian(lab: Lab) -> image.Image:
    """A disk with Debian as the school bought it. Built once per machine: two minutes."""
    return image.base_image()


@pytest.fixture(scope="session")
def with_agent(debian: image.Image) -> image.Image:
    """The same disk with this project's agent installed, not yet enrolled."""
    return agent_layer.install_agent(debian, PROJECT)


@pytest.fixture
def network(lab: Lab) -> Iterator[Network]:
    """The school's network; servers that the test forgot are stopped, not those that outlive a test."""
    with lab.network.forgetful():
        yield lab.network


@pytest.fixture
def laptop_factory(lab: Lab, debian: image.Image, request: pytest.FixtureRequest) -> Iterator[LaptopFactory]:
    """``laptop_factory(name="one")``: as many booted laptops as the test wants."""
    made: list[Laptop] = []
    request.node.stash[LAPTOPS] = made

    def make(
        *, name: str | None = None, disk: image.Image | None = None, agent: bool = False, boot: bool = True
    ) -> Laptop:
        chosen: image.Image = disk or (request.getfixturevalue("with_agent") if agent else debian)
        laptop = lab.laptop(chosen, name)
        made.append(laptop)
        if boot:
            laptop.boot()
        return laptop

    with ExitStack() as held:
        yield make
        for laptop in made:
            held.callback(laptop.discard)


@pytest.fixture
def laptop(laptop_factory: LaptopFactory) -> Laptop:
    """One booted laptop, plain Debian."""
    return laptop_factory()


@pytest.fixture
def school_laptop(laptop_factory: LaptopFactory) -> Laptop:
    """One booted laptop with the agent installed, not yet enrolled."""
    return laptop_factory(agent=True)
