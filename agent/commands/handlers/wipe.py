"""wipe: what opens the encrypted volumes of this laptop is destroyed for good."""

from __future__ import annotations

from contextlib import suppress

from agent.commands import erasing
from agent.commands.case import Case, Step
from agent.commands.handler import Handler, World
from agent.core.errors import BookbagError

RETRY = 900  #: seconds until an erasure that could not be proven is tried again


class Wipe(Handler):
    """received → armed (grace; can be called off) → committed (that write decides) → keys → verified → done.

    Committed only with a good clock, and on a word that was signed after the grace was over: whoever keeps
    the laptop from hearing that it was called off keeps it from being erased, too.
    """

    kind = "wipe"

    def advance(self, case: Case, world: World) -> Case | None:
        if case.step is Step.RECEIVED:
            return self._arm(case, world)
        if case.step is Step.ARMED:
            return self._commit(case, world)
        if not world.erasing:
            return None
        with suppress(BookbagError):  # a full /boot does not undo the decision, which is in the book
            world.staged.put(case, world.identity)
        if case.step is Step.COMMITTED:
            return case.to(Step.KEYS, world.at, memory=erasing.look(world.host, case.memory))
        if case.step in (Step.KEYS, Step.UNPROVEN):
            return self._erase(case, world)
        done = case.to(Step.DONE, world.at, evidence=erasing.certificate(case, world))
        world.staged.remove()
        return done

    def _arm(self, case: Case, world: World) -> Case:
        volumes = world.host.volumes
        if volumes is None or not volumes.names():
            raise BookbagError(
                "not-supported",
                "cannot erase this machine: it has no encrypted volume that was noted when it enrolled",
                remedy="reset it by hand",
            )
        # Without a grace nobody is waited for: the word that brought the order is new enough to carry it out.
        until = world.at + case.grace_s if case.grace_s else case.not_before
        return case.to(
            Step.ARMED,
            world.at,
            until=until,
            evidence={"not-before": until, "volumes": len(volumes.names())},
            memory={"names": list(volumes.names())},
        )

    def _commit(self, case: Case, world: World) -> Case | None:
        if world.now.quality != "good":
            return None
        if world.at >= case.expires:
            problem = BookbagError("expired", "cannot erase: the order expired before its grace was over")
            return case.ended(Step.FAILED, world.at, problem)
        if world.at < case.until or world.word.value.signed_at < case.until or not world.erasing:
            return None
        return case.to(Step.COMMITTED, world.at)

    def _erase(self, case: Case, world: World) -> Case | None:
        if world.at < case.until:
            return None
        problem = erasing.erase(world.host, case.memory)
        if problem is None:
            return case.to(Step.VERIFIED, world.at, memory=case.memory)
        return case.ended(
            Step.UNPROVEN,
            world.at,
            problem,
            memory=case.memory,
            until=world.at + RETRY,
            tries=case.tries + 1,
        )
