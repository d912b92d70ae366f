"""A client that prefers not to wait gets a job, and from it what it would have got by waiting."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine, fake_decode
from tests.fakes.mirror import Mirror, serving, whole
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import speech
from tests.runtime.http.conftest import Serve
from whisper_runtime.http.app import create_app
from whisper_runtime.media.film import DecodedAudio

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
ASYNC = {"Prefer": "respond-async"}
IN_TIME = {"Prefer": "respond-async, wait=20"}
KEY = {"Idempotency-Key": "a"}
MODEL = {"model": "base"}
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")


async def submit(client: httpx.AsyncClient, seconds: float = 2.5, **fields: Any) -> httpx.Response:
    headers = {**ASYNC, **fields.pop("headers", {})}
    return await client.post(TRANSCRIPTIONS, files=speech(seconds), data={**MODEL, **fields}, headers=headers)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_job_from_its_upload_to_its_content(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    answer = await submit(client, 10, **{"metadata[meeting]": "7", "user": "u"})
    job = answer.json()
    assert answer.status_code == 202
    assert re.fullmatch("tr_[0-9a-f]{32}", job["id"])
    assert answer.headers["location"] == f"{TRANSCRIPTIONS}/{job['id']}"
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["x-ignored-fields"] == "user"
    assert (job["object"], job["task"], job["response_format"]) == ("audio.transcription", "transcribe", "json")
    assert (job["audio_seconds"], job["metadata"]) == (10, {"meeting": "7"})

    await engine.until_submitted()
    assert code(await client.get(f"{answer.headers['location']}/content")) == (409, "job_not_completed")
    engine.emit(SEGMENT)
    running = (await client.get(answer.headers["location"])).json()
    assert (running["status"], running["expires_at"]) == ("in_progress", None)
    assert running["progress"] | {"done_seconds": 0} == {
        "done_seconds": 0,
        "total_seconds": 10,
        "queue_position": None,
        "eta_seconds": 1,
        "stage": "transcribing",
    }

    engine.held[0].set_result(SPOKEN)
    done = (await client.get(answer.headers["location"], params={"wait": 20})).json()
    assert (done["status"], done["progress"]["done_seconds"], done["error"]) == ("completed", 10, None)
    assert done["expires_at"] == done["ended_at"] + 24 * 3600
    content = await client.get(f"{answer.headers['location']}/content")
    assert (content.status_code, content.json()["text"]) == (200, "Ask not.")


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
@pytest.mark.parametrize(
    "fields",
    [
        *({"response_format": one} for one in FORMATS),
        {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]},
        {"response_format": "verbose_json", "include[]": "language_probability"},
        {"include[]": "logprobs"},
        {"response_format": "srt", "max_words_per_line": "1"},
        {"response_format": "verbose_json", "user": "u"},
    ],
)
async def test_content_is_byte_for_byte_the_answer_without_a_job(
    serve: Serve, path: str, fields: dict[str, Any]
) -> None:
    client = serve()
    form: dict[str, Any] = {"files": speech(), "data": {**MODEL, **fields}}
    plain = await client.post(path, **form)
    if plain.status_code != 200:
        assert path == TRANSLATIONS
        assert (await client.post(path, headers=ASYNC, **form)).content == plain.content
        return
    in_time = await client.post(path, headers=IN_TIME, **form)
    later = await client.get(in_time.headers["content-location"])
    for answer in (in_time, later):
        assert (answer.status_code, answer.content) == (200, plain.content)
        assert answer.headers["content-type"] == plain.headers["content-type"]
    assert in_time.headers["preference-applied"] == "respond-async, wait=20"
    assert in_time.headers.get("x-ignored-fields") == plain.headers.get("x-ignored-fields")


async def test_one_run_has_every_format(serve: Serve, engine: FakeEngine) -> None:
    client = serve()
    path = (await submit(client, **{"response_format": "srt"})).headers["location"]
    await client.get(path, params={"wait": 20})
    for one in FORMATS:
        plain = await client.post(TRANSCRIPTIONS, files=speech(), data={**MODEL, "response_format": one})
        runs = len(engine.asked)
        later = await client.get(f"{path}/content", params={"response_format": one})
        assert (later.status_code, later.content) == (200, plain.content)
        assert later.headers["content-type"] == plain.headers["content-type"]
        assert len(engine.asked) == runs
    refused = await client.get(f"{path}/content", params={"response_format": "docx"})
    assert code(refused) == (400, "invalid_value")
    assert refused.json()["error"]["param"] == "response_format"


async def test_channels_and_speech_are_as_without_a_job(serve: Serve, engine: FakeEngine) -> None:
    client = serve()
    fields = {**MODEL, "channels": "separate", "vad_filter": "false", "response_format": "verbose_json"}
    form: dict[str, Any] = {"files": {"file": b"speech 3 silence 3"}, "data": fields}
    plain = await client.post(TRANSCRIPTIONS, **form)
    job = await client.post(TRANSCRIPTIONS, headers=IN_TIME, **form)
    assert (job.status_code, job.content) == (200, plain.content)
    assert job.json()["segments"][0]["channel"] == 0
    assert engine.num_samples == [48_000, 48_000]


@pytest.mark.parametrize("headers", [{}, {"Prefer": "wait=5"}, {"Prefer": "return=minimal"}])
async def test_who_does_not_prefer_it_waits(serve: Serve, headers: dict[str, str]) -> None:
    answer = await serve().post(TRANSCRIPTIONS, files=speech(), data=MODEL, headers=headers)
    assert (answer.status_code, "preference-applied" in answer.headers) == (200, False)


async def test_where_no_jobs_are_kept_the_preference_is_ignored(engine: FakeEngine) -> None:
    transport = httpx.ASGITransport(create_app(fake_parts(engine)))
    async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as client:
        answer = await submit(client, 2.5, **{"metadata[a]": "b"})
        assert (answer.status_code, "preference-applied" in answer.headers) == (200, False)
        assert answer.headers["x-ignored-fields"] == "metadata[a]"
        assert (await client.get(TRANSCRIPTIONS)).status_code == 405
        assert (await client.get(f"{TRANSCRIPTIONS}/tr_1")).status_code == 404
        assert engine.in_background == [False]


async def test_who_waits_in_vain_gets_the_job(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    answer = await submit(client, headers={"Prefer": "respond-async, wait=1"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async, wait=1")
    assert (await client.get(answer.headers["location"], params={"wait": 1})).json()["status"] == "in_progress"


@pytest.mark.parametrize("wait", ["-1", "61", "x", "1.5"])
async def test_a_wait_out_of_bounds_is_refused(serve: Serve, wait: str) -> None:
    assert code(await serve().get(f"{TRANSCRIPTIONS}/tr_1", params={"wait": wait})) == (400, "invalid_value")


@pytest.mark.parametrize(
    ("file", "fields", "wanted"),
    [
        (b"noise", {}, (400, "not_audio")),
        (b"", {}, (400, "empty_file")),
        (b"speech 99999", {}, (413, "audio_too_long")),
        (b"speech", {"language": "xx"}, (400, "invalid_value")),
        (b"speech", {"model": "other"}, (404, "model_not_found")),
        (b"speech", {"stream": "true"}, (400, "invalid_value")),
        (b"speech", {f"metadata[{'n' * 65}]": "x"}, (400, "invalid_value")),
        (b"speech", {"metadata[a]": "x" * 513}, (400, "invalid_value")),
        (b"speech", {"metadata[]": "x"}, (400, "invalid_value")),
        (b"speech", {f"metadata[{n}]": "x" for n in range(17)}, (400, "invalid_value")),
    ],
)
async def test_what_cannot_be_done_is_refused_and_becomes_no_job(
    serve: Serve, file: bytes, fields: dict[str, str], wanted: tuple[int, str]
) -> None:
    client = serve()
    answer = await client.post(TRANSCRIPTIONS, files={"file": file}, data={**MODEL, **fields}, headers=ASYNC)
    assert code(answer) == wanted
    assert (await client.get(TRANSCRIPTIONS)).json()["data"] == []


async def test_a_recording_that_takes_longer_than_a_request_may_is_taken(serve: Serve, engine: FakeEngine) -> None:
    """And the refusal without a job says how."""
    engine.row_speed = 1.0
    client = serve(request_timeout_seconds=300)
    refused = await client.post(TRANSCRIPTIONS, files=speech(10_000), data=MODEL)
    assert code(refused) == (503, "audio_too_long_now")
    assert "`Prefer: respond-async`" in refused.json()["error"]["message"]
    assert (await submit(client, 10_000)).status_code == 202


async def test_a_full_queue_of_requests_keeps_no_job_back(serve: Serve, engine: FakeEngine) -> None:
    engine.free_rows, engine.queued_audio_seconds = 0, 10_000
    client = serve()
    assert code(await client.post(TRANSCRIPTIONS, files=speech(), data=MODEL)) == (429, "queue_full")
    answer = await submit(client)
    assert answer.status_code == 202
    assert (await client.post(f"{answer.headers['location']}/cancel")).status_code == 200


async def test_the_same_key_is_the_same_job(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    key = {"Idempotency-Key": "a" * 255}
    first, again = await submit(client, headers=key), await submit(client, headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    others: list[tuple[float, dict[str, str]]] = [(3, {}), (2.5, {"language": "de"}), (2.5, {"metadata[a]": "b"})]
    for seconds, other in others:
        assert code(await submit(client, seconds, headers=key, **other)) == (422, "idempotency_key_reused")
    assert (await submit(client, headers={"Idempotency-Key": "b"})).json()["id"] != first.json()["id"]
    await engine.until_submitted()
    engine.held[0].set_result(SPOKEN)
    done = await submit(client, headers={**IN_TIME, **key})
    assert (done.status_code, done.json()["text"]) == (200, "Ask not.")


async def test_the_same_key_while_its_request_is_being_received_waits(serve: Serve, engine: FakeEngine) -> None:
    """As the draft of the header has it; OpenAI's clients repeat a 409."""
    engine.answer = None
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow_decode(media: Any, **options: Any) -> DecodedAudio:
        begun.set()
        await may_go_on.wait()
        return await fake_decode(media, **options)

    client = serve(decode=slow_decode)
    first = asyncio.create_task(submit(client, headers=KEY))
    await begun.wait()
    refused = await submit(client, headers=KEY)
    assert (code(refused), refused.headers["retry-after"]) == ((409, "idempotency_key_in_use"), "1")
    may_go_on.set()
    accepted = await first
    assert (await submit(client, headers={"Idempotency-Key": "b"})).status_code == 202
    assert (await submit(client, headers=KEY)).json()["id"] == accepted.json()["id"]


async def test_a_recording_by_url_is_fetched_once_and_becomes_a_job(serve: Serve, engine: FakeEngine) -> None:
    with serving(Mirror(b"speech 10", [whole])) as server:
        host = f"http://localhost:{httpx.URL(server.url).port}"
        client = serve(audio_url_allowed_hosts=(host,), audio_url_private_networks=("127.0.0.0/8", "::1"))
        answers = [
            await client.post(TRANSCRIPTIONS, data={**MODEL, "url": f"{host}/{path}"}, headers={**IN_TIME, **KEY})
            for path in ("a.mp3", "a.mp3", "b.mp3")
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 422]
        assert (engine.num_samples, len(server.requests)) == ([160_000], 1)


@pytest.mark.parametrize("key", ["", "a" * 256])
async def test_a_key_has_bounds(serve: Serve, key: str) -> None:
    assert code(await submit(serve(), headers={"Idempotency-Key": key})) == (400, "invalid_value")


async def test_a_client_has_its_own_jobs_alone(serve: Serve, keys_of_ann_and_bob: str) -> None:
    client = serve(api_keys_dir=keys_of_ann_and_bob)
    ann, bob = ({"Authorization": f"Bearer key of {name}"} for name in ("ann", "bob"))
    answer = await submit(client, headers={**ann, "Idempotency-Key": "k"})
    path = answer.headers["location"]
    await client.get(path, headers=ann, params={"wait": 20})
    for method, suffix in (("GET", ""), ("GET", "/content"), ("POST", "/cancel"), ("DELETE", "")):
        assert code(await client.request(method, f"{path}{suffix}", headers=bob)) == (404, "job_not_found")
        assert (await client.request(method, f"{path}{suffix}")).status_code == 401
        unknown = f"{TRANSCRIPTIONS}/tr_unknown{suffix}"
        assert code(await client.request(method, unknown, headers=ann)) == (404, "job_not_found")
    assert (await client.get(TRANSCRIPTIONS, headers=bob)).json()["data"] == []
    assert (await submit(client, headers={**bob, "Idempotency-Key": "k"})).headers["location"] != path
    assert (await client.get(f"{path}/content", headers=ann)).status_code == 200


async def test_a_list_has_pages(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    ids = [(await submit(client)).json()["id"] for _ in range(3)][::-1]
    first = (await client.get(TRANSCRIPTIONS, params={"limit": 2})).json()
    assert [job["id"] for job in first["data"]] == ids[:2]
    assert (first["object"], first["first_id"], first["last_id"], first["has_more"]) == ("list", *ids[:2], True)
    second = (await client.get(TRANSCRIPTIONS, params={"limit": 2, "after": first["last_id"]})).json()
    assert ([job["id"] for job in second["data"]], second["has_more"]) == (ids[2:], False)
    await client.post(f"{TRANSCRIPTIONS}/{ids[0]}/cancel")
    cancelled = (await client.get(TRANSCRIPTIONS, params={"status": "cancelled"})).json()
    assert [job["id"] for job in cancelled["data"]] == ids[:1]
    for wrong in ({"limit": 0}, {"limit": 101}, {"status": "lost"}, {"after": "x" * 65}):
        assert (await client.get(TRANSCRIPTIONS, params=wrong)).status_code == 400
    assert code(await client.get(TRANSCRIPTIONS, params={"after": "tr_x"})) == (404, "job_not_found")


async def test_a_job_in_the_queue_has_its_place(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    await submit(client)
    await engine.until_submitted()
    answers = [await submit(client, 100) for _ in range(2)]
    found = [(await client.get(one.headers["location"])).json()["progress"] for one in answers]
    assert [(one["queue_position"], one["eta_seconds"]) for one in found] == [(0, 10), (1, 20)]
    assert [one.headers["retry-after"] for one in answers] == ["10", "20"]


async def test_a_running_job_that_is_cancelled_leaves_the_engine(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    path = (await submit(client)).headers["location"]
    await engine.until_submitted()
    cancelled = await client.post(f"{path}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    await engine.until_cancelled()
    assert (await client.post(f"{path}/cancel")).json() == cancelled.json()
    assert code(await client.get(f"{path}/content")) == (409, "job_not_completed")


async def test_a_deleted_job_is_gone(serve: Serve, engine: FakeEngine, tmp_path: Path) -> None:
    client = serve()
    answer = await submit(client)
    path = answer.headers["location"]
    await client.get(path, params={"wait": 20})
    deleted = await client.delete(path)
    assert deleted.json() == {"id": answer.json()["id"], "object": "audio.transcription.deleted", "deleted": True}
    for method, suffix in (("GET", ""), ("GET", "/content"), ("POST", "/cancel"), ("DELETE", "")):
        assert code(await client.request(method, f"{path}{suffix}")) == (410, "job_gone")
    assert list((tmp_path / "jobs" / "files").iterdir()) == []
    assert (await client.get(TRANSCRIPTIONS)).json()["data"] == []


async def test_who_waits_for_a_job_that_fails_gets_its_error(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = RuntimeError("a bug")
    client = serve()
    answer = await submit(client, headers=IN_TIME)
    assert code(answer) == (500, "internal_error")
    (job,) = (await client.get(TRANSCRIPTIONS)).json()["data"]
    assert (job["status"], job["attempts"], job["error"]) == ("failed", 3, answer.json()["error"])


async def test_a_client_that_has_enough_queued_is_told_when_to_come_again(serve: Serve, engine: FakeEngine) -> None:
    """At the fake engine's speed, ten seconds of audio in a second; and what is refused costs the client nothing."""
    engine.answer = None
    engine.free_rows = 0
    client = serve(jobs_max_queued_audio_seconds=600, audio_minutes_per_hour=60)
    await submit(client, 5)
    await engine.until_submitted()
    assert (await submit(client, 500)).status_code == 202
    refused = await submit(client, 300)
    assert code(refused) == (429, "job_quota_reached")
    assert (refused.headers["retry-after"], "x-should-retry" in refused.headers) == ("20", False)
    assert (await submit(client, 100)).status_code == 202
    decoded = engine.num_samples
    assert code(await submit(client, 1)) == (429, "job_quota_reached")
    assert engine.num_samples == decoded


async def test_a_full_store_names_the_remedy(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve(jobs_max_bytes=15_000)
    accepted = await submit(client)
    full = await submit(client, 60)
    assert code(full) == (507, "job_store_full")
    assert "delete jobs" in full.json()["error"]["message"]
    assert full.headers["x-should-retry"] == "false"
    await client.delete(accepted.headers["location"])
    await engine.until_submitted()
    assert (await client.get(TRANSCRIPTIONS)).json()["data"] == []


async def test_a_page_of_another_origin_may_follow_its_job(serve: Serve) -> None:
    client = serve(cors_allow_origins=["*"])
    page = {"Origin": "https://page.example"}
    exposed = (await submit(client, headers=page)).headers["access-control-expose-headers"]
    assert {"Location", "Content-Location", "Preference-Applied", "Retry-After"} <= set(exposed.split(", "))
    asked = {**page, "Access-Control-Request-Method": "DELETE"}
    assert (await client.options(f"{TRANSCRIPTIONS}/tr_1", headers=asked)).status_code == 200


async def test_no_text_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        await submit(serve(), headers=IN_TIME, prompt="secret prompt")
    assert "Ask not" not in caplog.text
    assert "secret prompt" not in caplog.text
