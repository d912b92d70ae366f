"""The URL of the Valkey or Redis that the pods share, as its Secret has it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES: Final = ("redis", "rediss")
"""Without TLS, and with it: https://www.iana.org/assignments/uri-schemes/prov/redis"""
OF_SENTINELS: Final = "+sentinel"
"""Ends the scheme of a URL whose hosts are sentinels, that know which server is the primary."""
DEFAULT_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
MOST_SENTINELS: Final = 9
FORM: Final = "rediss://user:password@host:6379/0, or redis:// without TLS; in a password, @ / : ? # % are %40 %2F …"
FORM_OF_SENTINELS: Final = (
    "rediss+sentinel://user:password@sentinel-0:26379,sentinel-1:26379/primary/0, or redis+sentinel:// without TLS; "
    "?sentinel_password=… behind it, where the sentinels ask for one"
)


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
    sentinels: tuple[tuple[str, int], ...] = ()
    """Hosts and ports of those to be asked for the primary, whose host and port are not known before; none: the host is
    the store's."""
    primary: str = ""
    """The name by which sentinels know the primary."""
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    """None: they ask for none."""
    is_cluster: bool = False
    """Whether the host is a node of a cluster: known once it was asked."""

    @classmethod
    def parse(cls, text: str) -> StoreUrl:
        """Reads `redis[s]://[[user]:password@]host[:port][/database]`, or FORM_OF_SENTINELS.

        Raises ValueError, whose message has nothing of the URL: it may hold a password in any of its parts.
        """
        if text.partition("://")[0].endswith(OF_SENTINELS):
            return _of_sentinels(text)
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
        return cls(url.hostname, port, url.scheme == "rediss", _unquoted(url.username), password, _database(url.path))

    @property
    def address(self) -> str:
        """Host and port, for messages; of a primary that is not known yet, its name and its sentinels."""
        if self.host:
            return written(self.host, self.port)
        return f"{self.primary}, of the sentinels {', '.join(written(*one) for one in self.sentinels)}"

    @property
    def fails_over(self) -> bool:
        """Whether another server may take the primary's place, with what it has got of it until then."""
        return bool(self.sentinels) or self.is_cluster

    def at(self, host: str, port: int) -> Self:
        """The same store, whose primary is there now."""
        return replace(self, host=host, port=port)


def written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _of_sentinels(text: str) -> StoreUrl:
    try:
        url = urlsplit(text)
        login, _, hosts = url.netloc.rpartition("@")
        found = [urlsplit(f"//{one}") for one in hosts.split(",")]
        sentinels = tuple((one.hostname or "", one.port or SENTINEL_PORT) for one in found)
    except ValueError:
        raise ValueError(f"is no URL, or has a port that is none: write {FORM_OF_SENTINELS}") from None
    scheme, (name, _, database) = url.scheme.removesuffix(OF_SENTINELS), url.path.strip("/").partition("/")
    is_whole = scheme in SCHEMES and name and all(host for host, _ in sentinels) and not url.fragment
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if not is_whole or len(sentinels) > MOST_SENTINELS or options.keys() - {"sentinel_username", "sentinel_password"}:
        raise ValueError(f"names no sentinels and primary: write {FORM_OF_SENTINELS}")
    username, _, password = login.partition(":")
    return StoreUrl(
        "",
        0,
        scheme == "rediss",
        _unquoted(username),
        _unquoted(password),
        _database(database),
        sentinels,
        unquote(name),
        options.get("sentinel_username"),
        options.get("sentinel_password"),
    )


def _unquoted(text: str | None) -> str | None:
    return unquote(text) if text else None


def _database(path: str) -> int:
    number = path.strip("/")
    if number and not (number.isascii() and number.isdecimal() and len(number) <= 4):
        raise ValueError(f"has a path that is no number of a database: write {FORM}")
    return int(number or 0)
