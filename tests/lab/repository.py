"""A signed repository of packages, as a distribution or a vendor has one."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.lab import programs

SUITE = "lab"
_RELEASE = """\
Origin: {label}
Label: {label}
Suite: {suite}
Codename: {suite}
Architectures: amd64 arm64 all
Components: main
Date: Thu, 01 Jan 2026 00:00:00 UTC
SHA256:
{hashes}
"""


@dataclass(frozen=True)
class Repository:
    """``folder`` is what is served; ``label`` is what it calls itself. ``keys``: its own GnuPG home."""

    folder: Path
    keys: Path
    label: str = "Debian"

    def begin(self) -> None:
        """Make its key, and nothing in it yet."""
        self.keys.mkdir(mode=0o700)
        (self.folder / "pool").mkdir(parents=True)
        self._gpg("--quick-generate-key", f"{self.label} <archive@lab.example>", "ed25519", "sign", "never")
        self.publish()

    def key(self) -> str:
        """Its public key, in letters."""
        return self._gpg("--export", "--armor")

    def source(self, uri: str, key_path: str) -> str:
        """What stands in sources.list.d of whoever has it."""
        lines = (
            "Types: deb",
            f"URIs: {uri}",
            f"Suites: {SUITE}",
            "Components: main",
            f"Signed-By: {key_path}",
        )
        return "\n".join(lines) + "\n"

    def add(
        self, name: str, version: str, *, depends: str = "", conflicts: str = "", postinst: str = ""
    ) -> None:
        """A package with a program that says its name and version, and a file of configuration."""
        tree = self.folder.parent / "tree"
        program, setting = tree / "usr/bin" / name, tree / "etc" / f"{name}.conf"
        for path in (tree / "DEBIAN/control", program, setting):
            path.parent.mkdir(parents=True, exist_ok=True)
        needs = f"Depends: {depends}\n" if depends else ""
        needs += f"Conflicts: {conflicts}\n" if conflicts else ""
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Lab <lab@lab.example>\n"
            f"{needs}Description: for tests\n"
        )
        (tree / "DEBIAN/conffiles").write_text(f"/etc/{name}.conf\n")
        if postinst:
            (tree / "DEBIAN/postinst").write_text(f"#!/bin/sh\nset -e\n{postinst}\n")
            (tree / "DEBIAN/postinst").chmod(0o755)
        program.write_text(f"#!/bin/sh\necho {name} {version}\n")
        program.chmod(0o755)
        setting.write_text(f"version={version}\n")
        deb = self.folder / "pool" / f"{name}_{version}_all.deb"
        programs.run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(deb)])
        (self.folder / "pool" / f"{name}_{version}.control").write_text((tree / "DEBIAN/control").read_text())
        shutil.rmtree(tree)

    def publish(self) -> None:
        """Sign what is in it by now."""
        suite = self.folder / "dists" / SUITE
        listed = b"".join(self._stanza(deb) for deb in sorted((self.folder / "pool").glob("*.deb")))
        hashes = []
        for name in (f"main/binary-{one}/Packages" for one in ("amd64", "arm64")):
            (suite / name).parent.mkdir(parents=True, exist_ok=True)
            for path, data in ((name, listed), (f"{name}.gz", gzip.compress(listed, mtime=0))):
                (suite / path).write_bytes(data)
                hashes.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {path}")
        release = _RELEASE.format(label=self.label, suite=SUITE, hashes="\n".join(hashes))
        (suite / "Release").write_text(release)
        signed = self._gpg("--clearsign", "--output", "-", str(suite / "Release"))
        (suite / "InRelease").write_text(signed)

    def _stanza(self, deb: Path) -> bytes:
        data = deb.read_bytes()
        control = deb.with_name(deb.name.replace("_all.deb", ".control")).read_text()
        return (
            f"{control}Filename: pool/{deb.name}\nSize: {len(data)}\n"
            f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n"
        ).encode()

    def _gpg(self, *words: str) -> str:
        quiet = ("--batch", "--yes", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "")
        return programs.run(["gpg", "--homedir", str(self.keys), *quiet, *words])

    def end(self) -> None:
        """Stop what GnuPG leaves running."""
        programs.run(["gpgconf", "--homedir", str(self.keys), "--kill", "all"])
