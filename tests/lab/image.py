"""What a laptop's disk holds when it comes out of the box: Debian 12, a browser, two people, no agent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import apt_sources, cache, rootfs
from tests.lab.cache import Workshop
from tests.lab.errors import LabError

#: Raised whenever something below changes that the lists and files do not show.
RECIPE = "1"
BOOTSTRAP = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "libpam-systemd",
    "login",
    "passwd",
    "python3",
    "systemd",
    "systemd-sysv",
    "udev",
)
PACKAGES = (
    "acl",
    "attr",
    "chromium",
    "cracklib-runtime",
    "cron",
    "cryptsetup-bin",
    "cups",
    "dbus-user-session",
    "dconf-cli",
    "dconf-gsettings-backend",
    "firefox-esr",
    "fonts-dejavu-core",
    "gsettings-desktop-schemas",
    "iputils-ping",
    "libc6-dev",
    "kmod",
    "libglib2.0-bin",
    "libpam-pwquality",
    "nftables",
    "openssh-server",
    "p11-kit-modules",
    "procps",
    "python3-venv",
    "strace",
    "sudo",
    "systemd-timesyncd",
    "tcc",
    "unattended-upgrades",
)
#: Who uses a laptop: name → uid. Each one's password is the name.
PEOPLE = {"student": 1000, "teacher": 1001}
FILES = {
    "etc/apt/sources.list": "",
    "etc/default/locale": "LANG=C.UTF-8\n",
    "etc/hostname": "laptop\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "etc/machine-id": "",
    "etc/resolv.conf": "",
}
ENABLED = ("systemd-networkd.service",)
#: Would look for packages on a network that has none, in the middle of somebody's test, or wait for its end.
MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    "unattended-upgrades.service",
)
#: Writes into /etc when it sees fit; tests that print start it.
DISABLED = ("cups.path", "cups.service", "cups.socket")


CLOCK_SHIFT = Path(__file__).with_name("clock_shift.c")


@dataclass(frozen=True, slots=True)
class Image:
    """A disk as read-only layers, the topmost first. Laptops write to a layer of their own above them."""

    layers: tuple[Path, ...]

    @property
    def key(self) -> str:
        """Changes when what the disk holds changes."""
        return cache.key(*(str(layer) for layer in self.layers))


def base_image() -> Image:
    """Debian as a school buys it, from the cache, or built now: about two minutes. Raises `LabError`."""
    recipe = cache.key(
        RECIPE,
        CLOCK_SHIFT.read_bytes(),
        *(
            repr(part)
            for part in (apt_sources.SUITES, BOOTSTRAP, PACKAGES, PEOPLE, FILES, ENABLED, MASKED, DISABLED)
        ),
    )
    return Image((cache.made("debian", recipe, _build),))


def _build(shop: Workshop) -> None:
    root = shop.part
    debs = cache.folder() / "debs"
    (debs / "partial").mkdir(parents=True, exist_ok=True)
    sources = apt_sources.debian_sources()
    _bootstrap(shop, sources[0], debs)
    _install(shop, sources, debs)
    for name, uid in PEOPLE.items():
        rootfs.inside(shop, shop.part, ["useradd", "-m", "-u", str(uid), "-s", "/bin/bash", name])
    _set_passwords(shop)
    rootfs.inside(shop, shop.part, ["systemctl", "enable", *ENABLED])
    rootfs.inside(shop, shop.part, ["systemctl", "mask", *MASKED])
    rootfs.inside(shop, shop.part, ["systemctl", "disable", *DISABLED])
    for path, text in FILES.items():
        (root / path).unlink(missing_ok=True)
        (root / path).write_text(text, encoding="ascii")
    (root / "var/log/journal").mkdir(exist_ok=True)
    (root / "usr/lib/lab").mkdir()
    shutil.copy(CLOCK_SHIFT, root / "usr/lib/lab")
    source, made = (f"/usr/lib/lab/clock_shift.{ending}" for ending in ("c", "so"))
    rootfs.inside(shop, shop.part, ["tcc", "-shared", "-Wall", "-Werror", "-o", made, source])


def _bootstrap(shop: Workshop, source: apt_sources.Source, debs: Path) -> None:
    root = shop.part
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(BOOTSTRAP)}", f"--cache-dir={debs}"]
    if any(Path("/usr/share/keyrings").glob("debian-archive-keyring.*")):
        command.append("--force-check-gpg")
    try:
        shop.run([*command, source.suite, str(root), source.uri])
    except LabError as error:
        details = root / "debootstrap/debootstrap.log"
        if details.is_file():
            shutil.copy(details, cache.folder() / "debootstrap.log")
        raise LabError(f"{error}\nmore may be in {cache.folder() / 'debootstrap.log'}") from error


def _install(shop: Workshop, sources: list[apt_sources.Source], debs: Path) -> None:
    """Install `PACKAGES` over the network; afterwards nothing inside tells where from."""
    root = shop.part
    lent = {debs: "/var/cache/apt/archives"}
    with rootfs.no_services(root), with_sources(root, sources):
        rootfs.inside(shop, shop.part, ["apt-get", "-qq", "update"], network=True)
        rootfs.inside(
            shop, shop.part, ["apt-get", "-qq", "-y", "install", *PACKAGES], network=True, binds=lent
        )
    lists = root / "var/lib/apt/lists"
    shutil.rmtree(lists)
    (lists / "partial").mkdir(parents=True)


@contextmanager
def with_sources(root: Path, sources: list[apt_sources.Source]) -> Iterator[None]:
    """Within it the disk's apt may fetch what this machine's may; the disk keeps the list of sources."""
    carried = root / "etc/apt/apt.conf.d/90lab"
    bundle = root / "etc/apt/lab-ca.pem"
    settings = apt_sources.apt_settings()
    if apt_sources.BUNDLE.is_file():
        shutil.copy(apt_sources.BUNDLE, bundle)
        settings += 'Acquire::https::CAInfo "/etc/apt/lab-ca.pem";\n'
    carried.write_text(settings, encoding="utf-8")
    lines = "\n".join(source.line() for source in sources)
    (root / "etc/apt/sources.list").write_text(f"{lines}\n", encoding="utf-8")
    yield
    carried.unlink()
    bundle.unlink(missing_ok=True)


def _set_passwords(shop: Workshop) -> None:
    lines = "".join(f"{name}:{name}\n" for name in PEOPLE)
    listed = shop.part / "root/people"
    listed.write_text(lines, encoding="ascii")
    rootfs.inside(shop, shop.part, ["python3", "-c", _CHPASSWD])
    listed.unlink()


_CHPASSWD = "import subprocess; subprocess.run(['chpasswd'], stdin=open('/root/people'), check=True)"
