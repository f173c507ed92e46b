"""Decides each ✓ of the demonstration, in a process of its own, from what lies on disk or answers on a port.

Run as ``python -I judge.py CHECK JSON``: it imports nothing of Bookbag and never asks it. Prints one line of
evidence; exits 0 for ✓ and 4 for ✗ (anything else went wrong, which is an ✗ too).
"""

from __future__ import annotations

import base64
import hashlib
import html
import http.client
import json
import os
import re
import stat
import sys
from collections import Counter
from typing import Any
from urllib.parse import quote, urlsplit

#: Below these the agent keeps its own things; all else on the laptop belongs to others and is compared.
OWN = ("etc/bookbag", "var/lib/bookbag", "run/bookbag", ".sandbox")
Verdict = tuple[bool, str]

# -- who signed what


def signed(docroot: str, people: str) -> Verdict:
    """Root and targets metadata each carry valid signatures of at least two different persons."""
    owner_of = {}
    for name in os.listdir(people):
        keys = _read(f"{people}/{name}").split("seal-key")[0]
        owner_of.update({key: name.removesuffix(".yaml") for key in re.findall(r"\b[0-9a-f]{64}\b", keys)})
    said = []
    for role in ("root", "targets"):
        metadata = _newest(f"{docroot}/metadata", role)
        text = json.dumps(metadata["signed"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        persons = set()
        for key, person in owner_of.items():
            if any(_is_signed(key, one["sig"], text.encode()) for one in metadata["signatures"]):
                persons.add(person)
        said.append(f"{role} by {' and '.join(sorted(persons)) or 'nobody'}")
        if len(persons) < 2:
            return False, "; ".join(said)
    return True, "; ".join(said)


def _is_signed(key: str, signature: str, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _newest(folder: str, role: str) -> dict[str, list[dict[str, str]]]:
    found = [re.fullmatch(rf"(\d+)\.{role}\.json", name) for name in os.listdir(folder)]
    metadata: dict[str, list[dict[str, str]]] = json.loads(
        _read(f"{folder}/{max(int(one[1]) for one in found if one)}.{role}.json")
    )
    return metadata


def enrolled(laptops: dict[str, str], records: str, docroot: str) -> Verdict:
    """The desk's record of each laptop names the very key that lies on it, and there is a mailbox for
    each."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    for name, folder in laptops.items():
        private = json.loads(_read(f"{folder}/var/lib/bookbag/keys/device.json"))["sign_key"]
        public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)).public_key().public_bytes_raw()
        record = _read(f"{records}/{name}.yaml")
        if f'sign-key: "{public.hex()}"' not in record or "state: assigned" not in record:
            return False, f"the desk's record does not hold the key that lies on {name}'s laptop"
    mail = f"{docroot}/targets/mail"
    boxes = [name for name in os.listdir(mail) if os.path.getsize(f"{mail}/{name}")]
    same = f"{len(laptops)} of {len(laptops)} keys are the same at the desk and on the laptop"
    return len(boxes) >= len(laptops), f"{same}; {len(boxes)} sealed mailboxes"


# -- files that policy made


def say(files: list[str], text: str) -> Verdict:
    """Each of the files contains the text."""
    silent = [path for path in files if text not in _read(path)]
    return not silent, f"{len(files) - len(silent)} of {len(files)} say {text}" + _first(silent)


def split(new: list[str], old: list[str], new_text: str, old_text: str) -> Verdict:
    """Those that were to change say the new text, the others still the old one."""
    changed = [path for path in new if new_text in _read(path)]
    kept = [path for path in old if old_text in _read(path) and new_text not in _read(path)]
    ok = len(changed) == len(new) and len(kept) == len(old)
    return ok, f"{len(changed)} of {len(new)} say {new_text}; {len(kept)} of {len(old)} say what they said"


def healed(path: str, sha256: str, inode: int) -> Verdict:
    """The file has its old bytes again, and is another file than the one that was tampered with."""
    try:
        now, node = hashlib.sha256(_bytes(path)).hexdigest(), os.stat(path).st_ino
    except OSError as problem:
        return False, f"{_short(path)}: {problem.strerror}"
    if now != sha256:
        return False, f"{_short(path)} still has the student's bytes"
    return node != inode, f"{_short(path)} has its bytes back (sha256 {now[:12]}…)"


def beside(present: str, text: str, absent: str) -> Verdict:
    """``absent`` does not exist although ``present``, from the same document, contains ``text``."""
    if text not in _read(present):
        return False, f"the rest of the document is not in force: {_short(present)}"
    there = "exists" if os.path.lexists(absent) else "does not exist"
    return not os.path.lexists(absent), f"{_short(absent)} {there}; {_short(present)} says: {text.strip()}"


def back(path: str, text: str, other: str, says: str) -> Verdict:
    """The thief's file is as it was before, and what the school decided is in force."""
    ok = _read(path) == text and says in _read(other)
    return ok, f"{_short(path)} says: {_read(path).strip()}; {_short(other)} says {says}"


def snapshot(laptops: dict[str, str], into: str) -> Verdict:
    """Write what `same` compares with."""
    found = {name: _tree(folder) for name, folder in laptops.items()}
    with open(into, "w", encoding="utf-8") as file:
        json.dump(found, file)
    return True, f"{sum(len(tree) for tree in found.values())} files"


def same(laptops: dict[str, str], before: str, refusal: str = "") -> Verdict:
    """Every file of others on the laptops is as it was: bytes, mode, kind; none more, none fewer; and nobody
    is refused."""
    then: dict[str, dict[str, str]] = json.loads(_read(before))
    if refusal:
        return False, f"nobody can log in: {refusal}"
    differ, count = [], 0
    for name, folder in laptops.items():
        now, was = _tree(folder), then[name]
        count += len(was)
        differ += [
            f"{name}: {path}" for path in sorted(was.keys() | now.keys()) if was.get(path) != now.get(path)
        ]
    return not differ, f"{len(differ)} of {count} files on {len(laptops)} laptops differ" + _first(differ)


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
                content = hashlib.sha256(_bytes(path)).hexdigest()
            elif stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            key = os.path.normpath(f"{inside}/{name}")
            if not any(own.startswith(f"{key}/") for own in OWN):
                found[key] = f"{info.st_mode:o} {content}"
    return found


# -- what the student sees


def page(url: str, language: str, text: str) -> Verdict:
    """The portal shows the sentence on this page, in this language, from the side on which it is written."""
    body = _get(url, language)
    way = re.search(r'<html[^>]*dir="?(ltr|rtl)', body)
    right = "rtl" if language in ("ar", "fa", "he", "ur") else "ltr"
    ok = text in body and way is not None and way[1] == right
    return ok, f"{urlsplit(url).path} in {language}, {way[1] if way else 'no direction'}"


def library(url: str, words: str, text: str) -> Verdict:
    """The portal finds the words, and the page that it found opens from the place where content lives."""
    results = _get(f"{url}/search?q={quote(words)}", "en")
    found = re.findall(r'href="?(/item/[^"> ]+)', results)
    if not found:
        return False, f"nothing is found for {words}"
    reader = _get(f"{url}{html.unescape(found[0])}", "en")
    frame = re.search(r'<iframe[^>]*src="?(http://[^"> ]+)', reader)
    shown = _get(html.unescape(frame[1]), "en") if frame else ""
    return (
        text in shown,
        f"“{words}”: {len(set(found))} found; the first opens: {len(shown)} bytes of its own",
    )


def _get(url: str, language: str) -> str:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("GET", path, headers={"Accept-Language": language})
        return html.unescape(connection.getresponse().read(1 << 20).decode("utf-8", "replace"))
    finally:
        connection.close()


# -- orders


def refused_orders(laptops: list[dict[str, str]], mirror: str, disk_path: str) -> Verdict:
    """Each laptop has seen the forged word (positive control), refused an order, and its disk is what it
    was."""
    reasons: Counter[str] = Counter()
    for one in laptops:
        folder = one["folder"]
        if hashlib.sha256(_bytes(folder + mirror)).hexdigest() != one["reached"]:
            return False, f"the forgery never reached {one['name']}, so nothing was shown"
        if hashlib.sha256(_bytes(folder + disk_path)).hexdigest() != one["disk"]:
            return False, f"the disk of {one['name']} is not what it was"
        if _public(folder, "lock").get("erase_at"):
            return False, f"an erasure is armed on {one['name']}"
        rows = _public(folder, "ledger").get("entries", [])
        codes = [row["code"] for row in rows if row["kind"] == "refusal" and row["at"] >= int(one["since"])]
        if not codes:
            return False, f"{one['name']} has refused nothing"
        reasons[codes[0]] += 1
    said = ", ".join(f"{count} {code}" for code, count in reasons.most_common())
    return True, f"{len(laptops)} of {len(laptops)} refused: {said}; every disk is what it was"


def locked(folder: str, refusal: str) -> Verdict:
    """Nobody passes the login gate, and the machine starts into the locker."""
    gate = [
        line.split("#")[0].split() for line in _read(f"{folder}/etc/security/bookbag-login.conf").splitlines()
    ]
    rules = ["".join(words) for words in gate if words]
    target = os.readlink(f"{folder}/etc/systemd/system/default.target")
    ok = rules == ["-:ALL:ALL"] and target.endswith("/bookbag-lock.target") and bool(refusal)
    return ok, f"log in: {refusal or 'works'}; starts into {os.path.basename(target)}"


def unarmed(disk: str, sha256: str, folder: str) -> Verdict:
    """No erasure is armed, and the disk is what it was."""
    at = _public(folder, "lock").get("erase_at")
    whole = hashlib.sha256(_bytes(disk)).hexdigest() == sha256
    return (
        whole and not at,
        f"the disk is {'what it was' if whole else 'changed'}; armed: {'yes' if at else 'no'}",
    )


def erased(disk: str, before: str, receipts: str, record: str) -> Verdict:
    """Nothing is left of the keys that opened the disk, and the laptop has signed a certificate."""
    block = 512
    keys = 9 * 4096  # what lies before the data on a disk of the sandbox
    then = {data for at in range(4096, keys, block) if any(data := _bytes(before)[at : at + block])}
    now = _bytes(disk)
    left = sum(now[at : at + block] in then for at in range(0, len(now), block))
    if left or any(now[4096:keys]):
        return False, f"{left} of {len(then)} blocks of key material are still there"
    key = re.search(r'sign-key: "([0-9a-f]{64})"', _read(record))
    for name in sorted(os.listdir(receipts), reverse=True):
        envelope = json.loads(base64.b64decode(json.loads(_read(f"{receipts}/{name}"))["envelope"]))
        payload = base64.b64decode(envelope["payload"])
        kind = envelope["payloadType"]
        said = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
        signature = base64.b64decode(envelope["signatures"][0]["sig"]).hex()
        told = json.loads(payload)
        if key and _is_signed(key[1], signature, said) and told["state"] == "done" and told["final"]:
            grade, tool = told["evidence"]["grade"], told["evidence"]["sanitization"]
            return (
                True,
                f"{len(then)} blocks of key material gone; certificate signed by the laptop: {grade}, {tool}",
            )
    return False, "the laptop has signed no certificate"


# -- what left the laptop


def nameless(sent: str, facts: str, names: list[str]) -> Verdict:
    """None of the names that the laptop knows is in the bytes that left; its installation's id is."""
    bodies = [_bytes(f"{sent}/{name}") for name in sorted(os.listdir(sent)) if name.endswith(".pb")]
    whole = b"\n".join(bodies)
    known = json.loads(_read(facts))
    secrets = [*names, *known["users"], known["serial"], os.uname().nodename]
    found = [name for name in secrets if name.lower().encode() in whole.lower()]
    if not re.search(rb"[0-9a-f]{32}", whole):
        return False, "nothing was sent, so nothing was shown"
    return (
        not found,
        f"{len(bodies)} requests, {len(whole)} bytes; {len(found)} of {len(secrets)} names in them",
    )


# -- reading


def _public(folder: str, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(_read(f"{folder}/var/lib/bookbag/public/{name}.json"))
    except FileNotFoundError:
        return {}  # nothing of the kind was ever so
    return found


def _read(path: str) -> str:
    return _bytes(path).decode("utf-8", "replace")


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _short(path: str) -> str:
    found = re.search(r"/laptops/[a-z]+(/.*)", path)
    return found[1] if found else path


def _first(found: list[str]) -> str:
    return f": {', '.join(_short(one) for one in found[:3])}" if found else ""


CHECKS = {
    check.__name__: check
    for check in (
        *(signed, enrolled, say, split, healed, beside, back, snapshot, same, page, library),
        *(refused_orders, locked, unarmed, erased, nameless),
    )
}


def main() -> int:
    """Judge one check from the command line."""
    ok, evidence = CHECKS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(evidence)
    return 0 if ok else 4


if __name__ == "__main__":
    sys.exit(main())
