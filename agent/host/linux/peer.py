"""Whose the other end of a TCP connection over loopback is: the kernel's word, for exactly one connection.

NETLINK_SOCK_DIAG looks a socket up by both ends' addresses and ports. The socket may come from the service
manager: then it sees the laptop's own network and users from a service that is shut off from both.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import NamedTuple

NETLINK_SOCK_DIAG = 4
_BY_FAMILY = 20  #: SOCK_DIAG_BY_FAMILY
_REQUEST = 1  #: NLM_F_REQUEST: one socket, not a list of all
_ESTABLISHED = 1
_ANY_STATE = 0xFFFFFFFF
_NO_COOKIE = b"\xff" * 8
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_PORTS = struct.Struct(">HH")
#: family, state, timer, retransmissions; source and destination port; the addresses; interface; cookie;
#: expires, receive queue, send queue, uid, inode
_ANSWER = struct.Struct("=BBBB4s16s16sI8sIIIII")
#: More than one answer's worth of what somebody else may have left in an inherited socket.
_MOST_MESSAGES = 64

Address = tuple[str, int]


class _Found(NamedTuple):
    """What the kernel tells of one socket."""

    family: int
    state: int
    ends: bytes
    uid: int
    inode: int


class Peers:
    """Asks the kernel. Belongs to one thread."""

    def __init__(self, inherited: socket.socket | None = None) -> None:
        """``inherited``: a NETLINK_SOCK_DIAG socket made elsewhere; None: make one here."""
        self._socket = inherited or socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG
        )
        self._socket.setblocking(False)
        self._number = int.from_bytes(os.urandom(3), "big")  # answers to a former life are not ours

    def uid(self, client: Address, server: Address) -> int | None:
        """The user whose socket is at ``client`` of the connection to ``server``; None if nobody can be
        named.

        Nobody is: when either end is not on loopback, when the client has closed or half closed its end, or
        when another socket of that address is only about to connect.
        """
        client, server = _plain(client), _plain(server)
        family = socket.AF_INET6 if ":" in client[0] else socket.AF_INET
        if not (_is_loopback(client[0]) and _is_loopback(server[0])):
            return None
        try:
            ends = _PORTS.pack(client[1], server[1]) + _packed(family, client[0]) + _packed(family, server[0])
            found = self._ask(family, ends)
        except OSError:
            return None  # not an address, or no such socket
        # An orphan has no inode and reads as root's; a socket that has closed is nobody's any more.
        if found is None or found.family != family or found.ends != ends:
            return None
        return found.uid if found.state == _ESTABLISHED and found.inode else None

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def _ask(self, family: int, ends: bytes) -> _Found | None:
        self._number = (self._number + 1) & 0x7FFFFFFF
        question = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, _ANY_STATE)
        question += ends + struct.pack("=I", 0) + _NO_COOKIE
        header = _HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, self._number, 0)
        self._socket.sendto(header + question, (0, 0))
        for _ in range(_MOST_MESSAGES):
            data, sender = self._socket.recvfrom(8192)  # the kernel has answered before send returned
            if sender[0] != 0 or len(data) < _HEADER.size:
                continue  # not from the kernel
            _, kind, _, number, _ = _HEADER.unpack_from(data)
            if number != self._number:
                continue
            if kind != _BY_FAMILY or len(data) < _HEADER.size + _ANSWER.size:
                return None
            answer = _ANSWER.unpack_from(data, _HEADER.size)
            return _Found(answer[0], answer[1], b"".join(answer[4:7]), answer[12], answer[13])
        return None


def _plain(address: Address) -> Address:
    """An IPv4 address that a socket for both families spells as IPv6 is an IPv4 address."""
    return address[0].removeprefix("::ffff:"), address[1]


def _is_loopback(host: str) -> bool:
    return host == "::1" or host.startswith("127.")


def _packed(family: int, host: str) -> bytes:
    return socket.inet_pton(family, host).ljust(16, b"\0")
