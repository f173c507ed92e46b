"""Decides each ✓ of the demonstration, in a process of its own, from what lies on disk.

Run as ``python -I judge.py CHECK JSON``: it imports nothing of Bookbag and never asks it. Prints one line of
evidence; exits 0 for ✓ and 4 for ✗ (anything else went wrong, which is an ✗ too).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys

#: Below these the agent keeps its own things; all else on the laptop belongs to others and is compared.
OWN = ("etc/bookbag", "var/lib/bookbag", "run/bookbag", ".sandbox")


def signed(docroot: str, people: str) -> tuple[bool, str]:
    """Root and targets metadata each carry valid signatures of at least two different persons."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    owner_of = {}
    for name in os.listdir(people):
        with open(f"{people}/{name}", encoding="utf-8") as file:
            keys = file.read().split("seal-key")[0]
        owner_of.update({key: name.removesuffix(".yaml") for key in re.findall(r"\b[0-9a-f]{64}\b", keys)})
    said = []
    for role in ("root", "targets"):
        metadata = _newest(f"{docroot}/metadata", role)
        text = json.dumps(metadata["signed"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        persons = set()
        for key, person in owner_of.items():
            for signature in metadata["signatures"]:
                try:
                    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
                        bytes.fromhex(signature["sig"]), text.encode()
                    )
                    persons.add(person)
                except (InvalidSignature, ValueError):
                    continue
        said.append(f"{role}: {', '.join(sorted(persons)) or 'nobody'}")
        if len(persons) < 2:
            return False, "; ".join(said)
    return True, "; ".join(said)


def _newest(folder: str, role: str) -> dict[str, list[dict[str, str]]]:
    versions = [
        int(m[1]) for name in os.listdir(folder) if (m := re.fullmatch(rf"(\d+)\.{role}\.json", name))
    ]
    with open(f"{folder}/{max(versions)}.{role}.json", encoding="utf-8") as file:
        found: dict[str, list[dict[str, str]]] = json.load(file)
    return found


def enrolled(laptop: str, record: str, docroot: str, used: str, used_sha256: str) -> tuple[bool, str]:
    """The desk's record names the very key that lies on the laptop, a sealed mailbox is published, and the
    token's one return is still the first one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    with open(f"{laptop}/var/lib/bookbag/keys/device.json", encoding="utf-8") as file:
        private = bytes.fromhex(json.load(file)["sign_key"])
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    with open(record, encoding="utf-8") as file:
        text = file.read()
    if f'sign-key: "{public.hex()}"' not in text:
        return False, "the desk's record does not hold the key that lies on the laptop"
    if "state: assigned" not in text:
        return False, "the desk has not assigned this laptop"
    mail = f"{docroot}/targets/mail"
    sizes = [os.path.getsize(f"{mail}/{name}") for name in os.listdir(mail)] if os.path.isdir(mail) else []
    if not sizes:
        return False, "no sealed mailbox is published"
    with open(used, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != used_sha256:
            return False, "the one-time token was used a second time"
    return (
        True,
        f"key {public.hex()[:12]}… on both sides; mailbox of {sizes[0]} sealed bytes; second use refused",
    )


def holds(path: str, text: str) -> tuple[bool, str]:
    """The file at ``path`` contains ``text``."""
    try:
        with open(path, encoding="utf-8") as file:
            content = file.read()
    except OSError as problem:
        return False, f"{_short(path)}: {problem.strerror}"
    return text in content, f"{_short(path)} {'says' if text in content else 'does not say'} {text}"


def healed(path: str, sha256: str, inode: int) -> tuple[bool, str]:
    """The file has its old bytes again, and is another file than the one that was tampered with."""
    try:
        with open(path, "rb") as file:
            now = hashlib.sha256(file.read()).hexdigest()
            node = os.fstat(file.fileno()).st_ino
    except OSError as problem:
        return False, f"{_short(path)}: {problem.strerror}"
    if now != sha256:
        return False, f"{_short(path)} still has the student's bytes"
    return node != inode, f"{_short(path)} has its bytes back (sha256 {now[:12]}…)"


def refused(path: str, text: str, seen: str, seen_sha256: str) -> tuple[bool, str]:
    """The laptop fetched the forgery (positive control), and the file still contains the old ``text``."""
    with open(seen, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != seen_sha256:
            return False, "the forgery never reached the laptop, so nothing was shown"
    return holds(path, text)


def split(present: str, text: str, absent: str) -> tuple[bool, str]:
    """``absent`` does not exist although ``present``, from the same document, contains ``text``."""
    ok, said = holds(present, text)
    if not ok:
        return False, f"the rest of the document is not in force: {said}"
    return not os.path.lexists(
        absent
    ), f"{_short(absent)} {'exists' if os.path.lexists(absent) else 'does not exist'}; {said}"


def same(root: str, before: str) -> tuple[bool, str]:
    """Every file of others on the laptop is as it was: bytes, mode, kind; none more, none fewer."""
    with open(before, encoding="utf-8") as file:
        then: dict[str, str] = json.load(file)
    now = _tree(root)
    differ = sorted(path for path in then.keys() | now.keys() if then.get(path) != now.get(path))
    return not differ, f"{len(differ)} of {len(then)} files differ" + (
        f": {', '.join(differ[:4])}" if differ else ""
    )


def snapshot(root: str, into: str) -> tuple[bool, str]:
    """Write what `same` compares with."""
    found = _tree(root)
    with open(into, "w", encoding="utf-8") as file:
        json.dump(found, file)
    return True, f"{len(found)} files"


def _tree(root: str) -> dict[str, str]:
    found = {}
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        folders[:] = [name for name in folders if os.path.normpath(f"{inside}/{name}") not in OWN]
        for name in [*folders, *files]:
            path = f"{folder}/{name}"
            info = os.lstat(path)
            content = ""
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            elif stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            key = os.path.normpath(f"{inside}/{name}")
            if not any(own.startswith(f"{key}/") for own in OWN):
                found[key] = f"{info.st_mode:o} {content}"
    return found


def _short(path: str) -> str:
    return path[path.index("/laptop/") + len("/laptop") :] if "/laptop/" in path else path


CHECKS = {
    check.__name__: check for check in (signed, enrolled, holds, healed, refused, split, same, snapshot)
}


def main() -> int:
    """Judge one check from the command line."""
    ok, evidence = CHECKS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(evidence)
    return 0 if ok else 4


if __name__ == "__main__":
    sys.exit(main())
