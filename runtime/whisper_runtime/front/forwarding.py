"""Passes requests on, step by step: place, body, turn, server, answer; at another server again where one is lost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from whisper_runtime.errors import HttpError, out_of_time
from whisper_runtime.front.client_answer import ClientAnswer
from whisper_runtime.front.demand import CountedRequest, DemandCounter
from whisper_runtime.front.kept_answers import KeptAnswers
from whisper_runtime.front.metrics import FrontMetrics
from whisper_runtime.front.outlook import Outlook
from whisper_runtime.front.places import Places
from whisper_runtime.front.request import PassedRequest, passed_request, route_above
from whisper_runtime.front.retries import LEAVING, TriedServers, goes_to_another, no_server
from whisper_runtime.front.server_client import ServerAnswer, ServerClient, ServerLost, ServerNotReached
from whisper_runtime.front.servers import KnownServer, RequestWork
from whisper_runtime.front.spool import SpooledBody, spooled_body
from whisper_runtime.front.taken_jobs import TakenJobs
from whisper_runtime.front.turnstile import HeldRequest, Turnstile
from whisper_runtime.front.wanted_stream import asks_for_stream
from whisper_runtime.http.hang_up import unless_gone
from whisper_runtime.http.middleware.access_log import cause_of
from whisper_runtime.http.middleware.admission import SAFE_METHODS
from whisper_runtime.http.middleware.behind_front import FRONT_TOKEN_HEADER
from whisper_runtime.http.request_state import state_of
from whisper_runtime.logs import request_id
from whisper_runtime.service import tracing
from whisper_runtime.service.place import BYTES_PER_SECOND

log = logging.getLogger(__name__)

KNOWN_SECONDS: Final = 1.0
"""For which a request may come and be looked up before it counts as work for a server."""
NOTICE_SECONDS: Final = 1.0
"""For which a request waits before its client is told by a comment: an error after that has no status of its own."""
ANSWER_MARGIN_SECONDS: Final = 5.0
"""For a server to say itself that the time is over; proxies wait 15 s longer than a request may take."""
LONGEST_REFUSAL: Final = 64 * 1024
"""Bytes of a refusal; a longer answer is none of ours, and passed on."""


@dataclass(frozen=True)
class HeldExchange:
    """One request with its body and its client, in the front's hands."""

    scope: Scope
    request: PassedRequest
    body: SpooledBody
    answer: ClientAnswer
    counted: CountedRequest
    ends: float
    """When it has waited for long enough, for a server and for its answer, by the loop's time."""


class Forwarding:
    """The innermost application of the front."""

    def __init__(
        self,
        turnstile: Turnstile,
        servers: ServerClient,
        demand: DemandCounter,
        outlook: Outlook,
        metrics: FrontMetrics,
        kept: KeptAnswers | None,
        jobs: TakenJobs | None,
        *,
        spool_dir: str | None,
        wait_seconds: float,
        token: str | None,
    ) -> None:
        """`kept` None: no result is known here. `jobs` None: all are taken by servers. `spool_dir` None: TMPDIR.

        `wait_seconds`: for which a request waits for a server. `token`: `RuntimeConfig.front_token`.
        """
        self._turnstile = turnstile
        self._servers = servers
        self._demand = demand
        self._outlook = outlook
        self._metrics = metrics
        self._kept = kept
        self._jobs = jobs
        self._token = {FRONT_TOKEN_HEADER: token.encode()} if token else dict[bytes, bytes]()
        self._spool_dir = spool_dir
        self._wait_seconds = wait_seconds
        self._places = Places()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = ClientAnswer(scope, receive, send)
        try:
            await self._take(scope, receive, answer)
        except HttpError as error:
            await answer.refuse(error)
        finally:
            answer.close()

    async def _take(self, scope: Scope, receive: Receive, answer: ClientAnswer) -> None:
        scope["route"] = route_above(scope["path"])
        client = state_of(scope).client
        request = passed_request(scope, client, _own_headers(scope) | self._token)
        with (
            self._places.take(client),
            self._demand.request() as counted,
            self._holding(request, counted),
            spooled_body(self._spool_dir) as body,
        ):
            if request.method not in SAFE_METHODS:
                await body.receive(receive, counted.receive)
                request.headers.append((b"content-length", str(body.size).encode()))
            ends = asyncio.get_running_loop().time() + self._wait_seconds
            await unless_gone(
                receive, self._answer_or_pass_on(HeldExchange(scope, request, body, answer, counted, ends))
            )

    @contextmanager
    def _holding(self, request: PassedRequest, counted: CountedRequest) -> Generator[None]:
        """Holds a request at once, or, where its result may be known, once it was looked up, or that takes too long."""
        if self._kept is None or not request.is_transcribed:
            counted.hold()
            yield
            return
        holding = asyncio.get_running_loop().call_later(KNOWN_SECONDS, counted.hold)
        try:
            yield
        finally:
            holding.cancel()

    async def _answer_or_pass_on(self, of: HeldExchange) -> None:
        """Answers the request here, or has a server answer it. Raises HttpError."""
        if messages := await self._own_answer(of):
            for message in messages:
                await of.answer.send(message)
            return
        of.counted.hold()
        await self._pass_on(of)

    async def _own_answer(self, of: HeldExchange) -> list[Message]:
        """By a kept result, or with the job that was made of the request; empty: it is for a server."""
        if self._kept is not None and of.request.is_transcribed:
            return await self._kept.answer(of.scope, of.body)
        if self._jobs is not None and of.request.becomes_job and not self._turnstile.ready_servers:
            return await self._jobs.answer(of.scope, of.body)
        return []

    async def _pass_on(self, of: HeldExchange) -> None:
        """Sends the request to one server after the other until one has answered. Raises HttpError."""
        tried = TriedServers()
        while True:
            with self._turnstile.enter(_work(of, tried)) as held:
                await self._let_go(held, of)
                with of.counted.at_a_server():
                    if await self._is_answered(held, of, tried):
                        return

    async def _let_go(self, held: HeldRequest, of: HeldExchange) -> None:
        """Waits for the request's server. Raises HttpError (503, 429) where none comes in time, or the front ends."""
        if not held.let_go.done():
            self._outlook.check(held.work)
            since = time.perf_counter()
            try:
                async with asyncio.timeout_at(of.ends):
                    await self._hold(held, of)
            except TimeoutError:
                self._demand.refuse()
                raise no_server(self._wait_seconds) from None
            finally:
                if trace := tracing.current.get():
                    trace.stage("hold", since, time.perf_counter())
        held.let_go.result()

    async def _hold(self, held: HeldRequest, of: HeldExchange) -> None:
        done, _ = await asyncio.wait({held.let_go}, timeout=NOTICE_SECONDS)
        if not done and of.request.may_stream and of.body.size:
            content_type = of.request.content_type
            if await of.body.read(lambda file: asks_for_stream(file, content_type)):
                await of.answer.begin_events()
        await asyncio.wait({held.let_go})

    async def _is_answered(self, held: HeldRequest, of: HeldExchange, tried: TriedServers) -> bool:
        """Sends the request to its server, and passes the answer on; False: it is to go on to another.

        Raises HttpError where it must not.
        """
        server, request = held.server, of.request
        self._metrics.dispatched()
        try:
            async with self._answer(held, of) as answer:
                answer, code = await _with_code(answer)
                if code is None or not self._goes_on(server, code, request, tried):
                    await of.answer.pass_on(answer)
                    return True
        except ServerNotReached:
            self._turnstile.rest(server)
            self._metrics.retried("unreached")
        except ServerLost:
            self._turnstile.rest(server)
            log.warning("a server was lost while it had a request: %s", server.address.authority)
            if error := tried.lose(is_repeatable=request.is_repeatable):
                raise error from None
            self._metrics.retried("lost")
        return False

    @asynccontextmanager
    async def _answer(self, held: HeldRequest, of: HeldExchange) -> AsyncGenerator[ServerAnswer]:
        """The server's answer, until the block ends. Raises as ServerClient.ask, and HttpError (504) where none came.

        What it was held for is a part of the request's time: a proxy in front of us waits no longer.
        """
        async with AsyncExitStack() as asked:
            ask = self._servers.ask(held.server.address, of.request, of.body.pieces(), held.sent)
            try:
                async with asyncio.timeout_at(of.ends + ANSWER_MARGIN_SECONDS):
                    answer = await asked.enter_async_context(ask)
            except TimeoutError:
                raise out_of_time(self._wait_seconds) from None
            yield answer

    def _goes_on(self, server: KnownServer, code: str, request: PassedRequest, tried: TriedServers) -> bool:
        """Whether a request that `server` refused with this code goes on to another."""
        has_others = self._turnstile.others({*tried.refused_by, server.address})
        if not goes_to_another(code, is_repeatable=request.is_repeatable, has_others=has_others):
            return False
        if code in LEAVING:
            self._turnstile.rest(server)
        else:
            tried.refused_by.add(server.address)
        self._metrics.retried("refused")
        return True


def _work(of: HeldExchange, tried: TriedServers) -> RequestWork:
    """What the request asks of a server that has not refused it."""
    seconds = of.body.size / BYTES_PER_SECOND if of.request.is_transcribed else None
    return RequestWork(of.request.client, seconds, frozenset(tried.refused_by), of.ends)


async def _with_code(answer: ServerAnswer) -> tuple[ServerAnswer, str | None]:
    """The answer, and the code of its error where it is a refusal for now (503), else None. Raises ServerLost."""
    if answer.status != 503:
        return answer, None
    body = await answer.whole(LONGEST_REFUSAL)
    if body is None:
        raise ServerLost("its refusal has no end")
    return ServerAnswer(answer.status, answer.headers, body, _nothing()), cause_of(body) or ""


async def _nothing() -> AsyncGenerator[bytes]:
    return
    yield b""


def _own_headers(scope: Scope) -> dict[bytes, bytes]:
    """The headers that the front gives a request: its id, where it comes from, and the span of which it is a part."""
    own: dict[bytes, bytes] = {}
    if current := request_id.get():
        own[b"x-request-id"] = current.encode()
    if scope.get("client"):
        own[b"x-forwarded-for"] = str(scope["client"][0]).encode()
    if trace := tracing.current.get():
        own[b"traceparent"] = trace.traceparent.encode()
    return own
