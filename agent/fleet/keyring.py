"""Opens private keys at the desk: persons' own, and those the desk shares, each sealed to every person who
may use it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agent.core.errors import BookbagError
from agent.fleet import keyfile
from agent.fleet.folder import Folder
from agent.fleet.keyfile import PersonKeys
from agent.fleet.passphrases import Passphrases
from agent.fleet.records import TeacherRecord
from agent.trust.keys import SealKey, SealPublicKey
from agent.trust.sealing import seal, unseal

#: Keys the whole desk shares: what laptops seal returns to, and the site's certificate authority.
RETURNS, CA = "returns", "ca"


class Keyring:
    """Private keys, opened when first needed and checked against the public keys in ``people/``."""

    def __init__(self, folder: Folder, passphrases: Passphrases, *, elsewhere: Iterable[Path] = ()) -> None:
        """``elsewhere``: more places to look for ``ID.json``, such as a person's own stick."""
        self._folder = folder
        self._passphrases = passphrases
        self._elsewhere = tuple(elsewhere)
        self._open: dict[str, PersonKeys] = {}

    def where(self, person: str) -> Path | None:
        """The key file of ``person``; None if it is not on this machine."""
        names = (f"{person}.json", f"{person}.paper.txt")
        places = [folder / name for folder in self._elsewhere for name in names] + [
            self._folder.key_file(person)
        ]
        return next((place for place in places if place.is_file()), None)

    def person(self, name: str) -> PersonKeys:
        """The keys of ``name``. Raises ``not-found`` or ``bad-key``."""
        if name not in self._open:
            self._open[name] = self._load(name)
        return self._open[name]

    def _load(self, name: str) -> PersonKeys:
        teacher = name in self._folder.stems("teachers")
        listed = self._folder.teacher(name) if teacher else self._folder.person(name)
        seal = "" if isinstance(listed, TeacherRecord) else listed.seal_key
        path = self.where(name)
        if path is None:
            raise BookbagError(
                "bad-key",
                f"cannot sign as {name}: the private key is not here",
                place=self._folder.relative(self._folder.key_file(name)),
                remedy="name the folder or stick it lies on with --keys DIR",
            )
        place, where = self._folder.relative(path), "teachers" if teacher else "people"
        data = self._folder.read(path, most=4096)
        if path.suffix == ".txt":
            keys = keyfile.from_paper(data.decode("utf-8", "replace"), name, place=place)
        else:
            keys = keyfile.unlock(data, self._passphrases.get(name), place=place)
        if (
            keys.id != name
            or keys.sign.public.hex not in listed.keys
            or seal not in ("", keys.seal.public.hex)
        ):
            raise BookbagError(
                "bad-key",
                f"cannot sign as {name}: this private key does not belong to {where}/{name}.yaml",
                place=place,
                remedy="find the right key file, or look in git who changed the public keys",
            )
        return keys

    def any_person(self, asked: Iterable[str]) -> PersonKeys:
        """The first of ``asked``; if none is asked, the only person whose key lies here. Raises
        ``bad-argument``."""
        for name in asked:
            return self.person(name)
        here = [name for name in self._folder.stems("people") if self.where(name) is not None]
        if len(here) == 1:
            return self.person(here[0])
        raise BookbagError(
            "bad-argument",
            "cannot tell whose keys to use",
            remedy=f"say --as PERSON; keys here: {', '.join(here) or 'none'}",
        )

    # -- keys of the whole desk

    def shared(self, what: str, asked: Iterable[str]) -> bytes:
        """The raw bytes of a shared key, opened with a person's seal key."""
        person = self.any_person(asked)
        path = self._folder.shared_key_file(what, person.id)
        if not path.exists():
            raise BookbagError(
                "bad-key",
                f"cannot open the desk's {what} key as {person.id}: it was not shared with them",
                place=self._folder.relative(path),
                remedy="someone who has it runs: bookbag-fleet person share",
            )
        return unseal(self._folder.read(path), person.seal, purpose=f"desk-{what}")

    def returns_key(self, asked: Iterable[str]) -> SealKey:
        """The key that laptops' returns are sealed to."""
        return SealKey.from_raw(self.shared(RETURNS, asked))

    def share(self, what: str, raw: bytes, person: str, to: SealPublicKey) -> None:
        """Let ``person`` use a shared key. The file may lie in git: only their key opens it."""
        path = self._folder.shared_key_file(what, person)
        self._folder.write(path, seal(raw, to, purpose=f"desk-{what}"), mode=0o600)
