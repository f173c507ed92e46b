"""How many connections a process can keep: each takes two descriptors, its socket and the file it is sent."""

from __future__ import annotations

import resource

from agent.web.loop import MAX_CONNECTIONS

OTHERS = 256  #: descriptors for everything else: listeners, databases, the folder's files


def places(most: int = MAX_CONNECTIONS) -> int:
    """At most ``most`` connections, fewer where the system lets this process have fewer descriptors. Asks for
    as many as they need: at the usual 1,024 no place could be made any more for those who wait outside, since
    whoever is to take one must be let in first.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * most + OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, (soft - OTHERS) // 2))
