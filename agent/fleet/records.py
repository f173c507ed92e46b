"""What the YAML files of IT's folder hold, as values. `agent.core.schema` turns them into text and back,
strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Profile = Literal["three-admin", "one-admin"]
Connectivity = Literal["connected", "mixed", "sneakernet"]


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """A role that signs: who holds it, at which ranks it may speak (none: no policy), and what else it may
    do."""

    persons: tuple[str, ...]
    ranks: tuple[str, ...]
    power: bool = False  #: whether two of them together may use root power
    content: bool = False  #: whether each of them may publish learning content


@dataclass(frozen=True, slots=True)
class OnlineRecord:
    """The publisher's public keys (hex): they make things fresh, and can decide nothing."""

    timestamp: str
    snapshot: str
    mail: str


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """``site.yaml``: what this site is."""

    site: str
    urls: tuple[str, ...]
    profile: Profile
    connectivity: Connectivity
    fleet_size: int  #: how many laptops at most; caps on destructive commands are reckoned from it
    languages: tuple[str, ...]
    epoch: int  #: counts up whenever someone's power ends; older commands then fall silent
    returns_key: str  #: hex, public: laptops seal what they return to it
    roles: Mapping[str, RoleRecord]
    holders: tuple[
        str, ...
    ]  #: persons who hold root and targets keys; two of them decide whom the site trusts
    online: OnlineRecord  #: keys of the publishing machine
    telemetry_url: str | None = None  #: where laptops report to; None: to this site's own service
    v: int = 1


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """``people/ID.yaml``: one person's public keys. Private parts lie in ``keys/``, encrypted."""

    id: str
    keys: tuple[str, ...]  #: hex, Ed25519
    seal_key: str  #: hex, X25519
    v: int = 1


@dataclass(frozen=True, slots=True)
class TeacherRecord:
    """``teachers/ID.yaml``: who may start, in classes of theirs, what policies let teachers start."""

    id: str
    keys: tuple[str, ...]  #: hex, Ed25519
    school: str
    classes: tuple[str, ...]
    since: str  #: YYYY-MM-DD, the first day of the key; its days are those of UTC
    until: str  #: YYYY-MM-DD, the last day
    v: int = 1


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """``tokens/ID.yaml``: one one-time enrolment token. The secret is sealed: only the desk can read it."""

    id: str
    device: str  #: the name of the laptop it was made for
    secret: str  #: base64, sealed to the site's returns key
    created: int  #: unix seconds
    expires: int
    serial_sha256: str | None = None  #: when the serial number is known beforehand
    used: bool = False
    v: int = 1


@dataclass(frozen=True, slots=True)
class SecretRecord:
    """``keys/secrets/NAME.yaml``: one named secret for laptops. Only the desk can open it."""

    name: str
    changed: int  #: unix seconds: laptops that were given it before have an older value
    box: str = field(repr=False)  #: base64, sealed to the site's returns key
    v: int = 1


@dataclass(frozen=True, slots=True)
class RosterRecord:
    """``keys/roster/NAME.yaml``: the accounts of one laptop's students. Only the desk can open it."""

    name: str  #: the laptop's
    device: str  #: whose life they are for
    changed: int  #: unix seconds: an order that was signed before has older ones
    box: str = field(repr=False)  #: base64, sealed to the site's returns key
    v: int = 1


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """``devices/NAME.yaml``: one laptop. Its keys appear with the enrolment, its groups with the
    assignment."""

    name: str
    state: Literal["invited", "assigned", "retired"]
    token: str  #: id of its latest token
    device: str | None = None  #: device id, 32 hex
    sign_key: str | None = None
    seal_key: str | None = None
    serial_sha256: str | None = None
    school: str | None = None
    year: str | None = None
    class_: str | None = None
    seq: int = 0  #: of the newest assignment
    seqs: Mapping[str, int] = field(default_factory=dict)  #: of the newest order in each other slot
    epoch: int | None = None  #: in which they were counted; None: noted by nobody, they go on
    assigned_by: tuple[str, ...] = ()
    v: int = 1
