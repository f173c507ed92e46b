"""What returns of laptops are called: the one name by which laptop, carrier and desk speak of each.

Imported by the sync worker at every round: nothing heavy here.
"""

from __future__ import annotations

import re

ENROL = "enrol-"
RECEIPT = "receipt-"
#: ``enrol-TOKEN`` or ``receipt-MAILBOX-N``; a number has one spelling, so that a receipt has one name.
NAME = re.compile(r"(?:enrol-[0-9a-f]{32}|receipt-(?P<mailbox>[0-9a-f]{32})-(?P<n>[1-9][0-9]{0,11}))\Z")


def mailbox_of(name: str) -> str:
    """Whose receipt ``name`` is; "" if it is none."""
    found = NAME.match(name)
    return (found["mailbox"] or "") if found else ""


def number_of(name: str) -> int:
    """Which receipt of its laptop ``name`` is; 0 if it is none."""
    found = NAME.match(name)
    return int(found["n"] or 0) if found else 0
