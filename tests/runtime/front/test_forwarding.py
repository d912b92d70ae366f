"""A request waits for a server, is sent to it with all its bytes, and to another where that one is lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from tests.fakes.front_servers import A, B, PlannedAnswer, SentRequest, TriedFront
from whisper_runtime.front import client_answer, forwarding, turnstile
from whisper_runtime.front.servers import MOST_TAKING

LOST = httpx.ReadError("the connection was reset")
UNREACHED = httpx.ConnectError("connection refused")
FULL = PlannedAnswer(503, (b'{"error":{"code":"scratch_full"}}',), (("retry-after", "1"),))
LEAVES = PlannedAnswer(503, (b'{"error":{"code":"shutting_down"}}',), (("retry-after", "1"),))
MANY_BYTES = bytes(range(256)) * 1024
EVENTS = (("content-type", "text/event-stream; charset=utf-8"),)
TOKEN = "a-token-of-sixteen-or-more"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take seconds takes none."""
    monkeypatch.setattr(forwarding, "NOTICE_SECONDS", 0.0)


@pytest.fixture
def without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "REST_SECONDS", 0.0)


def code(answer: SentRequest) -> str:
    return json.loads(answer.body)["error"]["code"]


async def test_a_server_gets_what_the_client_sent_and_the_client_what_the_server_answered() -> None:
    front = TriedFront(A)
    front.servers.plans[A] = [PlannedAnswer(201, (b"a ", b"text"), (("x-own", "1"), ("connection", "close")))]
    headers = {"Authorization": "Bearer key", "X-Request-ID": "mine", "Origin": "https://a.example.com"}
    got = await front.send(path="/transcribe?a=%2F", content=MANY_BYTES, headers=headers).answered()
    assert (got.status, got.body, got.ended) == (201, b"a text", True)
    assert got.headers == {"x-own": "1", "x-request-id": "mine"}
    (asked,) = front.servers.asked
    assert (asked.method, asked.target, asked.body) == ("POST", b"/transcribe?a=%2F", MANY_BYTES)
    wanted = {
        "authorization": "Bearer key",
        "host": "speech",
        "x-request-id": "mine",
        "x-forwarded-for": "192.0.2.1",
        "content-length": str(len(MANY_BYTES)),
    }
    assert wanted.items() <= asked.headers.items()
    assert "origin" not in asked.headers


async def test_servers_know_it_by_its_token_whatever_a_client_sends() -> None:
    front = TriedFront(A, front_token=TOKEN)
    await front.send(content=b"", headers={"X-Whisper-Front-Token": "mine"}).answered()
    (asked,) = front.servers.asked
    assert asked.headers["x-whisper-front-token"] == TOKEN


async def test_a_request_without_a_server_is_held_and_answered_as_soon_as_there_is_one() -> None:
    front = TriedFront()
    held = front.upload()
    await front.until(lambda: front.parts.demand.held_bytes)
    assert (held.status, front.servers.asked) == (None, [])
    front.ready(A)
    assert (await held.answered()).status == 200


@pytest.mark.parametrize("fails", [LOST, httpx.RemoteProtocolError("ended"), httpx.ReadTimeout("hangs"), UNREACHED])
async def test_a_server_that_fails_before_it_answers_costs_no_request(fails: Exception) -> None:
    front = TriedFront(A, B)
    front.servers.plans[A], front.servers.plans[B] = [fails], []
    got = await front.upload(MANY_BYTES).answered()
    assert (got.status, got.body) == (200, b'{"text":"Ask not."}')
    assert front.servers.asked[-1].server == B
    assert MANY_BYTES in front.servers.asked[-1].body


async def test_a_server_that_fails_within_its_header_costs_no_request_either() -> None:
    """Given an answer of which nothing but the status has come."""
    front = TriedFront(A, B)
    front.servers.plans[A] = [PlannedAnswer(200, (LOST,))]
    assert (await front.upload().answered()).body == b'{"text":"Ask not."}'
    assert front.counted("whisper_front_retry_total", cause="lost") == 1
    assert front.counted("whisper_front_dispatch_total") == 2


@pytest.mark.usefixtures("without_rest")
async def test_the_only_server_is_tried_again() -> None:
    front = TriedFront(A)
    front.servers.plans[A] = [UNREACHED, LOST]
    assert (await front.upload().answered()).status == 200


@pytest.mark.usefixtures("without_rest")
async def test_a_request_that_servers_end_with_does_not_end_them_all() -> None:
    front = TriedFront(A)
    front.servers.plans[A] = [LOST] * 10
    got = await front.upload().answered()
    assert (got.status, code(got), len(front.servers.asked)) == (502, "servers_lost", 3)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/files", {}, 502),
        ("/v1/batches", {}, 502),
        ("/v1/audio/transcriptions", {"Prefer": "respond-async"}, 502),
        ("/v1/audio/transcriptions", {"Prefer": "respond-async", "Idempotency-Key": "one"}, 200),
        ("/v1/audio/transcriptions/job_1/cancel", {}, 200),
    ],
)
async def test_what_would_be_kept_twice_is_sent_once(path: str, headers: dict[str, str], status: int) -> None:
    front = TriedFront(A, B)
    front.servers.plans[A] = [LOST]
    got = await front.send(path=path, content=b"x", headers=headers).answered()
    assert got.status == status
    assert (got.headers.get("x-should-retry") == "false") is (status == 502)


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    front = TriedFront(A, B)
    front.servers.plans[A] = [PlannedAnswer(200, (b'{"te', LOST))]
    got = await front.upload().answered()
    assert (got.status, got.body, got.ended) == (200, b'{"te', False)
    assert len(front.servers.asked) == 1


async def test_events_that_break_off_end_with_an_error() -> None:
    front = TriedFront(A)
    front.servers.plans[A] = [PlannedAnswer(200, (b"data: {}\n\n", LOST), EVENTS)]
    got = await front.upload(stream="true").answered()
    first, last = got.body.decode().strip().split("\n\n")
    assert (first, json.loads(last.removeprefix("data: "))["error"]["code"]) == ("data: {}", "server_lost")
    assert got.ended


@pytest.mark.parametrize("refuses", [FULL, LEAVES])
async def test_what_one_server_refuses_another_takes(refuses: PlannedAnswer) -> None:
    front = TriedFront(A, B)
    front.servers.plans[A] = [refuses]
    assert (await front.upload().answered()).status == 200
    assert front.counted("whisper_front_retry_total", cause="refused") == 1


async def test_what_all_servers_refuse_is_refused_in_the_words_of_the_last() -> None:
    front = TriedFront(A, B)
    front.servers.plans[A], front.servers.plans[B] = [FULL], [FULL]
    got = await front.upload().answered()
    assert (got.status, code(got), got.headers["retry-after"]) == (503, "scratch_full", "1")
    assert len(front.servers.asked) == 2


async def test_a_server_that_leaves_is_not_asked_for_the_answer() -> None:
    """Given one server, which ends, and another that comes up: a rollout without a second GPU."""
    front = TriedFront(A)
    front.servers.plans[A] = [LEAVES]
    front.ready(A)
    held = front.upload()
    await front.until(lambda: front.servers.asked)
    front.ready(B)
    assert (await held.answered()).status == 200


@pytest.mark.parametrize("status", [400, 401, 404, 413, 429, 500, 504])
async def test_any_other_error_is_the_answer(status: int) -> None:
    front = TriedFront(A, B)
    front.servers.plans[A] = front.servers.plans[B] = [PlannedAnswer(status)]
    assert (await front.upload().answered()).status == status
    assert len(front.servers.asked) == 1


async def test_without_a_server_in_time_a_client_learns_when_to_try_again() -> None:
    got = await TriedFront(request_timeout_seconds=1).upload().answered()
    assert (got.status, code(got), got.headers["retry-after"]) == (503, "no_server", "30")
    assert "No server became ready within 1 s" in got.body.decode()


async def test_a_server_that_does_not_answer_in_time_is_no_lost_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not asked again: what a request was held for is a part of its time, as a proxy counts it."""
    monkeypatch.setattr(forwarding, "ANSWER_MARGIN_SECONDS", 0.0)
    front = TriedFront(A, B, request_timeout_seconds=1)
    front.servers.plans[A] = front.servers.plans[B] = [PlannedAnswer(200, (asyncio.Event(),))]
    got = await front.upload().answered()
    assert (got.status, code(got), len(front.servers.asked)) == (504, "request_timeout", 1)
    assert front.servers.closed == 1, "the server sees that its client is gone"


async def test_a_client_that_asked_for_events_is_kept_waiting_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_answer, "KEEP_ALIVE_SECONDS", 0.001)
    front = TriedFront()
    front.servers.plans[A] = [PlannedAnswer(200, (b"data: {}\n\n",), EVENTS)]
    held = front.upload(stream="true")
    await held.until(lambda: held.body.count(b": waiting\n\n") > 2)
    assert (held.status, held.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    front.ready(A)
    await held.answered()
    assert held.body.replace(b": waiting\n\n", b"") == b"data: {}\n\n"


async def test_what_goes_wrong_behind_comments_is_an_event() -> None:
    front = TriedFront()
    front.servers.plans[A] = [PlannedAnswer(400, (b'{"error":{"code":"not_audio"}}',))]
    held = front.upload(stream="true")
    await held.until(lambda: held.body)
    front.ready(A)
    await held.answered()
    assert held.body.endswith(b'data: {"error":{"code":"not_audio"}}\n\n')
    assert front.counted("whisper_front_requests_total", status="400") == 1


async def test_a_server_that_never_comes_is_an_event_too() -> None:
    held = await TriedFront(request_timeout_seconds=1).upload(stream="true").answered()
    assert json.loads(held.body.rpartition(b"data: ")[2])["error"]["code"] == "no_server"


@pytest.mark.parametrize("fields", [{}, {"stream": "false"}, {"stream": "true", "response_format": "srt"}])
async def test_other_clients_are_told_nothing_before_the_answer(fields: dict[str, str]) -> None:
    front = TriedFront()
    held = front.upload(**fields)
    await front.until(lambda: front.parts.demand.held_bytes)
    front.ready(A)
    assert (await held.answered()).body == b'{"text":"Ask not."}'


async def test_a_client_that_hangs_up_while_it_is_held_frees_its_place_and_its_disk(tmp_path: Path) -> None:
    front = TriedFront(spool_dir=str(tmp_path))
    held = front.upload(MANY_BYTES)
    await front.until(lambda: front.parts.demand.held_bytes > len(MANY_BYTES))
    held.hang_up()
    await held.answered()
    report = front.parts.demand.report()
    assert (report.held_requests, report.held_bytes, front.parts.door.disk.used) == (0, 0, 0)
    front.ready(A)
    await front.upload(b"another").answered()
    assert len(front.servers.asked) == 1


async def test_a_client_that_hangs_up_frees_its_server() -> None:
    front = TriedFront(A)
    front.servers.plans[A] = [PlannedAnswer(200, (b"data: {}\n\n", asyncio.Event()), EVENTS)]
    request = front.upload(stream="true")
    await request.until(lambda: request.body)
    request.hang_up()
    await request.answered()
    assert (front.servers.closed, front.parts.demand.active_requests) == (1, 0)


async def test_clients_take_turns_however_much_each_of_them_holds() -> None:
    """Given a server that takes eight bodies at a time, and more of them from the client that came first."""
    front = TriedFront()
    sent: list[SentRequest] = []
    for number in range(20):
        sent.append(front.upload(f"many {number}".encode()))
    await front.until(lambda: front.parts.demand.held_requests == 20)
    for number in range(2):
        sent.append(front.upload(f"few {number}".encode(), by="192.0.2.2"))
    await front.until(lambda: front.parts.turnstile.waiting_requests == 22)
    front.ready(A)
    for one in sent:
        await one.answered()
    first = front.servers.asked[:MOST_TAKING]  # in the order in which their bodies have come
    assert sum(b"few" in one.body for one in first) == 2


@pytest.mark.parametrize("path", ["/index.html", "/favicon.ico", "/admin", "/v2/audio/transcriptions"])
async def test_what_no_server_has_wakes_none(path: str) -> None:
    got = await TriedFront().send("GET", path).answered()
    assert (got.status, code(got)) == (404, "unknown_url")


async def test_what_is_read_waits_for_a_server_like_everything_else() -> None:
    front = TriedFront()
    held = front.send("GET", "/v1/models")
    await front.until(lambda: front.parts.demand.held_requests)
    front.ready(A)
    assert (await held.answered()).status == 200
    assert (front.servers.asked[0].method, "content-length" in front.servers.asked[0].headers) == ("GET", False)
