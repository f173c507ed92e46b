"""What somebody can make who holds keys: new timestamps, snapshots and mail over any contents, and metadata
signed with whichever keys a scenario gives away. Written against the file format, not against the desk's
code.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import SSlibKey
from tuf.api.metadata import Metadata

from agent.core import jsontext
from agent.trust.commandlog import CommandLog
from agent.trust.keys import SigningKey
from agent.trust.site.online import Online
from tests.trust.evil.desk import Files, Register, key, owner

Json = dict[str, Any]
Edit = Callable[[Json], object]


def instant(at: int) -> str:
    """Unix seconds as metadata writes time."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_bytes(value: object) -> bytes:
    """JSON as python-tuf writes it, for values that need not be well-formed metadata."""
    return jsontext.canonical(value)


def signed_with(signed: Json, keys: Mapping[str, SigningKey]) -> bytes:
    """Metadata over ``signed``; ``keys`` by the id that they sign under."""
    payload = str(encode_canonical(signed)).encode()
    made = [{"keyid": name, "sig": one.sign(payload).hex()} for name, one in keys.items()]
    return to_bytes({"signatures": made, "signed": signed})


class Forge:
    """A set of published files to be altered. Nothing takes effect before `finish`. ``bits``: of mail's
    bins."""

    def __init__(
        self, files: Mapping[str, bytes], online: Online, register: Register, *, bits: int = 1
    ) -> None:
        self.bits = bits
        self.files: Files = dict(files)
        self.online = online
        self.register = register
        self.stamp = self._read("timestamp.json")
        number = self.stamp["meta"]["snapshot.json"]["version"]
        self.snapshot = self._read(f"{number}.snapshot.json")
        self.meta: Json = self.snapshot["meta"]

    def _read(self, name: str) -> Json:
        value = jsontext.parse(self.files[f"metadata/{name}"], what=name)
        assert isinstance(value, dict)
        return cast("Json", copy.deepcopy(value["signed"]))

    def version(self, role: str) -> int:
        return cast("int", self.meta[f"{role}.json"]["version"])

    def role(self, role: str) -> Json:
        """The signed part of a role's metadata, to be edited and put back."""
        return self._read(f"{self.version(role)}.{role}.json")

    def root(self, version: int) -> Json:
        return self._read(f"{version}.root.json")

    def put(
        self, role: str, signed: Json, by: Sequence[str] = (), *, ids: Mapping[str, str] | None = None
    ) -> None:
        """A role's next metadata, signed with the keys named (``ids``: key id → key name instead)."""
        self._write(f"{signed['version']}.{role}.json", signed, by, ids)
        self.meta[f"{role}.json"] = {"version": signed["version"]}

    def put_root(self, signed: Json, by: Sequence[str] = (), *, ids: Mapping[str, str] | None = None) -> None:
        self._write(f"{signed['version']}.root.json", signed, by, ids)

    def _write(self, name: str, signed: Json, by: Sequence[str], ids: Mapping[str, str] | None) -> None:
        chosen = dict(ids) if ids is not None else {key(one).public.keyid: one for one in by}
        data = signed_with(signed, {keyid: key(one) for keyid, one in chosen.items()})
        self.files[f"metadata/{name}"] = data
        for one in chosen.values():
            self.register.sign(str(encode_canonical(signed)).encode(), owner(one))

    def edit(self, role: str, by: Sequence[str], edit: Edit, **ids: Mapping[str, str]) -> Json:
        """The next version of a role with changes."""
        signed = self.role(role)
        signed["version"] += 1
        edit(signed)
        self.put(role, signed, by, ids=ids.get("ids"))
        return signed

    def target(self, signed: Json, path: str, data: bytes) -> None:
        """Let ``signed`` name a target, and have its bytes ready."""
        digest = hashlib.sha256(data).hexdigest()
        signed["targets"][path] = {"length": len(data), "hashes": {"sha256": digest}}
        folder, _, name = path.rpartition("/")
        self.files[f"targets/{folder}/{digest}.{name}".replace("//", "/")] = data

    def documents(
        self,
        signed: Json,
        kind: str,
        role: str,
        documents: Mapping[str, bytes],
        index: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """Let a policy or power role consist of these; ``index``: what its index.json says otherwise."""
        signed["targets"] = {}
        entries: Json = {}
        for name, data in documents.items():
            self.target(signed, f"{kind}/{role}/{name}", data)
            entries[name] = {"sha256": hashlib.sha256(data).hexdigest(), "rank": "", "applies_to": {}}
        value = {"v": 1, "site": "north", "kind": kind, "role": role, "documents": entries, **index}
        self.target(signed, f"{kind}/{role}/index.json", jsontext.canonical(value))

    def use(self, role: str, version: int) -> None:
        """Let the next snapshot name another version of a role."""
        self.meta[f"{role}.json"] = {"version": version}

    def drop(self, role: str) -> None:
        del self.meta[f"{role}.json"]

    def bin_of(self, mailbox: str) -> str:
        """The bin that lists a mailbox."""
        digest = hashlib.sha256(f"mail/{mailbox}".encode()).digest()
        return f"mail-{digest[0] >> 8 - self.bits:0{(self.bits + 3) // 4}x}"

    def file_mail(self, mailbox: str, sealed: bytes | None) -> None:
        """Put anything into anybody's mailbox, with the real mail key."""
        role = self.bin_of(mailbox)
        signed = self.role(role)
        signed["version"] += 1
        signed["targets"].pop(f"mail/{mailbox}", None)
        if sealed is not None:
            self.target(signed, f"mail/{mailbox}", sealed)
        self.put_online(role, signed)

    def file_log(self, log: CommandLog) -> None:
        """Any log of orders, with the real mail key; segments that it lacks stay as they were."""
        for name, data in log.segments("north").items():
            role = self.bin_of(name)
            signed = self.role(role)
            signed["version"] += 1
            self.target(signed, f"mail/{name}", data)
            self.put_online(role, signed)

    def put_online(self, role: str, signed: Json) -> None:
        """`mail` or a bin, signed with the real mail key."""
        mail = self.online.mail
        self.files[f"metadata/{signed['version']}.{role}.json"] = signed_with(
            signed, {mail.public.keyid: mail}
        )
        self.meta[f"{role}.json"] = {"version": signed["version"]}

    def finish(
        self, *, stamp: Edit | None = None, snapshot: Edit | None = None, at: int | None = None
    ) -> Files:
        """Sign snapshot and timestamp anew with the real online keys. ``at``: signed then, with the usual
        lives.
        """
        self.snapshot["version"] += 1
        self.stamp["version"] += 1
        if at is not None:
            self.snapshot.update(signed_at=at, expires=instant(at + 7 * 86400))
            self.stamp.update(signed_at=at, expires=instant(at + 3 * 86400))
        if snapshot:
            snapshot(self.snapshot)
        number = self.snapshot.get("version")
        signer = self.online.snapshot
        self.files[f"metadata/{number}.snapshot.json"] = signed_with(
            self.snapshot, {signer.public.keyid: signer}
        )
        self.stamp["meta"]["snapshot.json"] = {"version": number}
        if stamp:
            stamp(self.stamp)
        signer = self.online.timestamp
        self.files["metadata/timestamp.json"] = signed_with(self.stamp, {signer.public.keyid: signer})
        return self.files


def tuf_key(name: str) -> Json:
    """A key as metadata lists it."""
    public = key(name).public
    return SSlibKey(public.keyid, "ed25519", "ed25519", {"public": public.hex}).to_dict()


def parse(data: bytes) -> Metadata[Any]:
    """Metadata as python-tuf reads it."""
    return Metadata[Any].from_bytes(data)
