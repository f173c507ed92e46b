"""Keeping a laptop locked, layer by layer, and giving back exactly what each layer was before.

What holds is kept in two copies; what each layer was lies in an undo journal of its own. Both are written
before anything is closed, so that a laptop that dies half-way goes on where it was, in whichever direction::

    open ──► closing ──► closed ──► opening ──► open
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.core.errors import BookbagError
from agent.core.ports import Undo
from agent.host.base import LockLayer
from agent.host.recorded import is_as
from agent.store.twinfile import TwinFile
from agent.trust import unlockcode

REMEDY = "it stays as it is until an unlock is signed"
OPEN, CLOSING, CLOSED, OPENING = "open", "closing", "closed", "opening"


#: Openings that wait to be told; who opens more often than that without a run between them is a defect.
MOST_UNTOLD = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """The lock ``order``, opened by the answer to its challenge; the right code counts as an attempt too."""

    order: str
    challenge: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Hold:
    """The state file ``hold``: whether the laptop is locked, by which order, and how it may be opened."""

    phase: str = OPEN
    order: str = ""  #: id of the lock that holds, or held last
    since: int = 0  #: trusted unix seconds
    message: Mapping[str, str] = field(default_factory=dict)
    contact: str = ""
    lost: bool = False
    challenge: str = ""
    wrong: int = 0  #: codes in a row that did not open it
    wait_until: int = 0  #: boottime before which no code is looked at,
    wait_s: int = 0  #: or this long again after a restart,
    boot_id: str = ""  #: for ``wait_until`` is of this boot
    untold: tuple[Opened, ...] = ()  #: openings by code of which the book has no receipt yet
    count: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def locked(self) -> bool:
        """Whether people are, or are being, kept out."""
        return self.phase in (CLOSING, CLOSED)

    @property
    def lost_since(self) -> int:
        """Since when it is locked as lost; 0: it is not."""
        return self.since if self.phase == CLOSED and self.lost else 0


class Holding:
    """The lock of one machine."""

    def __init__(self, path: str, undo: Undo, layers: Sequence[LockLayer]) -> None:
        self._file = TwinFile(path, Hold, "hold", remedy=REMEDY)
        self._undo = undo
        self._layers = tuple(layers)

    def read(self) -> Hold:
        """What holds. Raises ``state-corrupt`` if neither copy is whole, or both are gone while layers are
        closed: then nothing opens by itself."""
        found = self._file.read()
        if found is None and any(_key(layer) in self._undo.resources() for layer in self._layers):
            raise BookbagError(
                "state-corrupt",
                "cannot tell how this laptop may be opened: both hold files are gone",
                remedy=REMEDY,
            )
        return found or Hold()

    def was_opened(self, order: str) -> bool:
        """Whether the lock ``order`` held, and holds no more."""
        hold = self._known()
        return hold.order == order and not hold.locked

    def write(self, hold: Hold) -> Hold:
        """Keep it, durably. Raises ``disk-full``."""
        return self._file.write(hold)

    @property
    def possible(self) -> bool:
        """Whether this machine can be locked at all."""
        return bool(self._layers)

    def begin(self, order: str, at: int, message: Mapping[str, str], contact: str, lost: bool) -> Hold:
        """From now on it is to be locked; a lock that holds already only changes its words."""
        before = self._known()
        fresh = before.order != order or not before.locked
        return self.write(
            replace(
                before,
                phase=before.phase if before.phase == CLOSED else CLOSING,
                order=order,
                since=before.since if before.locked and before.lost == lost else at,
                message=dict(message),
                contact=contact,
                lost=lost,
                challenge=unlockcode.new_challenge() if fresh or not before.challenge else before.challenge,
                wrong=0 if fresh else before.wrong,
                wait_until=0 if fresh else before.wait_until,
                wait_s=0 if fresh else before.wait_s,
            )
        )

    def close(self) -> dict[str, bool]:
        """Close every layer that is not closed, outermost first; layer → whether reading back says closed.

        One layer that fails does not keep the others open. Raises what the last failing one raised only if
        none could be closed.
        """
        found: dict[str, bool] = {}
        problem: BookbagError | None = None
        for layer in self._layers:
            try:
                if not layer.closed():
                    self._undo.remember({_key(layer): layer.observe()})
                    layer.close()
                found[layer.name] = layer.closed()
            except BookbagError as error:
                found[layer.name], problem = False, error
        if problem is not None and not any(found.values()):
            raise problem
        hold = self.read()
        if hold.phase == CLOSING and all(found.values()):
            self.write(replace(hold, phase=CLOSED))
        return found

    def answered(self, hold: Hold) -> dict[str, bool]:
        """Open what ``hold`` keeps locked, for somebody who had the right code: as `open`. That it has to be
        told is written down before.
        """
        opened = Opened(hold.order, hold.challenge, hold.wrong)
        self.write(replace(hold, phase=OPENING, untold=(*hold.untold, opened)[-MOST_UNTOLD:]))
        return self.open()

    def told(self) -> None:
        """Every opening by code is in the book."""
        self.write(replace(self.read(), untold=()))

    def restored(self) -> dict[str, bool]:
        """Layer → whether nothing of it is left to be given back."""
        known = self._undo.resources()
        return {layer.name: _key(layer) not in known for layer in self._layers}

    def open(self) -> dict[str, bool]:
        """Give every layer back what it was, innermost first; layer → whether it is that again."""
        hold = self._known()
        if hold.phase != OPENING:
            self.write(replace(hold, phase=OPENING))
        found: dict[str, bool] = {}
        known = self._undo.resources()
        for layer in reversed(self._layers):
            if _key(layer) not in known:
                continue
            prior, _ = self._undo.prior(_key(layer))
            try:
                layer.restore(prior or {})
                found[layer.name] = is_as(layer.observe(), prior or {})
            except BookbagError:
                found[layer.name] = False
            if found[layer.name]:
                self._undo.forget(_key(layer))
        if all(found.values()):
            self.write(Hold(order=hold.order, untold=hold.untold))
        return found

    def _known(self) -> Hold:
        """What holds; what can no longer be read does not stop whoever is entitled to decide anew: what the
        layers were lies in the journal."""
        try:
            return self.read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            return Hold()

    def go_on(self) -> dict[str, bool]:
        """Whatever was under way, or has come undone since: keep closed what is to be closed, finish
        opening."""
        hold = self.read()
        if hold.locked:
            return self.close()
        return self.open() if hold.phase == OPENING else {}


def _key(layer: LockLayer) -> str:
    return f"lock:{layer.name}"
