"""A name server whose answers a test writes: RFC 1035 over UDP, addresses alone."""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

A, AAAA = 1, 28
TYPES = {4: A, 6: AAAA}
"""By the version of an address."""
POINTER = b"\xc0\x0c"
"""To the name of the question."""


@dataclass
class NameServer:
    names: dict[str, list[list[str]]] = field(default_factory=dict[str, list[list[str]]])
    """The addresses of each name, which is without a dot at its end, for one look-up after the other, and all over
    again."""
    asked: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    """Look-ups by name and type of address."""

    def answer(self, query: bytes) -> bytes:
        name, kind, question = _question(query)
        turns = self.names.get(name)
        number, self.asked[name, kind] = self.asked[name, kind], self.asked[name, kind] + 1
        found = [ip_address(one) for one in turns[number % len(turns)]] if turns else []
        records = [
            POINTER + struct.pack("!HHIH", kind, 1, 0, len(one.packed)) + one.packed
            for one in found
            if TYPES[one.version] == kind
        ]
        flags = 0x8580 if turns else 0x8583  # authoritative; NXDOMAIN where there is none of that name
        return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(records)


def _question(query: bytes) -> tuple[str, int, bytes]:
    """Its name in small letters, its type, and its bytes."""
    labels, at = list[str](), 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    (kind,) = struct.unpack("!H", query[at + 1 : at + 3])
    return ".".join(labels), kind, query[12 : at + 5]


@contextmanager
def answering_names(address: str, port: int = 53) -> Iterator[NameServer]:
    """A server there, until the end of the block."""
    server, over = NameServer(), threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((address, port))
        listening.settimeout(0.2)

        def serve() -> None:
            while not over.is_set():
                try:
                    query, client = listening.recvfrom(4096)
                except TimeoutError:
                    continue
                listening.sendto(server.answer(query), client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            thread.join()
