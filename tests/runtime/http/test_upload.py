"""An upload is decoded as its client declares it, and its transcription ends as soon as the client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import IO, Any

import pytest
from starlette.types import Message

from tests.fakes.engine import FakeEngine, fake_decode
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import PartsOf, Start
from whisper_runtime.http.app import create_app
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.raw_audio import DeclaredType

FORM = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nspeech\r\n--x--\r\n'


async def test_a_client_that_hangs_up_frees_its_place(parts_of: PartsOf, engine: FakeEngine) -> None:
    engine.answer = None
    hung_up = asyncio.Event()
    messages: Iterator[Message] = iter([{"type": "http.request", "body": FORM}])
    sent: list[Message] = []

    async def receive() -> Message:
        for message in messages:
            return message
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    scope = {"type": "http", "method": "POST", "path": "/transcribe", "query_string": b"", "headers": headers}
    request = asyncio.create_task(create_app(parts_of())(scope, receive, send))
    await engine.until_submitted()
    hung_up.set()
    async with asyncio.timeout(10):
        await request
    assert engine.held[0].cancelled()
    assert sent[0]["status"] == 499


@pytest.mark.parametrize(
    ("name", "content_type", "declared"),
    [
        ("a.wav", "audio/wav", DeclaredType("audio/wav", "a.wav")),
        ("a.ul", "application/octet-stream", DeclaredType("application/octet-stream", "a.ul")),
        ("blob", "audio/L16;rate=16000", DeclaredType("audio/L16;rate=16000", "blob")),
    ],
)
async def test_the_decoder_is_told_the_declared_type_and_the_wanted_languages(
    start: Start, engine: FakeEngine, name: str, content_type: str, declared: DeclaredType
) -> None:
    told: list[dict[str, Any]] = []

    async def decode(media: IO[bytes], **wishes: Any) -> DecodedAudio:
        told.append({key: wishes[key] for key in ("languages", "declared")})
        return await fake_decode(media, **wishes)

    client = start(fake_parts(engine, decode))
    for path, fields in (
        ("/transcribe", {}),
        ("/transcribe", {"language": "German"}),
        ("/v1/audio/transcriptions", {"model": "base", "languages[]": ["de", "fr"]}),
    ):
        answer = await client.post(path, files={"file": (name, b"speech", content_type)}, data=fields)
        assert answer.status_code == 200
    assert told == [{"languages": wanted, "declared": declared} for wanted in ((), ("de",), ("de", "fr"))]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/transcribe", {}),
        *[
            (f"/v1/audio/{task}", {"model": "base", "response_format": response_format})
            for task in ("transcriptions", "translations")
            for response_format in ("json", "srt", "verbose_json")
        ],
        ("/v1/audio/transcriptions", {"model": "base", "stream": "true"}),
    ],
)
async def test_an_answer_names_the_track_that_was_taken(start: Start, path: str, fields: dict[str, str]) -> None:
    client = start(cors_allow_origins=["*"])
    files, page = {"file": ("track.opus", b"speech", "audio/ogg")}, {"Origin": "https://page.example"}
    answer = await client.post(path, files=files, data=fields, headers=page)
    assert answer.headers["x-audio-track"] == '0; codec="opus"; layout="mono"; language="eng"'
    assert "X-Audio-Track" in answer.headers["access-control-expose-headers"]


async def test_where_the_track_is_not_known_none_is_named(start: Start) -> None:
    for content, status in ((b"speech", 200), (b"noise", 400)):
        answer = await start().post("/transcribe", files={"file": ("a", content)})
        assert (answer.status_code, "x-audio-track" in answer.headers) == (status, False)
