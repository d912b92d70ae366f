"""What is wrong with a store, by its errors and by what it says of itself; each with its remedy. Pure.

A report names the server's address, and never its password. What a server answers is cut, as it may be anything.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Final

from redis.exceptions import (
    AskError,
    AuthenticationError,
    ConnectionError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from whisper_runtime.contract.shared_store import MESSAGE_LENGTH, SharedStoreReport, StoreReason
from whisper_runtime.service.shared.store_url import FORM_OF_SENTINELS, StoreUrl

OLDEST: Final = {"valkey": 8, "redis": 7}
"""The first version of each that is tested."""
NO_RIGHT_IN_PROGRAM: Final = re.compile("ACL failure in script|user executing the script can't run this command")
"""How Valkey and Redis put it, under no code of an error: Valkey 9's scriptVerifyACL, Redis 7's scriptCall."""
SENTINEL: Final = "sentinel"
"""A mode of servers, as INFO names it."""
CLIENT_CERTIFICATE: Final = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
QUOTED: Final = 200
"""Characters of a server's answer."""
WITHOUT_TLS: Final = ", or whether it wants TLS, rediss://"
WITH_TLS: Final = ", or whether it has no TLS, redis://"
REMEDIES: Final = {
    "DB index is out of range": "it has no database of the URL's number: name another, or none",
    "SELECT is not allowed in cluster mode": "a cluster has one database: let the URL name none",
    "NOREPLICAS": "fewer replicas follow than its min-replicas-to-write: start one",
    "MISCONF": "it cannot write its data to its disk: see its log, and free or enlarge the disk",
    "DENIED": "it is in protected mode: give its users passwords",
    "unknown command": "give the service a store with Lua programs, without rename-command",
}
"""By words of an answer that redis-py has no error for."""


def report(reason: StoreReason, url: StoreUrl, problem: str) -> SharedStoreReport:
    return SharedStoreReport(reason=reason, message=f"the store at {url.address} {problem}"[:MESSAGE_LENGTH])


def of_error(error: Exception, url: StoreUrl, rights: str) -> SharedStoreReport:
    """The report on a store that failed with `error`; `rights`: those that are needed there, for ACL SETUSER."""
    match error:
        case AuthenticationError():
            return report("StoreLoginFailed", url, "takes no such user and password: correct them in the Secret's URL")
        case ResponseError():
            return _of_reply(error, url, rights)
        case _ if tls := next((one for one in _causes(error) if isinstance(one, ssl.SSLError)), None):
            return report("StoreTlsFailed", url, f"{_of_tls(tls)}")
        case ConnectionError() | OSError() if not isinstance(error, TimeoutError):
            hint = f"; see whether it runs{_tls_hint(url)}" if _is_cut_off(error) else ""
            return report("StoreUnreachable", url, f"cannot be reached: {str(error)[:QUOTED]}{hint}")
        case TimeoutError() | RedisTimeoutError():
            remedy = f"see whether it runs, whether spec.networkPolicy.allowTo lets the pods reach it{_tls_hint(url)}"
            return report("StoreUnreachable", url, f"does not answer in time: {remedy}")
        case _:
            return report("StoreRefused", url, f"answers as no Valkey or Redis does ({type(error).__name__})")


def _of_reply(error: ResponseError, url: StoreUrl, rights: str) -> SharedStoreReport:
    match error:
        case NoPermissionError():
            return _lacks_rights(url, rights)
        case OutOfMemoryError():
            return report("StoreFull", url, "has no memory left: raise its maxmemory")
        case ReadOnlyError():
            return _is_replica(url)
        case AskError():  # and MovedError
            return report("StoreUnreachable", url, "gives the service's keys to another node of its cluster")
        case _ if NO_RIGHT_IN_PROGRAM.search(str(error)):
            return _lacks_rights(url, rights)
        case _:
            answer = str(error)[:QUOTED]
            remedy = next((f"; {remedy}" for words, remedy in REMEDIES.items() if words in answer), "")
            return report("StoreRefused", url, f"refuses: {answer}{remedy}")


def of_server(info: Mapping[str, Any], url: StoreUrl, *, has_jobs: bool) -> SharedStoreReport:
    """The report on a store that answered; `info`: what INFO says of server, memory, replication and persistence.

    `has_jobs`: whether jobs are there too, which nothing replaces.
    """
    if info.get("redis_mode") == SENTINEL or info.get("server_mode") == SENTINEL:
        return report("StoreRefused", url, f"is a sentinel, which keeps nothing: write {FORM_OF_SENTINELS}")
    name = "valkey" if "valkey_version" in info else "redis"
    version = str(info.get(f"{name}_version", ""))
    if _major(version) < OLDEST[name]:
        wanted = "Valkey 8 or Redis 7"
        return report("StoreTooOld", url, f"is {name.title()} {version[:20]}: use {wanted}, or a later version")
    if info.get("role") == "slave":
        return _is_replica(url)
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if info.get("maxmemory") and policy != "noeviction":
        what = "jobs" if has_jobs else "counts"
        problem = f"forgets {what} when its memory is full, by its maxmemory-policy {policy[:20]}: set noeviction"
        return report("StoreEvicts", url, problem)
    if has_jobs and not info.get("aof_enabled"):
        problem = "loses jobs when it is restarted, all since its last snapshot if it makes any: set appendonly yes"
        return report("StoreNotDurable", url, problem)
    if has_jobs and url.fails_over and not info.get("connected_slaves"):
        problem = "has no replica, so that jobs which it takes could be lost, and it takes none: start a replica"
        return report("StoreNotReplicated", url, problem)
    return SharedStoreReport(reason="StoreInUse")


def _lacks_rights(url: StoreUrl, rights: str) -> SharedStoreReport:
    selects = " +select" if url.database else ""
    return report("StoreRightsMissing", url, f"lacks rights of the URL's user: ACL SETUSER … {rights}{selects}")


def _is_replica(url: StoreUrl) -> SharedStoreReport:
    return report("StoreReadOnly", url, "is a replica, which takes no writes: let the URL name the primary")


def _tls_hint(url: StoreUrl) -> str:
    return WITH_TLS if url.is_tls else WITHOUT_TLS


def _is_cut_off(error: Exception) -> bool:
    """Whether a server ended the connection, as one does that expected the other kind."""
    return any(isinstance(one, ConnectionResetError) for one in _causes(error)) or "closed by server" in str(error)


def _of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        return f"has a certificate that is not trusted ({why}): {_of_certificate(error.verify_code)}"
    if error.reason == CLIENT_CERTIFICATE:
        return "asks its clients for certificates, of which the pods have none: set tls-auth-clients no or optional"
    return f"speaks no TLS that is understood ({error.reason}): write redis:// where it has none, else enable TLS 1.2"


def _of_certificate(code: int) -> str:
    """The remedy for OpenSSL's error of that code: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""
    match code:
        case 9 | 10:
            return "renew it, and let the store have it; or set the clocks right"
        case 62 | 63 | 64:
            return "write in the URL the host that it is for"
        case _:
            return "name its authority in spec.redis.caConfigMapKeyRef"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _major(version: str) -> int:
    first = version.partition(".")[0]
    return int(first) if first.isdecimal() else 0
