"""Exit codes, never renumbered. After a run that happened, CHANGED, FAILED and REBOOT are bits and add up."""

from __future__ import annotations

IN_SYNC = 0  #: nothing to do, nothing wrong
COULD_NOT_RUN = 1  #: the run did not take place
CHANGED = 2  #: bit: changes were made, or (plan, status) are pending
FAILED = 4  #: bit: something failed; also what check finds wrong, a refused unlock, a demonstration's ✗
REBOOT = 8  #: bit: a restart is needed to finish
USAGE = 64  #: the command line was wrong
INTERRUPTED = 130  #: stopped by the user
