"""A disk with this project installed on it, as the packages for schools install it: two layers over Debian.

The lower holds the virtual environment with the locked third-party packages and changes with the lock file;
the upper holds the project alone, so that a change of code costs seconds.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.lab import cache, mounts, rootfs
from tests.lab.cache import Workshop
from tests.lab.errors import LabError, last_lines
from tests.lab.image import Image

LOCK = Path("installer/requirements.lock")
VENV = "/opt/bookbag"
WHEELS = "/mnt/wheels"
#: What makes up the project: a change in any of these makes a new layer.
SOURCES = ("agent", "policies", "installer", "pyproject.toml")
#: Folders of `installer/` → where their files belong on a laptop.
PLACES = {
    "systemd": "usr/lib/systemd/system",
    "systemd-generators": "usr/lib/systemd/system-generators",
    "sysusers.d": "usr/lib/sysusers.d",
    "tmpfiles.d": "usr/lib/tmpfiles.d",
    "pam-configs": "usr/share/pam-configs",
    "security": "etc/security",
}
#: Debian 12's Python and C library: wheels for these or older ones run there.
PYTHON = "3.11"
GLIBC = (17, 24, 26, 27, 28, 31, 34, 35, 36)


def install_agent(image: Image, project_root: Path) -> Image:
    """The disk ``image`` with the project of ``project_root`` on it: /opt/bookbag, /usr/bin/bookbag, units,
    users, the login gate.

    Seconds when both layers are cached or only code has changed; half a minute and the network when the lock
    file has. The service is installed, not enabled and not enrolled. Raises `LabError` that names a log.
    """
    project_root = project_root.resolve()
    lock = project_root / LOCK
    if not lock.is_file():
        raise LabError(f"cannot install the agent: there is no {LOCK} in {project_root}")
    below = cache.made(
        "runtime",
        cache.key(_recipe(), image.key, lock.read_bytes()),
        lambda shop: _build_runtime(shop, image, lock),
    )
    runtime = Image((below / "layer", *image.layers))
    above = cache.made(
        "agent",
        cache.key(_recipe(), runtime.key, *_contents(project_root)),
        lambda shop: _build_agent(shop, runtime, project_root),
    )
    return Image((above / "layer", *runtime.layers))


def _recipe() -> bytes:
    """What the layers are built by: this file."""
    return Path(__file__).read_bytes()


def _contents(project_root: Path) -> Iterator[bytes]:
    """The names and bytes of the project's sources, in a fixed order."""
    for name in SOURCES:
        top = project_root / name
        files = [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
        for path in files:
            if "__pycache__" not in path.parts:
                yield str(path.relative_to(project_root)).encode()
                yield path.read_bytes()


def _build_runtime(shop: Workshop, image: Image, lock: Path) -> None:
    wheels = shop.part / "wheels"
    wheels.mkdir()
    shop.run([*_pip(), "download", *_suitable(), "--dest", str(wheels), "--requirement", str(lock)])
    shutil.copy(lock, wheels / "requirements.lock")

    def install(disk: Path) -> None:
        rootfs.inside(shop, disk, ["python3", "-m", "venv", VENV])
        locked = ["--no-index", f"--find-links={WHEELS}", "--require-hashes", "--no-deps"]
        what = f"--requirement={WHEELS}/requirements.lock"
        rootfs.inside(shop, disk, [*_pip_inside(), "install", *locked, what], binds={wheels: WHEELS})

    _layer(shop.part, image, install)
    shutil.rmtree(wheels)


def _build_agent(shop: Workshop, image: Image, project_root: Path) -> None:
    wheels = shop.part / "wheels"
    wheels.mkdir()
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    shop.run([*_pip(), "wheel", "--no-deps", *isolation, "--wheel-dir", str(wheels), str(project_root)])
    wheel = next(wheels.glob("*.whl")).name

    def install(disk: Path) -> None:
        for folder, place in PLACES.items():
            if (project_root / "installer" / folder).is_dir():
                shutil.copytree(project_root / "installer" / folder, disk / place, dirs_exist_ok=True)
        rootfs.inside(
            shop,
            disk,
            [*_pip_inside(), "install", "--no-index", "--no-deps", f"{WHEELS}/{wheel}"],
            binds={wheels: WHEELS},
        )
        rootfs.inside(shop, disk, [*_pip_inside(), "check"])
        rootfs.inside(shop, disk, ["systemd-sysusers"])
        rootfs.inside(shop, disk, ["pam-auth-update", "--enable", "bookbag"])
        _check_users(disk, shop.log)
        (disk / "usr/bin/bookbag").symlink_to(f"{VENV}/bin/bookbag")

    _layer(shop.part, image, install)
    shutil.rmtree(wheels)


def _check_users(disk: Path, log: Path) -> None:
    """Raise `LabError` unless the project has its users: systemd-sysusers skips wrong lines in silence."""
    there = {line.split(":")[0] for line in (disk / "etc/passwd").read_text(encoding="utf-8").splitlines()}
    for conf in sorted((disk / PLACES["sysusers.d"]).glob("bookbag*.conf")):
        for line in conf.read_text(encoding="utf-8").splitlines():
            if line.startswith("u") and line.split()[1] not in there:
                raise LabError(f"{conf.name} makes no user {line.split()[1]}\n{last_lines(log, 5)}")


def _layer(part: Path, image: Image, build: Callable[[Path], None]) -> None:
    """Let ``build`` change the disk of ``image``; the changes are kept in ``part/layer``."""
    disk = part / "disk"
    mounts.overlay(image.layers, part / "layer", part / "work", disk)
    try:
        build(disk)
    finally:
        mounts.unmount(disk)
    disk.rmdir()
    shutil.rmtree(part / "work")


def _suitable() -> list[str]:
    """Options of pip that choose wheels for the laptop's Python rather than for the one that runs here."""
    machine = platform.machine()
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in GLIBC] + [f"manylinux2014_{machine}", "any"]
    tags = ["cp311", "abi3", "none"]
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--python-version", PYTHON]
    options += ["--implementation", "cp", *(f"--abi={tag}" for tag in tags)]
    return [*options, *(f"--platform={name}" for name in platforms)]


def _pip() -> list[str]:
    """The pip of this machine, which can reach packages from here. Raises `LabError` if there is none."""
    if importlib.util.find_spec("pip") is None:
        raise LabError(f"cannot fetch wheels: {sys.executable} has no pip")
    return [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def _pip_inside() -> list[str]:
    return [
        f"{VENV}/bin/python",
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--isolated",
    ]
