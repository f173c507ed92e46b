"""Addresses of machines, as numbers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from agent.policy.syntax.nodes import Node, Scalar
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import wrong


@dataclass(frozen=True, slots=True)
class Address:
    """One machine's, in its shortest form."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return wrong(self, node, problems)
        try:
            address = ipaddress.ip_address(node.value)
        except ValueError:
            return wrong(self, node, problems)
        if "%" in node.value or address.is_unspecified or address.is_multicast:
            return wrong(self, node, problems, why="that is no single machine's, everywhere")
        return str(address)

    def describe(self) -> str:
        """See `Type`."""
        return "an address such as 10.2.0.9 or 2001:db8::9"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "string", "maxLength": 45, "pattern": r"^[0-9A-Fa-f:.]{2,45}$"}
