"""What returns of laptops are called: the one name by which laptop, carrier and desk speak of each.

Imported by the sync worker at every round: nothing heavy here.
"""

from __future__ import annotations

import re

ENROL = "enrol-"
RECEIPT = "receipt-"
ASK = "ask-"
#: ``enrol-TOKEN``, ``receipt-MAILBOX-N`` or ``ask-MAILBOX-ID``; a number has one spelling, so that a receipt
#: has one name.
NAME = re.compile(
    r"(?:enrol-[0-9a-f]{32}"
    r"|receipt-(?P<mailbox>[0-9a-f]{32})-(?P<n>[1-9][0-9]{0,11})"
    r"|ask-(?P<asker>[0-9a-f]{32})-(?P<ask>[0-9a-f]{32}))\Z"
)


def mailbox_of(name: str) -> str:
    """Whose receipt or request ``name`` is; "" if it is neither."""
    found = NAME.match(name)
    return (found["mailbox"] or found["asker"] or "") if found else ""


def number_of(name: str) -> int:
    """Which receipt of its laptop ``name`` is; 0 if it is none."""
    found = NAME.match(name)
    return int(found["n"] or 0) if found else 0


def ask_of(name: str) -> str:
    """The id of the request that ``name`` is; "" if it is none."""
    found = NAME.match(name)
    return (found["ask"] or "") if found else ""
