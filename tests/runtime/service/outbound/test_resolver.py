"""The system's resolver gives every address of a name once, or says whether there is none at all, or none now."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from whisper_runtime.service.outbound.errors import OutboundError
from whisper_runtime.service.outbound.resolver import SystemResolver


async def test_the_addresses_of_a_name() -> None:
    found = await SystemResolver()("localhost")
    assert ip_address("127.0.0.1") in found
    assert all(address.is_loopback for address in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("number", "reason", "problem"),
    [
        (socket.EAI_NONAME, "NotReadable", "is on files.test, a host that does not exist"),
        (socket.EAI_AGAIN, "Failed", "is on files.test, whose address cannot be found now"),
        (socket.EAI_FAIL, "Failed", "is on files.test, whose address cannot be found now"),
    ],
)
async def test_a_name_without_an_address(
    monkeypatch: pytest.MonkeyPatch, number: int, reason: str, problem: str
) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(number, "resolver's own words")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(OutboundError) as refused:
        await SystemResolver()("files.test")
    assert (refused.value.reason, refused.value.problem) == (reason, problem)
