"""A batch from its file to the files of its answers, whatever its lines are and however it ends."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.fakes.engine import SPOKEN, FakeEngine
from tests.fakes.mirror import Mirror, serving, whole
from tests.fakes.webhook_receiver import SECRET, receiving
from tests.runtime.http.routes.conftest import (
    BATCHES,
    FILES,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    ServeBatches,
    SteppedClock,
    answers,
    batch_in,
    create,
    jsonl,
    line,
    upload,
)

INLINE = f"data:audio/wav;base64,{base64.b64encode(b'speech 3').decode()}"


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.free_rows = 8
    return engine


def error_of(answer: httpx.Response) -> tuple[int, str, str | None]:
    return answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["param"]


async def test_a_batch_from_its_file_to_its_answers(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    audio = await upload(client, b"speech 2.5")
    lines = [line("a", file_id=audio), line("b", file_id=audio, response_format="srt", language="de")]
    batch = await create(client, *lines, metadata={"meeting": "7"})
    assert (batch["object"], batch["status"], batch["errors"]) == ("batch", "validating", None)
    assert (batch["request_counts"]["total"], batch["metadata"]) == (0, {"meeting": "7"})
    assert batch["expires_at"] == batch["created_at"] + 24 * 3600

    done = await batch_in(client, batch["id"], "completed")
    assert done["request_counts"] == {"total": 2, "completed": 2, "failed": 0}
    assert done["in_progress_at"] <= done["finalizing_at"] <= done["completed_at"]
    assert (done["error_file_id"], done["failed_at"], done["cancelled_at"]) == (None, None, None)
    first, second = await answers(client, done["output_file_id"])
    assert (first["custom_id"], first["error"], second["custom_id"]) == ("a", None, "b")
    assert first["id"] != second["id"]
    assert first["response"]["status_code"] == 200
    assert first["response"]["body"] == {"text": "Ask not.", "usage": {"type": "duration", "seconds": 3}}
    assert second["response"]["body"].startswith("1\n00:00:00,000 --> 00:00:02,500\nAsk not.")
    assert {one.language for one in engine.asked} == {None, "de"}
    assert engine.in_background == [True, True]

    output = (await client.get(f"{FILES}/{done['output_file_id']}")).json()
    assert (output["purpose"], output["filename"]) == ("batch_output", f"{batch['id']}_output.jsonl")
    jobs = (await client.get(TRANSCRIPTIONS)).json()["data"]
    assert jobs == []  # each was deleted with its answer


async def test_the_four_dialects_of_lines(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    with serving(Mirror(b"speech 4", [whole])) as mirror:
        origin = f"http://localhost:{httpx.URL(mirror.url).port}"
        allowed: dict[str, Any] = {
            "audio_url_allowed_hosts": (origin,),
            "audio_url_private_networks": ("127.0.0.0/8", "::1"),
        }
        client = serve_batches(engine, **allowed)
        audio = await upload(client, b"speech 2")
        together = {"custom_id": "together", "method": "FILE", "body": {"model": "base", "file": f"{origin}/a.wav"}}
        batch = await create(
            client,
            line("openai", file_id=audio),
            line("groq", url=f"{origin}/a.wav", timestamp_granularities=["segment"], response_format="verbose_json"),
            line("vllm", file_url=INLINE),
            together,
            {"custom_id": "mistral", "body": {"model": "base", "file_url": f"{origin}/a.wav", "language": None}},
            line("ours", file=audio, temperature=0, vad_parameters={"threshold": 0.5}, vad_filter=False),
        )
        done = await batch_in(client, batch["id"], "completed")
    found = await answers(client, done["output_file_id"])
    assert [one["custom_id"] for one in found] == ["openai", "groq", "vllm", "together", "mistral", "ours"]
    assert sorted(engine.num_samples) == [16_000 * seconds for seconds in (2, 2, 3, 4, 4, 4)]


async def test_a_translation(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    audio = await upload(client, b"speech", "batch")  # a purpose that clients know, too
    batch = await create(client, line("a", TRANSLATIONS, file_id=audio), endpoint=TRANSLATIONS)
    done = await batch_in(client, batch["id"], "completed")
    (found,) = await answers(client, done["output_file_id"])
    assert found["response"]["body"] == {"text": "Ask not."}
    assert [one.task for one in engine.asked] == ["translate"]


async def test_what_fails_of_a_line_is_its_own_error(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    with serving(Mirror(b"speech 4", [whole])) as mirror:
        origin = f"http://localhost:{httpx.URL(mirror.url).port}"
        client = serve_batches(
            engine, audio_url_allowed_hosts=(origin,), audio_url_private_networks=("127.0.0.0/8", "::1")
        )
        audio, noise = await upload(client, b"speech 2"), await upload(client, b"noise")
        batch = await create(
            client,
            line("good", file_id=audio),
            line("noise", file_id=noise),
            line("unknown", file_id="file-1234"),
            line("elsewhere", url="https://example.com/a.wav"),
            line("broken", file=INLINE + "!"),
            line("also good", file_id=audio),
        )
        done = await batch_in(client, batch["id"], "completed")
    assert done["request_counts"] == {"total": 6, "completed": 2, "failed": 4}
    assert [one["custom_id"] for one in await answers(client, done["output_file_id"])] == ["good", "also good"]
    errors = await answers(client, done["error_file_id"])
    found = [
        (
            one["custom_id"],
            one["response"]["status_code"],
            *map(one["response"]["body"]["error"].get, ("code", "param")),
        )
        for one in errors
    ]
    assert found == [
        ("noise", 400, "not_audio", "file_id"),
        ("unknown", 404, "file_not_found", "file_id"),
        ("elsewhere", 400, "url_not_allowed", "url"),
        ("broken", 400, "invalid_value", "file"),
    ]
    assert all(one["error"] is None for one in errors)


async def test_where_all_lines_fail_there_is_no_output(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    batch = await create(client, line("a", file_id="file-1"))
    done = await batch_in(client, batch["id"], "completed")
    assert (done["output_file_id"], len(await answers(client, done["error_file_id"]))) == (None, 1)


@pytest.mark.parametrize(
    ("wrong", "code", "param", "says"),
    [
        (b"{", "invalid_json_line", None, "not JSON"),
        (b"[1]", "invalid_json_line", None, "not an object"),
        (b'{"custom_id": "a", "body": {"n": NaN}}', "invalid_json_line", None, "NaN"),
        (b'{"custom_id": "a", "body": {"prompt": "\\ud800"}}', "invalid_json_line", None, "not JSON"),
        (b"\xff", "invalid_json_line", None, "not JSON"),
        (b"[" * 100_000, "invalid_json_line", None, "not JSON"),
        ({"body": {}}, "missing_required_parameter", "custom_id", "1 to 512"),
        ({"custom_id": "", "body": {}}, "invalid_value", "custom_id", "1 to 512"),
        ({"custom_id": "c"}, "missing_required_parameter", "body", "an object"),
        ({"custom_id": "c", "method": "GET", "body": {}}, "invalid_method", "method", "'GET'"),
        ({"custom_id": "c", "url": "/v1/responses", "body": {}}, "mismatched_url", "url", TRANSCRIPTIONS),
        (line("first", file_id="file-1"), "duplicate_custom_id", "custom_id", "as in line 1"),
        (line("c"), "missing_file", "file_id", "no recording"),
        (line("c", file_id="file-1", url="https://a.b/c"), "invalid_value", "file_id", "several recordings"),
        (line("c", file_id="a.wav"), "invalid_value", "file_id", "id of an uploaded file"),
        (line("c", file=7), "invalid_value", "file", "a text"),
        (line("c", url="https://a.b/c"), "unsupported_parameter", "url", "fetches no files"),
        (line("c", file_id="file-1", language="klingon"), "invalid_value", "language", "klingon"),
        (line("c", file_id="file-1", temperature=7), "invalid_value", "temperature", "'7'"),
        (line("c", file_id="file-1", languge="de"), "unknown_parameter", "languge", "Did you mean `language`"),
        (line("c", file_id="file-1", stream=True), "invalid_value", "stream", "no stream"),
        (line("c", file_id="file-1", prompt=["a"]), "invalid_value", "prompt", "valid string"),
        (line("c", file_id="file-1", prompt={"a": 1}), "invalid_value", "prompt", "valid string"),
        (line("c", file_id="file-1", model="gpt-6"), "model_not_found", "model", "gpt-6"),
        ({"custom_id": "c", "body": {"file_id": "file-1"}}, "missing_required_parameter", "model", "missing"),
    ],
)
async def test_a_file_that_is_wrong_fails_the_batch_before_it_begins(
    serve_batches: ServeBatches, engine: FakeEngine, wrong: Any, code: str, param: str | None, says: str
) -> None:
    client = serve_batches(engine)
    batch = await create(client, line("first", file_id="file-1"), b"", wrong)
    failed = await batch_in(client, batch["id"], "failed")
    (error,) = failed["errors"]["data"]
    assert (error["code"], error["param"], error["line"]) == (code, param, 3)
    assert error["message"].startswith("Line 3: ")
    assert says in error["message"]
    assert (failed["failed_at"], failed["output_file_id"], engine.asked) == (failed["created_at"], None, [])


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\n \n", "empty_file"), (jsonl(*(line(f"{n}", file_id="file-1") for n in range(5))), "too_many_requests")],
)
async def test_a_file_has_one_request_and_not_too_many(
    serve_batches: ServeBatches, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, content: bytes, code: str
) -> None:
    monkeypatch.setattr("whisper_runtime.service.batches.line.MOST_LINES", 4)
    client = serve_batches(engine)
    batch = await create(client, input_file_id=await upload(client, content, "batch"))
    failed = await batch_in(client, batch["id"], "failed")
    assert [error["code"] for error in failed["errors"]["data"]] == [code]


async def test_all_that_is_wrong_is_named(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    batch = await create(client, *(b"{" for _ in range(300)))
    failed = await batch_in(client, batch["id"], "failed")
    assert [error["line"] for error in failed["errors"]["data"]] == list(range(1, 101))


async def test_a_batch_that_is_cancelled_keeps_what_is_done(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve_batches(engine)
    audio = await upload(client, b"speech")
    batch = await create(client, *(line(f"{n}", file_id=audio) for n in range(5)))
    await engine.until_submitted()
    engine.held[0].set_result(SPOKEN)
    await engine.until_submitted(2)
    cancelling = (await client.post(f"{BATCHES}/{batch['id']}/cancel")).json()
    assert (cancelling["status"], cancelling["cancelling_at"]) == ("cancelling", cancelling["created_at"])
    done = await batch_in(client, batch["id"], "cancelled")
    (kept,) = await answers(client, done["output_file_id"])
    missing = await answers(client, done["error_file_id"])
    assert [(one["custom_id"], one["response"], one["error"]["code"]) for one in missing] == [
        (f"{n}", None, "batch_cancelled") for n in range(5) if f"{n}" != kept["custom_id"]
    ]
    assert done["request_counts"] == {"total": 5, "completed": 1, "failed": 4}
    assert (await client.post(f"{BATCHES}/{batch['id']}/cancel")).json() == done
    assert (await client.get(TRANSCRIPTIONS)).json()["data"] == []
    assert engine.held[1].cancelled()


async def test_at_the_end_of_its_window_a_batch_keeps_what_is_done(
    serve_batches: ServeBatches, engine: FakeEngine, batch_clock: SteppedClock
) -> None:
    engine.answer = None
    client = serve_batches(engine)
    audio = await upload(client, b"speech")
    batch = await create(client, *(line(f"{n}", file_id=audio) for n in range(3)), completion_window="1h")
    await engine.until_submitted()
    engine.held[0].set_result(SPOKEN)
    await engine.until_submitted(2)
    batch_clock.now += 3600
    done = await batch_in(client, batch["id"], "expired")
    assert done["expired_at"] == done["created_at"] + 3600
    (kept,) = await answers(client, done["output_file_id"])
    missing = await answers(client, done["error_file_id"])
    assert [(one["custom_id"], one["error"]["code"]) for one in missing] == [
        (f"{n}", "batch_expired") for n in range(3) if f"{n}" != kept["custom_id"]
    ]


async def test_a_job_of_a_line_is_the_clients_own(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    """Whoever cancels or deletes it has its line answered with that, and a recording that fails fails its line."""
    engine.answer = None
    client = serve_batches(engine)
    audio = await upload(client, b"speech")
    batch = await create(client, *(line(f"line {n}", file_id=audio) for n in range(4)))
    async with asyncio.timeout(30):
        while len(jobs := (await client.get(TRANSCRIPTIONS)).json()["data"]) < 4:
            await asyncio.sleep(0.01)
    by_line = {job["metadata"]["custom_id"]: job for job in jobs}
    assert {job["metadata"]["batch_id"] for job in jobs} == {batch["id"]}
    await client.post(f"{TRANSCRIPTIONS}/{by_line['line 1']['id']}/cancel")
    await client.delete(f"{TRANSCRIPTIONS}/{by_line['line 2']['id']}")
    engine.answer = SPOKEN
    for future in engine.held:
        if not future.cancelled():
            future.set_result(SPOKEN)
    done = await batch_in(client, batch["id"], "completed")
    errors = await answers(client, done["error_file_id"])
    assert [(one["custom_id"], one["response"]["body"]["error"]["code"]) for one in errors] == [
        ("line 1", "job_cancelled"),
        ("line 2", "job_gone"),
    ]


async def test_a_recording_that_cannot_be_transcribed_fails_its_line(
    serve_batches: ServeBatches, engine: FakeEngine
) -> None:
    engine.answer = ValueError("the model cannot")
    client = serve_batches(engine)
    batch = await create(client, line("a", file_id=await upload(client, b"speech")))
    done = await batch_in(client, batch["id"], "completed")
    (error,) = await answers(client, done["error_file_id"])
    assert (error["response"]["status_code"], error["response"]["body"]["error"]["code"]) == (500, "internal_error")
    assert len(engine.held) == 3  # as every job, thrice


async def test_a_client_has_its_own_batches_alone(
    serve_batches: ServeBatches, engine: FakeEngine, keys_of_ann_and_bob: str
) -> None:
    client = serve_batches(engine, api_keys_dir=keys_of_ann_and_bob)
    client.headers["x-api-key"] = "key of ann"
    batch = await create(client, line("a", file_id=await upload(client, b"speech")))
    await batch_in(client, batch["id"], "completed")
    bob = {"x-api-key": "key of bob"}
    answered = [
        await client.get(f"{BATCHES}/{batch['id']}", headers=bob),
        await client.post(f"{BATCHES}/{batch['id']}/cancel", headers=bob),
        await client.get(BATCHES, params={"after": batch["id"]}, headers=bob),
        await client.get(f"{BATCHES}/batch_1"),
    ]
    assert [error_of(one) for one in answered] == [(404, "batch_not_found", None)] * 4
    wanted = {"completion_window": "24h", "endpoint": TRANSCRIPTIONS, "input_file_id": batch["input_file_id"]}
    stolen = await client.post(BATCHES, json=wanted, headers=bob)
    assert error_of(stolen) == (404, "file_not_found", "input_file_id")
    assert (await client.get(BATCHES, headers=bob)).json()["data"] == []


async def test_batches_are_listed_newest_first(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    source = await upload(client, jsonl(line("a", file_id="file-1")), "batch")
    ids = [(await create(client, input_file_id=source))["id"] for _ in range(5)][::-1]
    found: list[str] = []
    more = True
    while more:
        page = (await client.get(BATCHES, params={"limit": 2, **({"after": found[-1]} if found else {})})).json()
        found += [one["id"] for one in page["data"]]
        assert (page["object"], page["first_id"], page["last_id"]) == ("list", page["data"][0]["id"], found[-1])
        more = page["has_more"]
    assert found == ids


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"completion_window": "1y"}, "invalid_value", "completion_window"),
        ({"completion_window": "8d"}, "invalid_value", "completion_window"),
        ({"completion_window": "0h"}, "invalid_value", "completion_window"),
        ({"endpoint": "/v1/chat/completions"}, "invalid_value", "endpoint"),
        ({"endpoint": None}, "invalid_value", "endpoint"),
        ({"metadata": {"a": "b" * 513}}, "invalid_value", "metadata"),
        ({"metadata": {f"{n}": "" for n in range(17)}}, "invalid_value", "metadata"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "invalid_value", "output_expires_after"),
        ({"webhook": "https://example.com"}, "unknown_parameter", "webhook"),
    ],
)
async def test_what_a_batch_cannot_be_asked_is_refused(
    serve_batches: ServeBatches, engine: FakeEngine, fields: dict[str, Any], code: str, param: str
) -> None:
    client = serve_batches(engine)
    wanted = {"completion_window": "24h", "endpoint": TRANSCRIPTIONS, "input_file_id": "file-1", **fields}
    wanted["input_file_id"] = await upload(client, b"{}\n", "batch")
    assert error_of(await client.post(BATCHES, json=wanted)) == (400, code, param)


async def test_bodies_that_are_no_object_are_refused(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    for content in (b"{", b"[]", b"7", b""):
        answer = await client.post(BATCHES, content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400, content
        assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_batch_is_of_a_file_for_batches(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    wanted = {"completion_window": "24h", "endpoint": TRANSCRIPTIONS, "input_file_id": await upload(client, b"a")}
    assert error_of(await client.post(BATCHES, json=wanted)) == (400, "invalid_value", "input_file_id")


async def test_lines_cost_their_audio_and_no_requests(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine, requests_per_minute=4, audio_minutes_per_hour=1)
    audio = await upload(client, b"speech 6")
    batch = await create(client, *(line(f"{n}", file_id=audio) for n in range(6)))
    await batch_in(client, batch["id"], "completed")
    left = await client.post(FILES, files={"file": b"a"}, data={"purpose": "user_data"})
    assert left.headers["x-ratelimit-remaining-requests"] == "0"
    assert left.headers["x-ratelimit-remaining-audio-seconds"] in ("24", "25")


async def test_answers_are_kept_as_long_as_the_client_asks(
    serve_batches: ServeBatches, engine: FakeEngine, batch_clock: SteppedClock
) -> None:
    client = serve_batches(engine, jobs_result_seconds=7200)
    wanted = {"anchor": "created_at", "seconds": 3600}
    batches = [
        await create(client, line("a", file_id="file-1")),
        await create(client, line("a", file_id="file-1"), output_expires_after=wanted),
    ]
    done = [await batch_in(client, one["id"], "completed") for one in batches]
    files = [(await client.get(f"{FILES}/{one['error_file_id']}")).json() for one in done]
    assert [one["expires_at"] - one["created_at"] for one in files] == [7200, 3600]


async def test_the_end_of_a_batch_is_told_as_openai_tells_it(
    serve_batches: ServeBatches, engine: FakeEngine, batch_clock: SteppedClock, tmp_path: Path
) -> None:
    """One that completes, one whose file is wrong, one that is cancelled, and one whose window ends."""
    batch_clock.now = time.time()  # the outbox has the true time
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "a").write_text(SECRET)
    with receiving() as receiver:
        host = f"http://localhost:{httpx.URL(receiver.url).port}"
        client = serve_batches(
            engine,
            webhook_allowed_hosts=(host,),
            webhook_private_networks=("127.0.0.0/8", "::1"),
            webhook_secrets_dir=str(tmp_path / "secrets"),
        )
        good, told = line("a", file_id=await upload(client, b"speech 2.5")), {"webhook_url": f"{host}/hook"}
        batches = {"completed": await create(client, good, **told), "failed": await create(client, b"{", **told)}
        for state in tuple(batches):
            await batch_in(client, batches[state]["id"], state)
        engine.answer = None
        batches |= {"cancelled": await create(client, good, **told)}
        await client.post(f"{BATCHES}/{batches['cancelled']['id']}/cancel")
        batches |= {"expired": await create(client, good, **told, completion_window="1h")}
        await batch_in(client, batches["expired"]["id"], "in_progress")
        batch_clock.now += 3600
        await batch_in(client, batches["expired"]["id"], "expired")
        batch_clock.now -= 3600
        received = await asyncio.to_thread(receiver.until_received, 3)
        with openai.OpenAI(api_key="none", webhook_secret=SECRET) as official:
            events = [official.webhooks.unwrap(one.body, one.headers) for one in received]
        found = {(type(one).__name__, one.type, json.loads(one.to_json())["data"]["id"]) for one in events}
        assert found == {
            (f"Batch{state.title()}WebhookEvent", f"batch.{state}", batches[state]["id"])
            for state in ("completed", "failed", "cancelled")
        }
        webhook = await told_of(client, batches["completed"]["id"])
        assert (webhook["url"], webhook["event"], webhook["attempts"]) == (f"{host}/hook", "batch.completed", 1)
        expired = (await client.get(f"{BATCHES}/{batches['expired']['id']}")).json()["webhook"]
        assert (expired["event"], expired["status"]) == ("batch.expired", "pending")  # in an hour, by the true time
        assert [one["webhook"] is None for one in (await client.get(BATCHES)).json()["data"]] == [False] * 4


async def told_of(client: httpx.AsyncClient, batch_id: str) -> dict[str, Any]:
    """What the batch says of its event, once that has arrived."""
    async with asyncio.timeout(30):
        while (found := (await client.get(f"{BATCHES}/{batch_id}")).json()["webhook"])["status"] != "delivered":
            await asyncio.sleep(0.01)
    return found


async def test_where_no_webhook_can_be_sent_a_batch_with_one_is_refused(
    serve_batches: ServeBatches, engine: FakeEngine
) -> None:
    client = serve_batches(engine)
    source = await upload(client, jsonl(line("a", file_id="file-1")), "batch")
    wanted = {"completion_window": "24h", "endpoint": TRANSCRIPTIONS, "input_file_id": source}
    answer = await client.post(BATCHES, json=wanted | {"webhook_url": "https://hooks.example.com/"})
    assert error_of(answer) == (400, "unsupported_parameter", "webhook_url")
    assert (await client.post(BATCHES, json=wanted)).json()["webhook"] is None
