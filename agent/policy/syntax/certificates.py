"""Certificates of authorities in a policy: one block of PEM, and what it says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Text, wrong

_TEXT = Text(most=16 << 10, lines=True, what="the certificate of an authority as a block of PEM")
_BLOCK = r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/]{1,76}={0,2}\n)+-----END CERTIFICATE-----\n?"


@dataclass(frozen=True, slots=True)
class Authority:
    """What a certificate says. ``names``: all that it may speak for; (): anything."""

    subject: str
    names: tuple[str, ...]


class Pem:
    """One certificate of an authority, kept as written, with a line break at its end."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _TEXT.read(node, problems)
        if not isinstance(text, str):
            return text
        if "PRIVATE KEY" in text:
            problems.add(  # without quoting any of it
                "bad-policy",
                "cannot use this text: it holds a private key",
                place=node.place,
                remedy="make a new key and certificate; this key is known by now",
            )
            return BAD
        if not re.fullmatch(_BLOCK, text):
            return wrong(self, node, problems, why="it is not one block of PEM and nothing else")
        try:
            authority(text)
        except ValueError as error:
            return wrong(self, node, problems, why=str(error))
        return text if text.endswith("\n") else f"{text}\n"

    def describe(self) -> str:
        """See `Type`."""
        return _TEXT.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        pattern = r"^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?$"
        return {**_TEXT.schema(), "pattern": pattern}


def authority(pem: str) -> Authority:
    """What the certificate says of itself. Raises ValueError, with why, if it is none of an authority."""
    from cryptography import x509  # a quarter of a second that other policies need not wait for

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        extensions = found.extensions
        subject = found.subject.rfc4514_string()
    except ValueError as error:
        raise ValueError("it cannot be read as a certificate") from error
    try:
        is_authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_authority = False
    if not is_authority:
        raise ValueError("it is no authority's: basicConstraints does not say CA")
    try:
        held = extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or ()
    except x509.ExtensionNotFound:
        held = ()
    return Authority(subject[:200], tuple(str(one.value)[:100] for one in held)[:20])
