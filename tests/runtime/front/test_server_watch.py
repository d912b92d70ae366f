"""Servers are given requests from their first answer that they are ready, until they are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.fakes.front_servers import load_report
from whisper_runtime.contract.front import LoadReport
from whisper_runtime.front import server_watch
from whisper_runtime.front.load_client import NoServer
from whisper_runtime.front.server_watch import SILENT_SECONDS, ServerWatch
from whisper_runtime.front.servers import ServerAddress
from whisper_runtime.front.turnstile import Turnstile

A, B = ServerAddress("a", 1), ServerAddress("b", 1)
SECONDS = 10.0
"""The longest that a test waits."""


class AnsweringServers:
    """Servers that say what they are set to."""

    def __init__(self) -> None:
        self.answers: dict[ServerAddress, LoadReport | Exception] = {}
        self.asked = 0
        self.now = 0.0

    async def __call__(self, address: ServerAddress) -> LoadReport:
        self.asked += 1
        answer = self.answers[address]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not true():
                await asyncio.sleep(0)

    async def are_asked_again(self) -> None:
        """Twice at least, so that what the first answer changed is done."""
        before = self.asked
        await self.until(lambda: self.asked > before + 1)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> AnsweringServers:
    monkeypatch.setattr(server_watch, "ASK_SECONDS", 0.0)
    monkeypatch.setattr(server_watch, "MOST_QUESTIONS", float("inf"))
    return AnsweringServers()


@pytest.fixture
def turnstile(servers: AnsweringServers) -> Turnstile:
    return Turnstile(lambda: servers.now)


@pytest.fixture
async def watch(servers: AnsweringServers, turnstile: Turnstile) -> AsyncIterator[ServerWatch]:
    watched = ServerWatch(turnstile, servers, lambda: servers.now)
    yield watched
    watched.close()


async def test_an_address_is_a_server_once_it_says_that_it_is_ready(
    servers: AnsweringServers, turnstile: Turnstile, watch: ServerWatch
) -> None:
    servers.answers = {A: NoServer("connection refused"), B: load_report(is_ready=False)}
    watch.set_addresses([A, B])
    await servers.are_asked_again()
    assert turnstile.ready_servers == 0
    servers.answers[B] = load_report(queued_audio_seconds=7.0, free_rows=0)
    await servers.until(lambda: turnstile.ready_servers == 1)
    assert [one.queued for one in turnstile.servers if one.is_ready] == [7.0]


@pytest.mark.parametrize("answer", [NoServer("connection refused"), load_report(is_ready=False)])
async def test_one_that_says_otherwise_or_is_not_there_is_given_nothing_more(
    servers: AnsweringServers, turnstile: Turnstile, watch: ServerWatch, answer: LoadReport | Exception
) -> None:
    servers.answers[A] = load_report()
    watch.set_addresses([A])
    await servers.until(lambda: turnstile.ready_servers == 1)
    servers.answers[A] = answer
    await servers.until(lambda: turnstile.ready_servers == 0)


async def test_one_that_is_slow_to_answer_stays_for_as_long_as_the_kubelet_would_wait(
    servers: AnsweringServers, turnstile: Turnstile, watch: ServerWatch
) -> None:
    servers.answers[A] = load_report()
    watch.set_addresses([A])
    await servers.until(lambda: turnstile.ready_servers == 1)
    servers.answers[A] = TimeoutError()
    servers.now += SILENT_SECONDS - 1
    await servers.are_asked_again()
    assert turnstile.ready_servers == 1
    servers.now += 1
    await servers.until(lambda: turnstile.ready_servers == 0)


async def test_an_address_that_is_gone_is_asked_no_more(
    servers: AnsweringServers, turnstile: Turnstile, watch: ServerWatch
) -> None:
    servers.answers = {A: load_report(), B: load_report()}
    watch.set_addresses([A, B])
    await servers.until(lambda: turnstile.ready_servers == 2)
    watch.set_addresses([B])
    del servers.answers[A]
    assert turnstile.ready_servers == 1
    await servers.are_asked_again()
