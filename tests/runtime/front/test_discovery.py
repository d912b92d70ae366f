"""Servers that are ready are found once a second, and are not lost to a resolver that fails."""

from __future__ import annotations

import asyncio
import socket

import pytest

from whisper_runtime.front import discovery
from whisper_runtime.front.discovery import Discovery, FoundAddresses, look_up
from whisper_runtime.front.servers import ServerAddress

TARGET, OTHER = ServerAddress("speech-servers", 8000), ServerAddress("more-servers", 8000)
ONE, TWO = ServerAddress("10.0.0.1", 8000), ServerAddress("10.0.0.2", 8000)


class Resolver:
    """Gives a target's next answer; the last one stays."""

    def __init__(self, **answers: list[FoundAddresses | OSError]) -> None:
        self.answers = answers

    async def __call__(self, target: ServerAddress) -> FoundAddresses:
        left = self.answers[target.host.partition("-")[0]]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


async def test_all_addresses_of_all_targets_are_found() -> None:
    found: list[FoundAddresses] = []
    resolver = Resolver(speech=[(ONE,), ()], more=[(ONE, TWO)])
    watched = Discovery([TARGET, OTHER], found.append, resolver)
    await watched.look()
    await watched.look()
    assert found == [(ONE, TWO), (ONE, TWO)]


async def test_a_resolver_that_fails_takes_no_server_away_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    found: list[FoundAddresses] = []
    failure = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    watched = Discovery([TARGET], found.append, Resolver(speech=[(ONE,), failure, failure, (TWO,)]))
    for _ in range(4):
        await watched.look()
    assert found == [(ONE,), (ONE,), (ONE,), (TWO,)]
    assert caplog.text.count("speech-servers cannot be looked up, its servers stay the same") == 1


async def test_it_looks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "LOOK_UP_SECONDS", 0.0)
    found: asyncio.Queue[FoundAddresses] = asyncio.Queue()
    watching = asyncio.create_task(Discovery([TARGET], found.put_nowait, Resolver(speech=[(), (ONE,)])).watch())
    assert [await asyncio.wait_for(found.get(), 10) for _ in range(3)] == [(), (ONE,), (ONE,)]
    watching.cancel()


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    families = {"4": socket.AF_INET, "6": socket.AF_INET6}

    def getaddrinfo(_: str, port: int, **__: object) -> list[tuple[object, ...]]:
        return [(families["6" if ":" in one else "4"], 1, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, *_, **__: getaddrinfo(host, port))


async def test_a_pod_with_addresses_of_both_families_is_one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "10.0.0.2", "10.0.0.1", "fd00::1", "fd00::2")
    assert await look_up(TARGET) == (ONE, TWO)


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_NODATA])
async def test_a_name_without_addresses_has_no_server(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def none(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", none)
    assert await look_up(TARGET) == ()


async def test_a_resolver_that_cannot_answer_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(socket.gaierror):
        await look_up(TARGET)
