"""The demonstration's steps, in order. Each takes the stage and whether something is to go wrong in it.

``broken`` is the sabotage: every step can be told to have something go wrong in it, and must then show ✗.
"""

from __future__ import annotations

from agent.cli.demo.stage import Step
from agent.cli.demo.steps.home import heal, offline
from agent.cli.demo.steps.leaving import told, withdraw
from agent.cli.demo.steps.lost import erase, lock
from agent.cli.demo.steps.school import begin, decide, join
from agent.cli.demo.steps.takeover import hide, steal, take_over

#: Heading → its steps.
ACTS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("A school begins", (begin, join)),
    ("One line of YAML", (decide,)),
    ("At home", (heal, offline)),
    ("You own the server now, and every key on it", (take_over, steal, hide)),
    ("Lost", (lock, erase)),
    ("What the school knows, and how it all ends", (told, withdraw)),
)
STEPS: tuple[Step, ...] = tuple(step for _, steps in ACTS for step in steps)
