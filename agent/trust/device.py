"""A laptop's verification of its site: from an untrusted mirror to ``Verified[SiteView]``, or a refusal.

`STEPS` is the whole of it in order: each step is one function on the `Round`, and raises BookbagError to take nothing. The
ledger is committed before anything is used; the finished generation is written before the orders' marks are.

    root chain ─ timestamp ─ snapshot ─ targets ─ trust.json ─┬─ mailbox ─ orders
                                                              └─ policy-<role>, power-<role>   (each on its own)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from tuf.api.metadata import Metadata, Root, Signed, Targets
from tuf.ngclient import Updater

from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.core.ports import HighWater
from agent.trust import floors, metadata, orders, roles
from agent.trust.fetcher import METADATA, MOST_METADATA, TARGETS, Fetcher
from agent.trust.generation import load_generation, read_file, write_generation
from agent.trust.identity import DeviceIdentity, mailbox_name
from agent.trust.marks import ONLINE, Marks
from agent.trust.mirror import Mirror
from agent.trust.persons import TRUST_TARGET, TrustDocument
from agent.trust.updater import framework_errors, open_updater, set_time
from agent.trust.verified import Verified, mint
from agent.trust.view import Assignment, Order, Refusal, SignedDocument, SiteView

MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a laptop brings to a verification.

    ``previous``: the folder of the last good generation, None before there was one. ``enrolled``: something was accepted
    before, so that a ledger must exist. ``identity`` None: no mailbox is opened.
    """

    site: str
    bootstrap_root: bytes
    now: Now
    generation: str
    previous: str | None = None
    enrolled: bool = False
    identity: DeviceIdentity | None = None
    serial_sha256: str = ""


@dataclass(slots=True)
class Round:
    """One verification under way."""

    wanted: Wanted
    fetcher: Fetcher
    updater: Updater
    marks: Marks
    previous: SiteView | None
    first_root: bytes
    at: int = 0  #: trusted time, newest signed time included
    signed_at: int = 0
    roots: list[Metadata[Signed]] = field(default_factory=list)
    trust: TrustDocument | None = None
    documents: list[SignedDocument] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    view: SiteView | None = None

    @property
    def root(self) -> Root:
        """The newest root."""
        return cast("Root", self.roots[-1].signed)

    def loaded(self, role: str) -> Signed:
        """Metadata that python-tuf accepted."""
        return self.updater._trusted_set[role]

    def targets(self) -> Targets:
        """The site's top-level targets."""
        return cast("Targets", self.loaded(Targets.type))

    def take(self, name: str) -> None:
        """Keep a file that was read, for the generation."""
        self.files[name] = self.fetcher.taken[name]

    def trusted(self) -> TrustDocument:
        """trust.json, once read."""
        if self.trust is None:
            raise BookbagError("internal", "cannot go on: trust.json was not read")
        return self.trust


def verify_site(
    mirror: str, wanted: Wanted, high_water: HighWater, *, mirror_owner: int | None = None
) -> Verified[SiteView]:
    """Verify what lies in ``mirror`` and write it as ``wanted.generation``.

    Raises BookbagError and changes nothing but the ledger (which only rises): ``expired``, ``rollback``, ``under-signed``,
    ``wrong-site``, ``bad-metadata``, ``recovering``, ``bad-path``, ``too-large``, ``not-found``, ``disk-full``. The last good
    generation then stays in force.
    """
    marks = Marks.open(high_water, expected=wanted.enrolled or wanted.previous is not None, at=wanted.now.at)
    previous = _load_previous(wanted.previous)
    first = _newest_root(wanted, previous)
    with Mirror(mirror, owner=mirror_owner) as files:
        fetcher = Fetcher(files)
        with open_updater(fetcher, first, wanted.now.at) as updater:
            this = Round(wanted, fetcher, updater, marks, previous, first)
            for step in STEPS:
                step(this)
    if this.view is None:
        raise BookbagError("internal", "cannot go on: no view was made")
    return mint(this.view)


def refresh(this: Round) -> None:
    """The update framework's own rules: signatures by key, versions, hashes, expiry at trusted time."""
    with framework_errors(this.fetcher):
        this.updater.refresh()
    first = metadata.parse(this.first_root, "root.json")
    this.roots = [first]
    while this.roots[-1].signed.version < this.loaded(Root.type).version:
        name = f"{METADATA}/{this.roots[-1].signed.version + 1}.root.json"
        this.roots.append(metadata.parse(this.fetcher.taken[name], name))


def check_sites(this: Round) -> None:
    """`site` in every file: sites that share keys cannot be swapped for one another."""
    for root in this.roots:
        metadata.check_site(root.signed, this.wanted.site, f"{root.signed.version}.root.json")
    for role in ("timestamp", "snapshot", "targets"):
        metadata.check_site(this.loaded(role), this.wanted.site, role)


def check_root_persons(this: Round) -> None:
    """Each root is signed by enough different persons, of its own and of the root before it."""
    before: Root | None = None
    for root in this.roots:
        signed = cast("Root", root.signed)
        for judge in (signed,) if before is None else (before, signed):
            role = judge.roles[Root.type]
            found = metadata.persons_of(root, role, judge.keys, metadata.root_owners(judge))
            least = max(floors.ROOT_PERSONS, role.threshold)
            metadata.check_persons(found, least, f"{signed.version}.root.json")
        before = signed


def check_targets_persons(this: Round) -> None:
    """targets is signed by enough different persons of root's map."""
    role = this.root.roles[Targets.type]
    name = f"{METADATA}/{this.targets().version}.targets.json"
    signed = metadata.parse(this.fetcher.taken[name], name)
    found = metadata.persons_of(signed, role, this.root.keys, metadata.root_owners(this.root))
    metadata.check_persons(found, max(floors.TARGETS_PERSONS, role.threshold), Targets.type)


def check_least_targets(this: Round) -> None:
    """targets is no older than root says: a new root can end what old targets allowed."""
    least = metadata.root_fields(this.root).least_targets
    if this.targets().version < least:
        raise BookbagError(
            "rollback",
            f"cannot accept targets {this.targets().version}: root demands {least} or newer",
            place="targets",
        )


def check_time(this: Round) -> None:
    """Signed time is believed up to the expiry of root and targets; nothing may be expired at that time either."""
    told = metadata.signed_at(this.loaded("timestamp"), "timestamp")
    limit = min(_unix(this.root), _unix(this.targets()))
    this.signed_at = min(told, limit)
    this.at = max(this.wanted.now.at, this.signed_at)
    for role in ("root", "timestamp", "snapshot", "targets"):
        if this.at >= _unix(this.loaded(role)):
            raise BookbagError("expired", f"cannot take new state: {role} is expired", place=role)
    set_time(this.updater, this.at)


def check_recovering(this: Round) -> None:
    """A laptop without its memory takes no word from before it noticed."""
    since = this.marks.recovering_since
    if since and metadata.signed_at(this.loaded("timestamp"), "timestamp") < since:
        raise BookbagError(
            "recovering",
            "cannot take new state: signed before this laptop lost its trust ledger",
            remedy="publish anew, and readmit the laptop",
        )


def read_trust(this: Round) -> None:
    """trust.json, as targets names it; of this site, in targets' epoch, which is not before root's."""
    with framework_errors(this.fetcher):
        info = this.targets().targets.get(TRUST_TARGET)
        if info is None:
            raise BookbagError(
                "bad-metadata", "cannot accept targets: it names no trust.json", place="targets"
            )
        place = f"{TARGETS}/{roles.target_file(TRUST_TARGET, info.hashes.get('sha256', ''))}"
        data = this.fetcher.get(place)
        if data is None:
            raise BookbagError("not-found", "cannot read trust.json: the mirror lacks it", place=place)
        info.verify_length_and_hashes(data)
    this.trust = TrustDocument.from_bytes(data)
    this.take(place)


def check_trust(this: Round) -> None:
    """trust.json, targets and root agree on site and epoch."""
    trust = this.trusted()
    if trust.site != this.wanted.site:
        raise BookbagError(
            "wrong-site", f"cannot accept trust.json: it is of site {trust.site}", place=TRUST_TARGET
        )
    if trust.epoch != metadata.epoch_of(this.targets(), "targets"):
        raise BookbagError(
            "wrong-epoch", "cannot accept trust.json: targets is of another epoch", place=TRUST_TARGET
        )
    if trust.epoch < metadata.root_fields(this.root).epoch:
        raise BookbagError(
            "wrong-epoch", "cannot accept trust.json: root demands a later epoch", place=TRUST_TARGET
        )


def compare_high_water(this: Round) -> None:
    """Nothing older than what this laptop has accepted; marks of online roles count for the keys that made them."""
    marks = this.marks
    marks.compare("root", this.root.version)
    voided = [marks.bind(role, _keys_of(this, role)) for role in ("timestamp", "snapshot")]
    if any(voided):
        for role in ("timestamp", "snapshot"):
            marks.drop(role)
    marks.bind(MAIL, _keys_of(this, MAIL))
    for role in ("root", "targets", *ONLINE[:2]):
        marks.advance(role, this.loaded(role).version)
    marks.advance("epoch", this.trusted().epoch)


def commit_high_water(this: Round) -> None:
    """fsynced before anything is done on its strength."""
    this.marks.commit()
    for role in ("root", "timestamp", "snapshot", "targets"):
        this.versions[role] = this.loaded(role).version
    for root in this.roots[1:]:
        this.take(f"{METADATA}/{root.signed.version}.root.json")
    this.files[f"{METADATA}/{this.roots[0].signed.version}.root.json"] = this.first_root
    this.take(f"{METADATA}/timestamp.json")
    this.take(f"{METADATA}/{this.versions['snapshot']}.snapshot.json")
    this.take(f"{METADATA}/{this.versions['targets']}.targets.json")


def read_mail(this: Round) -> None:
    """The mailbox: absence is a signed "nothing"; a mailbox that fails costs only itself."""
    identity = this.wanted.identity
    delegations = this.targets().delegations
    if identity is None or delegations is None or MAIL not in (delegations.roles or {}):
        return
    try:
        sealed = _open_target(this, f"{MAIL}/{mailbox_name(this.wanted.site, identity.id)}")
        if sealed is None:
            return
        context = orders.Context(
            identity, this.wanted.serial_sha256, this.trusted(), this.marks, this.at, this.wanted.now
        )
        accepted, refused = orders.read_mailbox(sealed, context)
    except BookbagError as error:
        this.refusals.append(Refusal("mailbox", error.code, error.message))
        return
    this.orders, this.refusals = accepted, this.refusals + refused


def read_roles(this: Round) -> None:
    """Every policy and power role, each on its own: a bad one is refused, and its last good documents stay."""
    for role in sorted(this.trusted().roles):
        for kind in roles.KINDS:
            _read_role(this, kind, role)


def make_view(this: Round) -> None:
    """Put together what holds now."""
    trust = this.trusted()
    assignment = this.previous.assignment if this.previous else None
    for order in this.orders:
        if order.kind == "assign" and (assignment is None or order.seq >= assignment.seq):
            assignment = _assignment(order)
    this.view = SiteView(
        site=trust.site,
        epoch=trust.epoch,
        signed_at=this.signed_at,
        root_expires=_unix(this.root),
        targets_expires=_unix(this.targets()),
        expires=min(_unix(this.loaded(role)) for role in ("root", "timestamp", "snapshot", "targets")),
        trust=trust,
        documents=tuple(this.documents),
        refusals=tuple(this.refusals),
        assignment=assignment,
        orders=tuple(this.orders),
        versions=MappingProxyType(dict(this.versions)),
        recovering_since=this.marks.recovering_since,
        generation=this.wanted.generation,
    )


def write(this: Round) -> None:
    """The finished generation, durably."""
    if this.view is not None:
        write_generation(this.wanted.generation, this.view, this.files)


def commit_orders(this: Round) -> None:
    """Marks of roles and orders, fsynced: only now may anyone act on them. Cut short, the same orders come again."""
    this.marks.commit()


Step = Callable[[Round], None]
#: In this order, every one of them. Steps named check_* and compare_* only judge.
STEPS: tuple[Step, ...] = (
    refresh,
    check_sites,
    check_root_persons,
    check_targets_persons,
    check_least_targets,
    check_time,
    check_recovering,
    read_trust,
    check_trust,
    compare_high_water,
    commit_high_water,
    read_mail,
    read_roles,
    make_view,
    write,
    commit_orders,
)


def _load_previous(folder: str | None) -> SiteView | None:
    if folder is None:
        return None
    try:
        return load_generation(folder).value
    except BookbagError as error:
        if error.code not in ("not-found", "state-corrupt"):
            raise
        return None


def _newest_root(wanted: Wanted, previous: SiteView | None) -> bytes:
    """The newest root this laptop knows: a mirror that hides later ones does not bring back keys they revoked."""
    version = previous.versions.get("root", 0) if previous else 0
    if previous is None or version <= metadata.parse(wanted.bootstrap_root, "root.json").signed.version:
        return wanted.bootstrap_root
    data = read_file(previous.generation, f"{METADATA}/{version}.root.json", MOST_METADATA)
    return data if data is not None else wanted.bootstrap_root


def _keys_of(this: Round, role: str) -> str:
    """The raw keys that may sign ``role`` now, as one text."""
    if role == MAIL:
        delegations = this.targets().delegations
        delegated = (delegations.roles or {}).get(MAIL) if delegations else None
        if delegations is None or delegated is None:
            return ""
        listed = [delegations.keys[keyid] for keyid in delegated.keyids if keyid in delegations.keys]
    else:
        listed = [this.root.keys[keyid] for keyid in this.root.roles[role].keyids]
    return ",".join(sorted({metadata.raw_key(key).hex for key in listed}))


def _open_target(this: Round, path: str) -> bytes | None:
    """A mailbox target through its bin, whose metadata must be of this site and no older than seen."""
    with framework_errors(this.fetcher):
        info = this.updater.get_targetinfo(path)
        mail = cast("Targets", this.loaded(MAIL))
        bins = metadata.delegations(mail, MAIL).succinct_roles
        if bins is None:
            raise BookbagError("bad-metadata", "cannot read mailbox: mail has no bins", place=MAIL)
        for name in (MAIL, bins.get_role_for_target(path)):
            metadata.check_site(this.loaded(name), this.wanted.site, name)
            this.marks.advance(name, this.loaded(name).version)
        if info is None:
            return None
        data = this.fetcher.get(f"{TARGETS}/{roles.target_file(path, info.hashes.get('sha256', ''))}")
        if data is None:
            raise BookbagError("not-found", "cannot read mailbox: the mirror lacks it")
        info.verify_length_and_hashes(data)
        return data


def _read_role(this: Round, kind: str, role: str) -> None:
    name = roles.role_name(kind, role)
    delegations = this.targets().delegations
    if delegations is None or name not in (delegations.roles or {}):
        return
    mark = f"role.{name}"
    try:
        if f"{name}.json" not in this.updater._trusted_set.snapshot.meta and not this.marks.get(mark):
            return  # delegated, but nothing was ever published
        draft = _fresh_role(this, kind, role)
    except BookbagError as error:
        kept = _kept_role(this, kind, role)
        this.refusals.append(Refusal(name, error.code, error.message, kept=kept is not None))
        if kept is None:
            return
        draft = kept
    else:
        this.marks.advance(mark, draft.targets.version)
    this.versions[name] = draft.targets.version
    this.documents += draft.documents
    for place, data in draft.files.items():
        this.files[f"{TARGETS}/{place}"] = data


def _fresh_role(this: Round, kind: str, role: str) -> roles.RoleDraft:
    name = roles.role_name(kind, role)
    with framework_errors(this.fetcher):
        this.updater.get_targetinfo(f"{kind}/{role}/{roles.INDEX}")
        version = this.loaded(name).version
    place = f"{METADATA}/{version}.{name}.json"
    this.marks.compare(f"role.{name}", version)
    draft = _draft(this, kind, role, this.fetcher.taken[place], place)
    draft.least_signed = this.marks.recovering_since
    roles.verify(draft, lambda path: this.fetcher.get(f"{TARGETS}/{path}"))
    this.take(place)
    return draft


def _kept_role(this: Round, kind: str, role: str) -> roles.RoleDraft | None:
    """What the same role brought before, if its signatures still count under today's delegation; its age does not matter."""
    if this.previous is None:
        return None
    name, folder = roles.role_name(kind, role), this.previous.generation
    version = this.previous.versions.get(name)
    if version is None:
        return None
    place = f"{METADATA}/{version}.{name}.json"
    try:
        data = read_file(folder, place, MOST_METADATA)
        if data is None:
            return None
        draft = _draft(this, kind, role, data, place)
        roles.verify(draft, lambda path: read_file(folder, f"{TARGETS}/{path}", roles.MOST_DOCUMENT))
    except BookbagError:
        return None
    this.files[place] = data
    return draft


def _draft(this: Round, kind: str, role: str, data: bytes, place: str) -> roles.RoleDraft:
    delegations = metadata.delegations(this.targets(), Targets.type)
    delegated = (delegations.roles or {})[roles.role_name(kind, role)]
    return roles.RoleDraft(kind, role, delegated, delegations, this.trusted(), metadata.parse(data, place))


def _assignment(order: Order) -> Assignment:
    args = orders.assign_args(order)
    return Assignment(args.school, args.year, args.class_, order.id, order.seq, order.persons, order.issued)


def _unix(signed: Signed) -> int:
    return int(signed.expires.timestamp())
