"""session: a teacher starts, extends or ends what this laptop's policy lets teachers start."""

from __future__ import annotations

from agent.commands.case import Case, Step
from agent.commands.handler import Handler, World
from agent.commands.sessions import Session
from agent.core.errors import BookbagError
from agent.trust import floors, orderargs

PATIENCE = 15  #: seconds until what no policy allows is refused


class HoldSession(Handler):
    """Kept, and gone by when the policy is compiled, which looks once more whether it may. It ends by itself.

    Whatever it ends is what another of its kind began: hours that the school wrote go on as they are written.
    """

    kind = "session"

    def advance(self, case: Case, world: World) -> Case | None:
        timetable = orderargs.session_args(case).timetable
        length, left = case.expires - case.issued, case.expires - world.at
        if timetable and timetable not in world.startable():
            # The policy that allows it may have come with this very word, and be read in a moment.
            if not case.until:
                return case.to(case.step, world.at, until=world.at + PATIENCE)
            if world.at < case.until:
                return None
        if timetable:
            self._check(timetable, length, world)
        clock = world.host.clock
        kept = world.sessions.write(
            Session(
                device=world.identity.id,
                order=case.id,
                epoch=case.epoch,
                seq=case.seq,
                timetable=timetable if left > 0 else "",
                length=length,
                until=case.expires,
                persons=case.persons,
                left_s=max(0, min(left, length)),
                boottime=clock.boottime(),
                boot_id=clock.boot_id(),
            )
        )
        if kept.order != case.id:
            problem = BookbagError("replayed", "cannot carry out session: a newer order took its place")
            return case.ended(Step.REFUSED, world.at, problem)
        if timetable and left <= 0:
            problem = BookbagError("expired", "cannot carry out session: it was over when its turn came")
            return case.ended(Step.FAILED, world.at, problem)
        return case.to(Step.DONE, world.at, evidence={"timetable": timetable, "until": kept.until})

    def _check(self, timetable: str, length: int, world: World) -> None:
        most = min(world.startable().get(timetable, 0), floors.LONGEST_SESSION)
        if not most:
            raise BookbagError(
                "not-allowed", f"cannot start {timetable}: no policy of this laptop lets a teacher start it"
            )
        if length > most:
            raise BookbagError(
                "not-allowed", f"cannot start {timetable} for {length} s: its policy allows {most} s at once"
            )
