"""A laptop's verification of its site: from an untrusted mirror to ``Verified[SiteView]``, or a refusal.

`STEPS` is the whole of it in order: each step is one function on the `Round`, and raises BookbagError to
take nothing. The ledger is committed before anything is used; the finished generation is written before the
orders' marks are.

    root chain ─ timestamp ─ snapshot ─ targets ─ trust.json ─┬─ log, mailbox ─ agent.trust.orders.STEPS
                                                              ├─ policy and power: agent.trust.roles.STEPS
                                                              └─ content: agent.trust.contentroles.STEPS
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import cast

from tuf.api.metadata import Root

from agent.core.errors import BookbagError
from agent.core.ports import HighWater
from agent.trust import commandlog, floors, metadata, orderargs
from agent.trust.fetcher import Fetcher, check_metadata
from agent.trust.generation import load_generation, read_file, write_generation
from agent.trust.identity import mailbox_name
from agent.trust.mailbox import Read, read_mailbox
from agent.trust.marks import Marks
from agent.trust.mirror import Mirror
from agent.trust.orders import Context
from agent.trust.paths import MAIL, METADATA, MOST_METADATA, TIMESTAMP, TRUST_TARGET, role_file, target_place
from agent.trust.persons import TrustDocument
from agent.trust.policyroles import read_roles
from agent.trust.rounds import Round, Wanted, unix
from agent.trust.updater import framework_errors, open_updater, set_time
from agent.trust.verified import Verified, mint
from agent.trust.view import Refusal, SiteView

__all__ = ["STEPS", "Round", "Step", "Wanted", "verify_site"]

_TOP = ("root", "timestamp", "snapshot", "targets")
#: The mark of the public log, void with the keys of mail like those of its bins.
LOG_MARK = f"{MAIL}-log"


def verify_site(
    mirror: str, wanted: Wanted, high_water: HighWater, *, mirror_owner: int | None = None
) -> Verified[SiteView]:
    """Verify what lies in ``mirror`` and write it as ``wanted.generation``.

    Raises BookbagError and changes nothing but the ledger (which only rises): ``expired``, ``rollback``,
    ``under-signed``, ``wrong-site``, ``bad-metadata``, ``recovering``, ``bad-path``, ``too-large``,
    ``not-found``, ``disk-full``. The last good generation then stays in force.
    """
    previous = _load_previous(wanted)
    marks = Marks.open(high_water, expected=wanted.enrolled or wanted.previous is not None, at=wanted.now.at)
    if previous is not None and marks.recovering_since:
        marks.seed(previous.versions, previous.epoch)
    first = _newest_root(wanted, previous)
    with Mirror(mirror, owner=mirror_owner) as files:
        fetcher = Fetcher(files)
        # python-tuf judges at the time that has certainly passed; check_time then judges at trusted time.
        with open_updater(fetcher, first, wanted.now.floor) as updater:
            this = Round(wanted, fetcher, updater, marks, previous, first)
            for step in STEPS:
                step(this)
    if this.view is None:
        raise BookbagError("internal", "cannot go on: no view was made")
    return mint(this.view)


def refresh(this: Round) -> None:
    """The update framework's own rules: signatures by key, versions, hashes, expiry."""
    with framework_errors(this.fetcher):
        this.updater.refresh()
    this.roots = [metadata.parse(this.first_root, "root.json")]
    while this.roots[-1].signed.version < this.loaded("root").version:
        name = role_file(this.roots[-1].signed.version + 1, "root")
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
            role = judge.roles["root"]
            found = metadata.persons_of(root, role, judge.keys, metadata.root_owners(judge))
            least = max(floors.ROOT_PERSONS, role.threshold)
            metadata.check_persons(found, least, f"{signed.version}.root.json")
        before = signed


def check_targets_persons(this: Round) -> None:
    """targets is signed by enough different persons of root's map."""
    role = this.root.roles["targets"]
    name = role_file(this.targets().version, "targets")
    signed = metadata.parse(this.fetcher.taken[name], name)
    found = metadata.persons_of(signed, role, this.root.keys, metadata.root_owners(this.root))
    metadata.check_persons(found, max(floors.TARGETS_PERSONS, role.threshold), "targets")


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
    """Signed time is believed up to the expiry of root and targets; nothing may be expired at that time
    either."""
    told = metadata.signed_at(this.loaded("timestamp"), "timestamp")
    this.signed_at = min(told, unix(this.root), unix(this.targets()))
    former = this.marks.note("keys.timestamp")
    now = this.wanted.now
    # Two persons replaced the keys that told the time so far: what a thief told with them is void, like
    # their marks.
    passed = now.at if former in ("", this.keys_of("timestamp")) else now.floor
    this.at = max(passed, this.signed_at)
    for role in _TOP:
        if this.at >= unix(this.loaded(role)):
            raise BookbagError("expired", f"cannot take new state: {role} is expired", place=role)
    set_time(this.updater, this.at)


def check_recovering(this: Round) -> None:
    """A laptop without its memory takes no word from before it noticed."""
    since = this.marks.recovering_since
    # Where the last good generation is gone too, nothing remembers how new targets were: it must be as new
    # as the word.
    for role in ("timestamp",) if this.previous else ("timestamp", "targets"):
        if since and metadata.signed_at(this.loaded(role), role) < since:
            raise BookbagError(
                "recovering",
                f"cannot take new state: {role} was signed before this laptop lost its trust ledger",
                place=role,
                remedy="renew targets, publish anew, and readmit the laptop",
            )


def read_trust(this: Round) -> None:
    """trust.json, exactly as targets names it."""
    with framework_errors(this.fetcher):
        info = this.targets().targets.get(TRUST_TARGET)
        if info is None:
            raise BookbagError(
                "bad-metadata", "cannot accept targets: it names no trust.json", place="targets"
            )
        place = target_place(TRUST_TARGET, info.hashes.get("sha256", ""))
        data = this.fetcher.get(place)
        if data is None:
            raise BookbagError("not-found", "cannot read trust.json: the mirror lacks it", place=place)
        info.verify_length_and_hashes(data)
    this.trust = TrustDocument.from_bytes(data)
    this.take(place)


def check_trust(this: Round) -> None:
    """trust.json, targets and root agree on site, epoch and whose key is whose."""
    trust, root = this.trusted(), metadata.root_fields(this.root)
    if trust.site != this.wanted.site:
        raise BookbagError(
            "wrong-site", f"cannot accept trust.json: it is of site {trust.site}", place=TRUST_TARGET
        )
    if trust.epoch != metadata.epoch_of(this.targets(), "targets"):
        raise BookbagError(
            "wrong-epoch", "cannot accept trust.json: targets is of another epoch", place=TRUST_TARGET
        )
    if trust.epoch < root.epoch:
        raise BookbagError(
            "wrong-epoch", "cannot accept trust.json: root demands a later epoch", place=TRUST_TARGET
        )
    owners = trust.owners()
    for key, person in metadata.root_owners(this.root).items():
        if owners.get(key, person) != person:
            raise BookbagError(
                "duplicate-person", f"cannot accept trust.json: {person}'s root key is {owners[key]}'s here"
            )


def compare_high_water(this: Round) -> None:
    """Nothing older than this laptop has accepted; marks of online roles count for the keys that made
    them."""
    marks = this.marks
    marks.advance("root", this.root.version)
    replaced = [marks.bind(role, this.keys_of(role)) for role in ("timestamp", "snapshot")]
    if any(replaced):  # one stolen key may have run up the other's mark
        marks.drop("timestamp")
        marks.drop("snapshot")
    marks.bind(MAIL, this.keys_of(MAIL))
    for role in ("targets", "timestamp", "snapshot"):
        marks.advance(role, this.loaded(role).version)
    marks.enter_epoch(this.trusted().epoch)


def commit_high_water(this: Round) -> None:
    """fsynced before anything is done on its strength."""
    this.marks.commit()
    this.versions = {role: this.loaded(role).version for role in _TOP}
    this.files[role_file(this.roots[0].signed.version, "root")] = this.first_root
    for root in this.roots[1:]:
        this.take(role_file(root.signed.version, "root"))
    for role in ("snapshot", "targets"):
        this.take(role_file(this.versions[role], role))
    this.take(TIMESTAMP)


def read_log(this: Round) -> None:
    """The public log of orders, and that it is the one seen before; one that fails costs only the orders that
    it should name."""
    if this.wanted.identity is None or not this.delegated(MAIL):
        return
    marks = this.marks
    looked = marks.get(LOG_MARK)  # one more than the entries that there were; 0: never looked
    known = (looked - 1, marks.note("log.head")) if looked else (0, commandlog.GENESIS)
    try:
        found = commandlog.read_log(_segments(this), this.wanted.site)
        seen = int(marks.note("log.seen") or 0) if looked else 0
        commandlog.check_extends(found, known=known, looked_at=seen, at=this.at)
    except BookbagError as error:
        this.log = error
        this.refusals.append(Refusal("log", error.code, error.message))
        return
    this.log = found
    marks.raise_to(LOG_MARK, found.head[0] + 1)
    marks.set_note("log.head", found.head[1])
    marks.set_note("log.seen", str(this.signed_at))


def read_mail(this: Round) -> None:
    """The mailbox: absence is a signed "nothing"; a mailbox that fails costs only itself."""
    wanted, identity = this.wanted, this.wanted.identity
    if identity is None or not this.delegated(MAIL):
        return
    this.marks.bind_device(identity.id)
    try:
        sealed = _mail(this, f"{MAIL}/{mailbox_name(this.wanted.site, identity.id)}")
        if sealed is None:
            return
        context = Context(
            identity,
            wanted.serial_sha256,
            this.trusted(),
            this.marks,
            this.at,
            wanted.now,
            this.log,
            wanted.lost_since,
            this.assigned,
        )
        found = read_mailbox(sealed, context)
    except BookbagError as error:
        found = Read(refusals=(Refusal("mailbox", error.code, error.message),))
    this.orders += found.orders
    this.refusals += found.refusals
    this.contested = found.contested


def check_readmitted(this: Round) -> None:
    """What the desk remembers for a readmitted laptop counts at once: the word that brought it must be as
    new."""
    for role in ("root", "targets"):
        this.marks.compare(role, this.loaded(role).version)
    this.marks.compare("epoch", this.trusted().epoch)


def make_view(this: Round) -> None:
    """Put together what holds now."""
    assignment = this.assigned
    for order in this.orders:
        if order.kind == "assign":
            assignment = orderargs.newer(assignment, order)
    trust = this.trusted()
    this.view = SiteView(
        site=trust.site,
        epoch=trust.epoch,
        signed_at=this.signed_at,
        root_expires=unix(this.root),
        targets_expires=unix(this.targets()),
        expires=min(unix(this.loaded(role)) for role in _TOP),
        trust=trust,
        documents=tuple(this.documents),
        catalogues=tuple(this.catalogues),
        refusals=tuple(this.refusals),
        assignment=assignment,
        orders=tuple(this.orders),
        contested=this.contested,
        log_head=this.log.head if isinstance(this.log, commandlog.CommandLog) else (0, ""),
        versions=MappingProxyType(dict(this.versions)),
        recovering_since=this.marks.recovering_since,
        time_keys=this.keys_of("timestamp"),
        generation=this.wanted.generation,
        device=this.device,
    )


def write(this: Round) -> None:
    """The finished generation, durably."""
    if this.view is not None:
        write_generation(this.wanted.generation, this.view, this.files)


def commit_orders(this: Round) -> None:
    """Marks of roles and orders, fsynced: only now may anyone act on them. Cut short, the same orders come
    again."""
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
    read_log,
    read_mail,
    check_readmitted,
    read_roles,
    make_view,
    write,
    commit_orders,
)


def _load_previous(wanted: Wanted) -> SiteView | None:
    if wanted.previous is None:
        return None
    try:
        view = load_generation(wanted.previous).value
    except BookbagError as error:
        if error.code not in ("not-found", "state-corrupt"):
            raise
        return None
    return view if view.site == wanted.site else None


def _newest_root(wanted: Wanted, previous: SiteView | None) -> bytes:
    """The newest root this laptop knows: a mirror that hides later ones does not bring back keys they
    revoked."""
    check_metadata(wanted.bootstrap_root, "root.json")
    version = previous.versions.get("root", 0) if previous else 0
    if previous is None or version <= metadata.parse(wanted.bootstrap_root, "root.json").signed.version:
        return wanted.bootstrap_root
    data = read_file(previous.generation, f"{METADATA}/{version}.root.json", MOST_METADATA)
    return data if data is not None else wanted.bootstrap_root


def _segments(this: Round) -> Iterator[bytes]:
    """The files of the public log, as many as there are."""
    for number in range(commandlog.MOST_SEGMENTS):
        data = _mail(this, f"{MAIL}/{commandlog.segment_name(number)}")
        if data is None:
            return
        yield data


def _mail(this: Round, path: str) -> bytes | None:
    """A target of the publisher's through its bin, whose metadata must be of this site and no older than
    seen; None: there is none of that name."""
    with framework_errors(this.fetcher):
        info = this.updater.get_targetinfo(path)
        bins = metadata.delegations(this.loaded(MAIL), MAIL).succinct_roles
        if bins is None:
            raise BookbagError("bad-metadata", "cannot read mail: it has no bins", place=MAIL)
        for name in (MAIL, bins.get_role_for_target(path)):
            metadata.check_site(this.loaded(name), this.wanted.site, name)
            this.marks.advance(name, this.loaded(name).version)
        if info is None:
            return None
        data = this.fetcher.get(target_place(path, info.hashes.get("sha256", "")))
        if data is None:
            raise BookbagError("not-found", "cannot read mail: the mirror lacks it", place=path)
        info.verify_length_and_hashes(data)
        return data
