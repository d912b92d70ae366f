"""The URL of the Valkey or Redis that the pods share, as its Secret has it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

SCHEMES: Final = ("redis", "rediss")
"""Without TLS, and with it: https://www.iana.org/assignments/uri-schemes/prov/redis"""
DEFAULT_PORT: Final = 6379
FORM: Final = "rediss://user:password@host:6379/0, or redis:// without TLS; in a password, @ / : ? # % are %40 %2F …"


@dataclass(frozen=True)
class StoreUrl:
    host: str
    port: int
    is_tls: bool
    username: str | None
    """None: the server's user `default`."""
    password: str | None = field(repr=False)
    """None: no login."""
    database: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `redis[s]://[[user]:password@]host[:port][/database]`.

        Raises ValueError, whose message has nothing of the URL: it may hold a password in any of its parts.
        """
        try:
            url = urlsplit(text)
            port = url.port or DEFAULT_PORT
        except ValueError:
            raise ValueError(f"is no URL, or has a port that is none: write {FORM}") from None
        if url.scheme not in SCHEMES:
            raise ValueError(f"does not begin with redis:// or rediss://: write {FORM}")
        if not url.hostname or url.query or url.fragment:
            raise ValueError(f"has no host, or something behind a ? or #: write {FORM}")
        password = _unquoted(url.password)
        return cls(url.hostname, port, url.scheme == "rediss", _unquoted(url.username), password, _database(url))

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _unquoted(text: str | None) -> str | None:
    return unquote(text) if text else None


def _database(url: SplitResult) -> int:
    number = url.path.strip("/")
    if number and not (number.isascii() and number.isdecimal() and len(number) <= 4):
        raise ValueError(f"has a path that is no number of a database: write {FORM}")
    return int(number or 0)
