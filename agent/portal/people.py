"""Who asks: a person of this laptop, known by the kernel's word for whose the connection is, or a guest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.web.http import Ends

FIRST_PERSON = 1000
#: User ids at or above that are of no person: systemd's dynamic users, and nobody.
_NOBODYS = (range(61_184, 65_536),)
GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Who:
    """One visitor. ``key`` names what is kept for them: the user id in digits, or ``guest``, for whom
    nothing is."""

    key: str = GUEST

    @property
    def is_guest(self) -> bool:
        """Whether nobody is known, so that nothing may be kept or shown of anyone."""
        return self.key == GUEST


class People:
    """Tells who is at the other end of a connection."""

    def __init__(
        self, uid_of: Callable[[tuple[str, int], tuple[str, int]], int | None], *, owner: int | None = None
    ) -> None:
        """``uid_of`` asks the kernel (`agent.host.linux.peer.Peers.uid`). ``owner``: in a sandbox, whose
        laptop it is, also if that is no ordinary user."""
        self._uid_of = uid_of
        self._owner = owner

    def who(self, ends: Ends) -> Who:
        """The visitor at the client's end; a guest whenever there is any doubt."""
        uid = self._uid_of(ends.client, ends.server)
        if uid is None or not (uid == self._owner or is_person(uid)):
            return Who()
        return Who(str(uid))


def is_person(uid: int) -> bool:
    """Whether ``uid`` is a person's: 1000 and above, but for those that systemd hands out and nobody's."""
    return uid >= FIRST_PERSON and not any(uid in some for some in _NOBODYS)
