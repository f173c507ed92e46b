"""Why a report never arrived. The totals are part of the next report and of what the student sees."""

from __future__ import annotations

FULL = "full"  #: the spool had no room, and this was of the lowest value
OLD = "old"  #: it waited longer than its record may
OFF = "off"  #: policy or agent.yaml no longer wants it
DAMAGED = "damaged"  #: its file was not readable any more
REFUSED = "refused"  #: the receiver would not have it, for good
REJECTED = "rejected"  #: the receiver took the batch but not this
WITHHELD = "withheld"  #: values that the gate let not through
REASONS = tuple(sorted((FULL, OLD, OFF, DAMAGED, REFUSED, REJECTED, WITHHELD)))
