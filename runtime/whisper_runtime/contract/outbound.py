"""Servers that a runtime connects to because a client names them: how a setting allows them, and which are public."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LAST_LABEL: Final = "[a-z]([-a-z0-9]*[a-z0-9])?|[0-9]+[a-z]([-a-z0-9]*[a-z0-9])?"
"""Not of digits alone: that would be an address."""
_PORT: Final = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
ALLOWED_HOST_PATTERN: Final = rf"^(https?://)?(\*\.)?({_LABEL}\.)*({_LAST_LABEL})(:({_PORT}))?$"
ALLOWED_HOST_LENGTH: Final = 267
"""Of `https://`, a name of 253 characters, and a port."""

PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class AllowedHost:
    """A server that may be connected to, or with `*.` all below a name, by one scheme on one port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads an entry of ALLOWED_HOST_PATTERN: `files.example.com`, `*.example.com`, `http://minio.storage:9000`."""
        entry = urlsplit(text if "://" in text else f"https://{text}")
        return cls(entry.scheme, entry.hostname or "", entry.port or PORTS[entry.scheme])

    def covers(self, scheme: str, host: str, port: int) -> bool:
        """Whether it allows this server; `host` is in small letters."""
        if (scheme, port) != (self.scheme, self.port):
            return False
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host


NOT_PUBLIC_IPV4: Final = (
    "0.0.0.0/8",  # this network, and the unspecified address
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared by carriers' customers; Alibaba's metadata
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # Azure's agent of its virtual machines, at an address like any other
    "169.254.0.0/16",  # link-local; metadata of nearly all clouds
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocols; Oracle's metadata
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
)
"""https://www.iana.org/assignments/iana-ipv4-special-registry, and what clouds answer at."""
PUBLIC_IPV6: Final = "2000::/3"
"""All that is assigned for global unicast: https://www.iana.org/assignments/ipv6-address-space. Loopback, unique local
and link-local addresses, multicast, and nearly all forms of an IPv4 address are outside of it."""
NOT_PUBLIC_IPV6: Final = (
    "2001::/23",  # protocols, Teredo among them
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4, an IPv4 address in another form
    "3fff::/20",  # documentation
)
"""Within PUBLIC_IPV6: https://www.iana.org/assignments/iana-ipv6-special-registry."""
