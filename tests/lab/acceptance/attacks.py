"""What somebody can try on a laptop who took over its school's service, with every key on it; some with the
stolen key of one person as well.

Each is one function: it plays the attack with what a `Thief` has, and its first line says what he hopes for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.core import jsontext
from agent.core.clock import DAY
from agent.trust.keys import SigningKey
from tests.lab.acceptance.attacker import Thief, now
from tests.trust.evil.forge import Forge, instant

Play = Callable[[Thief], object]
HOMEPAGE = "http://casino.example/"
#: What must never be there.
CANARY = "/usr/local/bin/tidy-up"
_HEAD = 'rank: school\nowner: x@y.example\nreview-by: "2027-08-01"\n'
EVIL = f"policy: everyone\n{_HEAD}settings:\n  browser.homepage: {HOMEPAGE}\n"
PROGRAM = (
    f"policy: tools\n{_HEAD}"
    f'resources:\n  - file: {{path: {CANARY}, content: "#!/bin/sh\\nrm -rf /home\\n", mode: "0755"}}\n'
)
WIPING = f"policy: tools\n{_HEAD}resources:\n  - wipe: {{device: all}}\n"


@dataclass(frozen=True, slots=True)
class Attack:
    """``codes``: at least one of these is told as the reason; none where it merely does not happen."""

    name: str
    says: str
    play: Play
    codes: tuple[str, ...]


ATTACKS: list[Attack] = []


def attack(*codes: str) -> Callable[[Play], Play]:
    """List a function as an attack."""

    def add(play: Play) -> Play:
        ATTACKS.append(Attack(name_of(play), says_of(play), play, codes))
        return play

    return add


def name_of(function: Callable[[Thief], object]) -> str:
    """What a listed function is called."""
    return str(getattr(function, "__name__")).replace("_", "-")  # noqa: B009


def says_of(function: Callable[[Thief], object]) -> str:
    """What it says of itself."""
    return " ".join((function.__doc__ or "").split())


# -- what is fresh


@attack()
def the_old_site_again(thief: Thief) -> None:
    """Everything as it was when he came, so that what was decided since is undone."""
    thief.serve(thief.past)


@attack("rollback")
def old_policy_as_the_newest(thief: Thief) -> None:
    """The first version of the policy, genuinely signed, under a new snapshot and timestamp."""
    forge = thief.forge()
    old = next(name for name in sorted(thief.past) if name.endswith(".policy-ict.json"))
    forge.files[old] = thief.past[old]
    forge.files.update({name: data for name, data in thief.past.items() if name.startswith("targets/")})
    forge.use("policy-ict", int(old.removeprefix("metadata/").partition(".")[0]))
    thief.finish(forge)


@attack("bad-metadata", "rollback")
def policy_dropped(thief: Thief) -> None:
    """A snapshot that knows of no policy, so that all of it is withdrawn."""
    forge = thief.forge()
    forge.drop("policy-ict")
    thief.finish(forge)


@attack("rollback", "bad-metadata")
def old_targets(thief: Thief) -> None:
    """The former list of persons, when one more was trusted."""
    forge = thief.forge()
    forge.use("targets", forge.version("targets") - 1)
    thief.finish(forge)


@attack("expired")
def expired_timestamp(thief: Thief) -> None:
    """A timestamp that ended yesterday, with the real key."""
    thief.finish(thief.forge(), stamp=lambda it: it.update(expires=instant(now() - DAY)))


@attack("expired")
def expired_snapshot(thief: Thief) -> None:
    """A snapshot that ended yesterday, with the real key."""
    thief.finish(thief.forge(), snapshot=lambda it: it.update(expires=instant(now() - DAY)))


@attack("wrong-site")
def timestamp_of_another_site(thief: Thief) -> None:
    """The real key, used for another site's timestamp."""
    thief.finish(thief.forge(), stamp=lambda it: it.update(site="south"))


@attack("bad-metadata", "under-signed")
def timestamp_by_a_stranger(thief: Thief) -> None:
    """A timestamp under a key of his own."""
    forge = thief.forge()
    forge.online = type(thief.online)(SigningKey.generate(), thief.online.snapshot, thief.online.mail)
    thief.finish(forge)


@attack("bad-json", "bad-metadata", "too-large", "network")
def timestamp_zeroed(thief: Thief) -> None:
    """A timestamp of nothing but zeros, in the hope of a laptop that begins anew."""
    spoil(thief, "timestamp.json", lambda data: bytes(len(data)))


@attack("bad-json", "bad-metadata", "too-large")
def timestamp_nested(thief: Thief) -> None:
    """A timestamp that is nested deeper than any parser goes."""
    spoil(thief, "timestamp.json", lambda data: b"[" * 10_000)


@attack("too-large", "network")
def timestamp_enormous(thief: Thief) -> None:
    """A mebibyte of timestamp."""
    spoil(thief, "timestamp.json", lambda data: data + b" " * (1 << 20))


@attack("bad-json", "bad-metadata")
def snapshot_cut_short(thief: Thief) -> None:
    """Half of the newest snapshot."""
    forge = thief.forge()
    thief.finish(forge)
    spoil(thief, f"{forge.snapshot['version']}.snapshot.json", lambda data: data[: len(data) // 2])


@attack("not-found", "bad-metadata", "network")
def snapshot_withheld(thief: Thief) -> None:
    """A timestamp that names a snapshot which is not there."""
    forge = thief.forge()
    thief.finish(forge)
    files = thief.forge().files
    del files[f"metadata/{forge.snapshot['version']}.snapshot.json"]
    thief.serve(files)


def spoil(thief: Thief, name: str, change: Callable[[bytes], bytes]) -> None:
    """Alter one file of what is published, once it is fresh."""
    if name == "timestamp.json":
        thief.finish(thief.forge())
    path = thief.desk.published / "metadata" / name
    path.write_bytes(change(path.read_bytes()))


# -- who is trusted


@attack("bad-metadata", "under-signed")
def root_of_his_own(thief: Thief) -> None:
    """A next root that names him, signed with his own keys and all that the service has."""
    forge = thief.forge()
    signed = forge.root(1)
    signed["version"] = 2
    keys = [SigningKey.generate(), thief.online.timestamp, thief.online.snapshot, thief.online.mail]
    put_root(thief, forge, signed, keys)


@attack("bad-metadata", "under-signed")
def root_by_one_stolen_key(thief: Thief) -> None:
    """A next root that needs one signature only, signed by one person."""
    forge = thief.forge()
    signed = forge.root(1)
    signed["version"] = 2
    signed["roles"]["root"]["threshold"] = 1
    put_root(thief, forge, signed, [thief.stolen])


def put_root(thief: Thief, forge: Forge, signed: dict[str, Any], keys: list[SigningKey]) -> None:
    meta = dict(forge.meta)
    thief.put(forge, "root", signed, *keys)
    forge.meta.clear()
    forge.meta.update(meta)
    thief.finish(forge)


@attack("bad-metadata", "under-signed")
def persons_by_the_service(thief: Thief) -> None:
    """A next list of persons, signed with all that the service has."""
    next_targets(thief, thief.online.timestamp, thief.online.snapshot, thief.online.mail)


@attack("bad-metadata", "under-signed")
def persons_by_one_stolen_key(thief: Thief) -> None:
    """A next list of persons, signed by one person where it takes two."""
    next_targets(thief, thief.stolen)


def next_targets(thief: Thief, *keys: SigningKey) -> None:
    forge = thief.forge()
    signed = forge.role("targets")
    signed["version"] += 1
    thief.put(forge, "targets", signed, *keys)
    thief.finish(forge)


# -- policy


@attack("bad-metadata", "under-signed")
def policy_by_the_service(thief: Thief) -> None:
    """A policy of his, signed with all that the service has."""
    online = thief.online
    documents(thief, "policy", EVIL, online.timestamp, online.snapshot, online.mail)


@attack("bad-metadata", "under-signed")
def policy_by_strangers(thief: Thief) -> None:
    """A policy of his, signed with fresh keys."""
    documents(thief, "policy", EVIL, SigningKey.generate(), SigningKey.generate())


@attack("bad-metadata", "under-signed")
def policy_bytes_exchanged(thief: Thief) -> None:
    """A person's genuine signature over another list of documents."""
    forge = thief.forge()
    signed = next_role(forge, "policy", {"everyone.yaml": EVIL.encode()})
    place = f"metadata/{forge.version('policy-ict')}.policy-ict.json"
    value = jsontext.parse(forge.files[place], what="metadata")
    assert isinstance(value, dict)
    thief.put(forge, "policy-ict", signed)
    forged = {"signatures": value["signatures"], "signed": signed}
    forge.files[f"metadata/{signed['version']}.policy-ict.json"] = jsontext.canonical(forged)
    thief.finish(forge)


@attack("bad-metadata", "not-found")
def document_exchanged(thief: Thief) -> None:
    """Other bytes in the place of a newly signed document."""
    text = EVIL.replace(HOMEPAGE, "http://library.example/next")
    documents(thief, "policy", text, thief.stolen)
    for path in thief.desk.published.glob("targets/policy/ict/*.everyone.yaml"):
        if path.read_text(encoding="utf-8") == text:
            path.write_text(EVIL, encoding="utf-8")


@attack("root-power")
def program_in_a_policy_by_one_stolen_key(thief: Thief) -> None:
    """A program that clears the homes, hidden in a policy that one person may sign."""
    documents(thief, "policy", PROGRAM, thief.stolen, name="tools.yaml")


@attack("not-supported")
def wipe_in_a_policy_by_one_stolen_key(thief: Thief) -> None:
    """A wipe, written as a policy that one person may sign."""
    documents(thief, "policy", WIPING, thief.stolen, name="tools.yaml")


@attack("under-signed", "bad-metadata")
def root_power_by_one_stolen_key(thief: Thief) -> None:
    """The same program under power/, which two persons must sign: one did."""
    documents(thief, "power", PROGRAM, thief.stolen, name="tools.yaml")


@attack("under-signed", "bad-metadata")
def root_power_by_one_key_under_two_names(thief: Thief) -> None:
    """The same, signed twice with one key, once as somebody else's."""
    forge = thief.forge()
    signed = next_role(forge, "power", {"tools.yaml": PROGRAM.encode()})
    thief.put(forge, "power-ict", signed, thief.stolen)
    place = f"metadata/{signed['version']}.power-ict.json"
    value = jsontext.parse(forge.files[place], what="metadata")
    assert isinstance(value, dict)
    (one,) = value["signatures"]
    other = thief.folder.people()[1].keys[0]
    forge.files[place] = jsontext.canonical({**value, "signatures": [one, {**one, "keyid": other}]})
    thief.finish(forge)


@attack("bad-metadata", "under-signed")
def content_by_the_service(thief: Thief) -> None:
    """A catalogue of learning content, signed with all that the service has."""
    forge = thief.forge()
    signed = forge.role("policy-ict")
    signed.update(version=1, targets={})
    value = {"v": 1, "site": "north", "role": "ict", "items": []}
    forge.target(signed, "content/ict/catalogue.json", jsontext.canonical(value))
    thief.put(forge, "content-ict", signed, thief.online.mail, thief.online.snapshot)
    thief.finish(forge)


def next_role(forge: Forge, kind: str, files: dict[str, bytes]) -> dict[str, Any]:
    """The next version of ict's role, which has these documents and is signed by nobody yet."""
    signed = forge.role(f"{kind}-ict")
    signed.update(version=signed["version"] + 1, signed_at=now(), expires=instant(now() + 100 * DAY))
    forge.documents(signed, kind, "ict", files)
    return signed


def documents(thief: Thief, kind: str, text: str, *keys: SigningKey, name: str = "everyone.yaml") -> None:
    """A document of his beside the others (or in the place of one), signed with ``keys``."""
    forge = thief.forge()
    there = thief.policies if kind == "policy" else {}
    signed = next_role(forge, kind, {**there, name: text.encode()})
    thief.put(forge, f"{kind}-ict", signed, *keys)
    thief.finish(forge)


# -- the line


@attack("network")
def redirected_elsewhere(thief: Thief) -> None:
    """Every answer points to another host, without encryption."""
    thief.answer("redirect http://10.77.0.1:1")


@attack("network", "bad-metadata", "bad-json")
def a_page_to_sign_in(thief: Thief) -> None:
    """Every answer is a web page."""
    thief.answer("page")


@attack("network")
def never_now(thief: Thief) -> None:
    """Every answer asks to come back in three thousand years."""
    thief.answer("busy")


@attack("network", "bad-json", "bad-metadata")
def half_an_answer(thief: Thief) -> None:
    """Every answer ends in its middle."""
    thief.answer("half")


@attack("network", "too-large")
def an_answer_without_end(thief: Thief) -> None:
    """Every answer goes on for ever."""
    thief.answer("endless")


@attack("network")
def headers_without_end(thief: Thief) -> None:
    """Every answer is a hundred thousand headers."""
    thief.answer("headers")


@attack("network")
def another_certificate(thief: Thief) -> None:
    """The host shows a certificate of another authority."""
    thief.open_host(thief.other_certificate())


@attack("network")
def no_certificate(thief: Thief) -> None:
    """The host speaks plain HTTP."""
    thief.open_host(None)
