"""Power cuts, crashes and full disks, at every single point of a real program's writing.

    from tests.powercut import every_prefix, fail_at_every, kill_at_every, say

A *program* is a top-level function of a test module taking the directory it may write in (a Path), or an argv
in which ``{dir}`` stands for it; it runs as a real child process under strace. With ``say("stored 3")`` it
acknowledges: what it said before the lights went out must be there afterwards. *start* prepares the directory
before the recording begins (durable by definition). *check* gets a directory as it would be found, and what
had been said; it raises if that is not acceptable, and usually just opens the store again and compares.

`every_prefix`    the power goes after any system call: see `disk` for what may be lost, reordered or torn
then `kill_at_every`   SIGKILL before any system call that changes the directory: the page cache survives
`fail_at_every`   any such call fails (ENOSPC by default), and the program goes on with that error

Each returns a `Tally` of what was tried, for the test to assert that it was something. Without strace the
test is skipped.
"""

from tests.powercut.disk import MODELS, Model
from tests.powercut.harness import EVERY, Outcome, Tally, every_prefix, fail_at_every, kill_at_every, say

__all__ = [
    "EVERY",
    "MODELS",
    "Model",
    "Outcome",
    "Tally",
    "every_prefix",
    "fail_at_every",
    "kill_at_every",
    "say",
]
