"""What is known is answered without the model, and what is asked for at once is computed once."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import IO, Any, Final

import httpx
import pytest

from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine, fake_decode
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import Start
from whisper_runtime.engine.interface import OutOfMemory
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import HttpError
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.service.audio_loading import MediaFile
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.result_cache.cached_transcriber import CachedTranscriber
from whisper_runtime.service.result_cache.directives import NO_DIRECTIVES

PATH: Final = "/v1/audio/transcriptions"
ROOM: Final = 1024**2
LATER = replace(SEGMENT, id=1, text=" What your country can do.")
LONGER = replace(SPOKEN, text=" Ask not. What your country can do.", segments=(SEGMENT, LATER))


class CountedDecoder:
    """The fake decoder, which counts, and waits while it is told to."""

    def __init__(self) -> None:
        self.files = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, media: IO[bytes], **wishes: Any) -> DecodedAudio:
        self.files += 1
        await self.may_go_on.wait()
        return await fake_decode(media, **wishes)


@pytest.fixture
def decoder() -> CountedDecoder:
    return CountedDecoder()


def parts_with(engine: FakeEngine, decoder: CountedDecoder, **config: Any) -> RuntimeParts:
    return fake_parts(engine, decoder, result_cache_max_bytes=ROOM, **config)


@pytest.fixture
def parts(engine: FakeEngine, decoder: CountedDecoder) -> RuntimeParts:
    return parts_with(engine, decoder)


@pytest.fixture
def client(start: Start, parts: RuntimeParts) -> httpx.AsyncClient:
    return start(parts)


async def post(
    client: httpx.AsyncClient, content: bytes = b"speech 5", *, name: str = "a.wav", cache: str = "", **fields: Any
) -> httpx.Response:
    """A transcription; `cache` is its Cache-Control."""
    file = {"file": (name, content, "audio/wav")}
    headers = {"Cache-Control": cache} if cache else {}
    return await client.post(PATH, files=file, data={"model": "whisper-1"} | fields, headers=headers)


def status(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.headers["cache-status"]


def counted(parts: RuntimeParts, name: str, **labels: str) -> float | None:
    return parts.metrics.registry.get_sample_value(name, labels)


async def test_the_same_bytes_are_answered_without_decoder_and_model(
    client: httpx.AsyncClient, engine: FakeEngine, decoder: CountedDecoder
) -> None:
    first, second = await post(client), await post(client)
    assert (first.content, status(first)) == (second.content, "whisper; fwd=miss; stored")
    assert status(second).startswith("whisper; hit; ttl=86")
    assert second.headers["age"] == "0"
    assert (decoder.files, len(engine.asked)) == (1, 1)


async def test_the_same_audio_in_another_file_is_answered_without_the_model(
    client: httpx.AsyncClient, engine: FakeEngine, decoder: CountedDecoder
) -> None:
    await post(client, b"speech 5", name="a.wav")
    assert status(await post(client, b"speech 5.0", name="b.mp3")).startswith("whisper; hit")
    assert status(await post(client, b"speech 5.0", name="c")).startswith("whisper; hit")
    assert (decoder.files, len(engine.asked)) == (2, 1)


async def test_one_run_is_answered_in_every_format(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    await post(client)
    for response_format in ("text", "srt", "vtt", "verbose_json"):
        assert status(await post(client, response_format=response_format)).startswith("whisper; hit")
    assert len(engine.asked) == 1


async def test_a_hit_has_the_track_that_was_decoded(client: httpx.AsyncClient) -> None:
    first, second = await post(client, name="track.wav"), await post(client, name="track.wav")
    assert first.headers["x-audio-track"] == second.headers["x-audio-track"]


@pytest.mark.parametrize("fields", [{"language": "de"}, {"prompt": "Kennedy"}, {"vad_filter": "true"}])
async def test_what_changes_the_text_is_transcribed(
    client: httpx.AsyncClient, engine: FakeEngine, fields: dict[str, str]
) -> None:
    await post(client)
    again = await client.post(PATH, files={"file": ("a.wav", b"speech 5")}, data={"model": "whisper-1"} | fields)
    assert status(again) == "whisper; fwd=miss; stored"


async def test_a_kept_stream_has_the_events_of_the_first_one(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.answer = LONGER
    first, second = await post(client, stream="true"), await post(client, stream="true")
    assert status(second).startswith("whisper; hit")
    assert first.content == second.content
    assert first.text.count("transcript.text.delta") == 2


async def test_a_stream_is_kept_of_a_request_that_was_none(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.answer = LONGER
    await post(client)
    assert (await post(client, stream="true")).text.count("transcript.text.delta") == 2


async def test_ten_clients_that_send_the_same_at_once_cost_one_decoding_and_one_transcription(
    client: httpx.AsyncClient, parts: RuntimeParts, engine: FakeEngine, decoder: CountedDecoder
) -> None:
    engine.answer = None
    decoder.may_go_on.clear()
    posts = [asyncio.create_task(post(client, stream="true" if number % 2 else "false")) for number in range(10)]
    decoder.may_go_on.set()
    await engine.until_submitted()
    await until_outcomes(parts, miss=1, join=9)
    engine.emit(SEGMENT)
    engine.emit(LATER)
    engine.held[0].set_result(LONGER)
    answers = await asyncio.gather(*posts)
    assert (decoder.files, len(engine.held)) == (1, 1)
    assert [status(one) for one in answers].count("whisper; fwd=miss; collapsed") == 9
    assert len({one.content for one in answers[::2]}) == len({one.content for one in answers[1::2]}) == 1
    assert counted(parts, "whisper_transcription_total", language="en", model="base") == 1
    assert counted(parts, "whisper_result_cache_saved_audio_seconds_total") == 9 * SPOKEN.audio_seconds
    assert counted(parts, "whisper_result_cache_saved_model_seconds_total") == 9 * SPOKEN.audio_seconds / engine.speed


async def test_who_waits_for_the_decoding_of_the_same_waits_for_no_row(
    client: httpx.AsyncClient, parts: RuntimeParts, decoder: CountedDecoder
) -> None:
    decoder.may_go_on.clear()
    posts = [asyncio.create_task(post(client)) for _ in range(10)]
    async with asyncio.timeout(10):
        while counted(parts, "whisper_requests_in_flight") < 10 or parts.admission.shares.coming()[0] != 1:
            await asyncio.sleep(0)
    decoder.may_go_on.set()
    assert {answer.status_code for answer in await asyncio.gather(*posts)} == {200}
    assert parts.admission.shares.coming() == (0, 0)


async def until_outcomes(parts: RuntimeParts, **outcomes: int) -> None:
    """Waits until so many requests had these outcomes."""
    async with asyncio.timeout(10):
        while any(
            counted(parts, "whisper_result_cache_requests_total", outcome=name) != count
            for name, count in outcomes.items()
        ):
            await asyncio.sleep(0)


async def test_a_stream_that_joins_late_gets_all_that_was_there_before_byte_by_byte(
    client: httpx.AsyncClient, parts: RuntimeParts, engine: FakeEngine
) -> None:
    engine.answer = None
    first = asyncio.create_task(post(client, stream="true"))
    await engine.until_submitted()
    engine.emit(SEGMENT)
    second = asyncio.create_task(post(client, stream="true"))
    await until_outcomes(parts, join=1)
    engine.emit(LATER)
    engine.held[0].set_result(LONGER)
    assert (await first).content == (await second).content
    assert (await first).text.count("transcript.text.delta") == 2


async def test_who_joins_goes_on_when_who_began_has_left(
    client: httpx.AsyncClient, parts: RuntimeParts, engine: FakeEngine
) -> None:
    engine.answer = None
    first = asyncio.create_task(post(client))
    await engine.until_submitted()
    second = asyncio.create_task(post(client))
    await until_outcomes(parts, join=1)
    first.cancel()
    await asyncio.wait({first})
    assert not engine.held[0].cancelled()
    assert parts.admission.shares.coming() == (0, 0)
    assert parts.admission.disk.used > 0  # the recording is there until the flight's end
    engine.held[0].set_result(SPOKEN)
    assert status(await second) == "whisper; fwd=miss; collapsed"
    await asyncio.sleep(0)
    assert (parts.admission.disk.used, parts.admission.shares.oldest_wait) == (0, 0)


async def test_the_work_ends_with_the_last_client_and_is_begun_anew_by_the_next(
    client: httpx.AsyncClient, parts: RuntimeParts, engine: FakeEngine
) -> None:
    engine.answer = None
    posts = {asyncio.create_task(post(client)) for _ in range(2)}
    await until_outcomes(parts, miss=1, join=1)
    for one in posts:
        one.cancel()
    await asyncio.wait(posts)
    await engine.until_cancelled()
    assert (parts.admission.disk.used, parts.admission.shares.oldest_wait) == (0, 0)
    engine.answer = SPOKEN
    assert status(await post(client)) == "whisper; fwd=miss; stored"


async def test_the_time_of_one_who_waits_is_not_that_of_another(parts: RuntimeParts, engine: FakeEngine) -> None:
    engine.answer = None
    first = asyncio.create_task(transcribed(parts, seconds=0.1))
    await engine.until_submitted()
    second = asyncio.create_task(transcribed(parts, seconds=60))
    await until_outcomes(parts, join=1)
    with pytest.raises(HttpError) as error:
        await first
    assert error.value.body["code"] == "request_timeout"
    engine.held[0].set_result(SPOKEN)
    assert await second == SPOKEN


async def transcribed(parts: RuntimeParts, seconds: float) -> Transcription:
    """The transcription of alice's file, which may take so many seconds."""
    assert parts.results is not None
    transcriber = replace(parts.transcriber, request_timeout=seconds)
    with parts.admission.at_the_door("alice", 8) as admitted:
        cached = CachedTranscriber(transcriber, parts.results, NO_DIRECTIVES, "f" * 64)
        return await cached.transcribe(MediaFile(io.BytesIO(b"speech 1")), admitted, Options())


async def test_what_cannot_be_decoded_is_decoded_by_each_who_sends_it(
    client: httpx.AsyncClient, engine: FakeEngine, decoder: CountedDecoder
) -> None:
    answers = await asyncio.gather(*(post(client, b"<html>") for _ in range(3)))
    assert [one.json()["error"]["code"] for one in answers] == ["not_audio"] * 3
    assert decoder.files == 3


async def test_an_error_of_the_model_is_not_kept(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.answer = OutOfMemory()
    assert (await post(client)).status_code == 503
    engine.answer = SPOKEN
    assert status(await post(client)) == "whisper; fwd=miss; stored"


async def test_what_a_fallback_has_sampled_is_not_kept(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.answer = replace(SPOKEN, is_sampled=True)
    assert [status(await post(client)) for _ in range(2)] == ["whisper; fwd=miss"] * 2


async def test_what_is_to_be_sampled_is_neither_kept_nor_joined(
    client: httpx.AsyncClient, parts: RuntimeParts, engine: FakeEngine
) -> None:
    engine.answer = None
    posts = [asyncio.create_task(post(client, temperature="0.5")) for _ in range(2)]
    await engine.until_submitted(2)
    for future in engine.held:
        future.set_result(SPOKEN)
    assert [status(await one) for one in posts] == ["whisper; fwd=bypass"] * 2
    assert counted(parts, "whisper_result_cache_bytes") == 0


async def test_nothing_is_kept_before_the_models_digest_is_known(
    client: httpx.AsyncClient, parts: RuntimeParts, engine: FakeEngine
) -> None:
    parts.model.info = replace(parts.model.info, digest=None)
    assert [status(await post(client)) for _ in range(2)] == ["whisper; fwd=bypass"] * 2


async def test_no_store_keeps_nothing_and_is_joined_by_nobody(
    client: httpx.AsyncClient, parts: RuntimeParts, engine: FakeEngine
) -> None:
    assert status(await post(client, cache="no-store")) == "whisper; fwd=bypass"
    assert counted(parts, "whisper_result_cache_bytes") == 0
    engine.answer = None
    posts = [asyncio.create_task(post(client, cache=cache)) for cache in ("no-store", "")]
    await engine.until_submitted(3)
    for future in engine.held[1:]:
        future.set_result(SPOKEN)
    assert {status(await one) for one in posts} == {"whisper; fwd=bypass", "whisper; fwd=miss; stored"}


async def test_no_cache_takes_nothing_that_was_begun_before_and_replaces_it(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    await post(client)
    engine.answer = replace(SPOKEN, text=" Ask.")
    assert status(await post(client, cache="no-cache")) == "whisper; fwd=request; stored"
    assert (await post(client)).json()["text"] == "Ask."
    engine.answer = None
    running = asyncio.create_task(post(client, language="de"))
    await engine.until_submitted(3)
    anew = asyncio.create_task(post(client, language="de", cache="no-cache"))
    await engine.until_submitted(4)
    for future in engine.held[2:]:
        future.set_result(SPOKEN)
    await asyncio.gather(running, anew)


async def test_only_if_cached_transcribes_nothing(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    refused = await post(client, cache="only-if-cached")
    assert (refused.status_code, refused.json()["error"]["code"]) == (504, "not_cached")
    assert refused.headers["x-should-retry"] == "false"
    await post(client)
    assert status(await post(client, cache="only-if-cached")).startswith("whisper; hit")
    sampled = await post(client, cache="only-if-cached", temperature="1")
    assert (sampled.status_code, len(engine.asked)) == (504, 1)


async def test_an_age_may_be_too_high(client: httpx.AsyncClient) -> None:
    await post(client)
    assert status(await post(client, cache="min-fresh=86400")) == "whisper; fwd=miss; stored"
    assert status(await post(client, cache="max-age=60")).startswith("whisper; hit")


@pytest.mark.parametrize(("scope", "found"), [("client", "whisper; fwd=miss"), ("service", "whisper; hit")])
async def test_a_client_gets_what_others_sent_where_the_service_says_so_alone(
    engine: FakeEngine, decoder: CountedDecoder, start: Start, tmp_path: Any, scope: str, found: str
) -> None:
    for name in ("alice", "bob"):
        (tmp_path / name).write_text(f"key-of-{name}")
    client = start(parts_with(engine, decoder, api_keys_dir=str(tmp_path), result_cache_scope=scope))
    client.headers["Authorization"] = "Bearer key-of-alice"
    await post(client)
    client.headers["Authorization"] = "Bearer key-of-bob"
    assert status(await post(client)).startswith(found)
    assert decoder.files == (2 if scope == "client" else 1)  # or the time would tell who sent it before


async def test_a_hit_is_a_request_and_no_audio(start: Start, engine: FakeEngine, decoder: CountedDecoder) -> None:
    client = start(parts_with(engine, decoder, requests_per_minute=10, audio_minutes_per_hour=1))
    await post(client)
    hit = await post(client)
    assert hit.headers["x-ratelimit-remaining-requests"] == "8"
    assert hit.headers["x-ratelimit-remaining-audio-seconds"] == "55"


async def test_a_hit_needs_no_place_in_the_queue(start: Start, engine: FakeEngine, decoder: CountedDecoder) -> None:
    """The queue fills up while the file comes."""
    client = start(parts_with(engine, decoder, max_queued_audio_seconds=60))
    await post(client)

    async def slow_body() -> AsyncGenerator[bytes]:
        boundary = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--x\r\n'
        yield boundary + b'content-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nspeech 5\r\n'
        engine.queued_audio_seconds = 1000.0
        yield b"--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    hit = await client.post(PATH, content=slow_body(), headers=headers)
    assert status(hit).startswith("whisper; hit")


async def test_without_a_cache_nothing_of_this_is_there(start: Start, engine: FakeEngine) -> None:
    client = start()
    for _ in range(2):
        answer = await post(client, cache="only-if-cached")
        assert (answer.status_code, answer.headers.get("cache-status")) == (200, None)
    assert len(engine.asked) == 2
