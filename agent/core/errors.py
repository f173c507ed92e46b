"""The one registry of error codes, and the one exception that carries them.

A code is stable kebab-case: scripts, receipts, telemetry and the documentation refer to it, so it is never
renamed or reused. A message reads ``cannot …: why; what to do`` and names the place (file:line:column, path,
key, URL) it is about.

This module is imported by the resident process: it stays free of every heavy import.
"""

from __future__ import annotations

#: Every code the program can show, with the meaning printed in docs/errors.md. Sorted; one line each.
CODES: dict[str, str] = {
    "already-done": "The thing asked for was done before; it is not done twice.",
    "already-running": "Another supervisor holds this laptop's state.",
    "awaited": "Something that it needs comes another way and is not here yet, such as a secret from IT.",
    "bad-argument": "A command-line argument is missing, unknown or malformed.",
    "bad-config": "agent.yaml is missing, unreadable or has a wrong value.",
    "bad-content": "Learning content that breaks the rules of its format, or cannot be taken apart safely.",
    "bad-envelope": "A signed envelope is malformed, too large or not of a known form.",
    "bad-json": "JSON that breaks the strict rules: syntax, duplicate keys, depth, size or number of nodes.",
    "bad-key": "A key file is missing, malformed, of a wrong kind, or its passphrase is wrong.",
    "bad-list": "A list of laptops that breaks its rules: columns, widths, doubles, names, characters.",
    "bad-metadata": "Signed metadata that breaks the update framework's rules.",
    "bad-path": "A path leaves the place it must stay in, or is not of the kind expected.",
    "bad-policy": "A policy document, or a test of policies, breaks the rules of the policy language.",
    "bad-request": "A request to the control socket or to a worker is malformed.",
    "bad-signature": "A signature does not match, or its key is not listed for this.",
    "bad-yaml": "YAML that breaks the strict rules: syntax, anchors, tags, duplicate keys, depth, size.",
    "brake": "More orders of this kind within a day than a site of this size may give.",
    "cancelled": "Somebody entitled to it called the order off before it was carried out.",
    "clock-suspect": "The laptop's clock is too far ahead of any trusted time.",
    "conflict": "Two instructions of the same standing contradict each other.",
    "contested": "It cut the laptop off three times. It is not tried again until IT changes it.",
    "cut-off": "Since it was applied the school's service could not be reached; the way to it was reopened.",
    "disk-full": "No space is left, or a quota is used up.",
    "duplicate-person": "One person, or one key, appears where two different ones are needed.",
    "expired": "Signed material is past its date; what it brought earlier stays in force.",
    "flapping": "A resource is changed again and again by something else; repairing it is slowed down.",
    "format-too-new": "Written by a newer major version of this format.",
    "internal": "A defect in Bookbag itself.",
    "io-error": "The disk or file system failed to read or write.",
    "network": "The source could not be reached, or answered with something else than the file asked for.",
    "not-allowed": "The caller is not entitled to this.",
    "not-effective": "Written as asked, but reading it back as the user shows something else in force.",
    "not-enrolled": "This laptop is not enrolled with a site.",
    "not-found": "The thing named does not exist.",
    "not-logged": "The public log of orders does not name it, or is not the log that was seen before.",
    "not-offered": "No policy in force on this laptop offers it.",
    "not-running": "No supervisor answers on the control socket.",
    "not-supported": "This machine cannot do that.",
    "overdue": "A policy's review-by day has passed. It stays in force; its owner should look at it again.",
    "plan-outdated": "The machine moved since the plan was made; plan again.",
    "recovering": "The trust ledger was lost or damaged; last good state holds until a readmit.",
    "replayed": "An instruction was seen before, or is older than one already obeyed.",
    "rollback": "Signed material is older than what this laptop has already accepted.",
    "root-power": "Root-power configuration that did not come from the power role.",
    "seq-jump": "A sequence number runs too far ahead of the last one.",
    "set-aside": "What was in the place of a managed file was moved beside it; nothing of it is lost.",
    "state-corrupt": "A state file is damaged; it is set aside and the last good state stays in force.",
    "too-large": "Input beyond a size, depth, count or time limit.",
    "too-late": "What should be called off has been carried out already, or is being.",
    "too-many": "More items than the limit.",
    "too-soon": "Too many wrong codes were entered; the next one is looked at only after a wait.",
    "under-signed": "Fewer different persons signed than this needs.",
    "unexpected": "A test in tests/ expects something else of the policies.",
    "unmet": "A laptop was looked at and is not as policy asks, and nothing there can make it so.",
    "worker-died": "A worker ended without saying how it went.",
    "worker-timeout": "A worker ran past its time limit and was stopped.",
    "wrong-code": "The code does not answer the challenge that the locked laptop shows.",
    "wrong-device": "Meant for another device.",
    "wrong-epoch": "Meant for another epoch of this site's trust.",
    "wrong-serial": "Meant for a machine with another serial number.",
    "wrong-site": "Signed for another site.",
}


class BookbagError(Exception):
    """Everything that Bookbag refuses or fails at, as one clear message.

    ``code`` is one of CODES. ``message`` reads "cannot …: why". ``place`` names where (``file:line:column``,
    a path, a key path). ``remedy`` says what to do about it.
    """

    def __init__(self, code: str, message: str, *, place: str = "", remedy: str = "") -> None:
        if code not in CODES:
            raise KeyError(f"{code!r} is not a registered error code")
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}; {self.remedy}" if self.remedy else text

    def to_dict(self) -> dict[str, str]:
        """The form used in worker events, control replies and ``--json`` output."""
        full = {"code": self.code, "message": self.message, "place": self.place, "remedy": self.remedy}
        return {key: value for key, value in full.items() if value}

    @classmethod
    def from_dict(cls, data: dict[str, str]) -> BookbagError:
        """The inverse of to_dict; an unknown code (from a newer peer) becomes ``internal`` and keeps its name
        in the text."""
        code = data.get("code", "internal")
        message = data.get("message", "")
        if code not in CODES:
            code, message = "internal", f"[{code}] {message}"
        return cls(code, message, place=data.get("place", ""), remedy=data.get("remedy", ""))
