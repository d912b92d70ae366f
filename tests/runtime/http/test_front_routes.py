"""The servers' routes over a transcriber of somebody else's: forms and formats are theirs, and so is what is wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Message

from tests.fakes.engine import MULTILINGUAL, SPOKEN
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.errors import HttpError
from whisper_runtime.http.file_digest import HeadParser
from whisper_runtime.http.front_routes import FrontRoutes
from whisper_runtime.http.request_state import KEY, RequestState
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.rate_limits import RateLimits

NOT_KEPT: Final = HttpError(504, "nothing", code="not_cached")


class OneText:
    """A transcriber that has one text, or one refusal."""

    takes_urls = False

    def __init__(self, found: Transcription | HttpError) -> None:
        self._found = found

    async def transcribe(self, *_: Any, **__: Any) -> Transcription:
        if isinstance(self._found, HttpError):
            raise self._found
        return self._found


async def answer(found: Transcription | HttpError, path: str, **fields: str) -> Response | None:
    app = FrontRoutes(ServedModel(RuntimeConfig(model="base"), MULTILINGUAL), lambda _: OneText(found), HeadParser)
    sent = httpx.Request("POST", f"http://front{path}", files={"file": ("a.wav", b"x")}, data=fields)
    body: Message = {"type": "http.request", "body": sent.read(), "more_body": False}
    messages = iter((body,))

    async def receive() -> Message:
        return next(messages, None) or await asyncio.Future[Message]()

    headers = [(name.lower(), value) for name, value in sent.headers.raw]
    shares, rates = FairShare(), RateLimits(None, None)
    let_in = Admitted(shares.take("a", None), shares, rates, DiskQuota(1000, lambda: 1), 1000)
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    return await app.answer({**scope, "state": {KEY: RequestState("a", let_in)}}, receive)


def text_of(response: Response | None) -> str:
    assert response is not None
    assert response.status_code == 200
    return json.loads(bytes(response.body))["text"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/audio/transcriptions", {"model": "whisper-1"}),
        ("/v1/audio/translations", {"model": "whisper-1"}),
        ("/transcribe", {}),
    ],
)
async def test_each_route_that_takes_a_recording_is_there(path: str, fields: dict[str, str]) -> None:
    assert text_of(await answer(SPOKEN, path, **fields)) == "Ask not."
    assert await answer(NOT_KEPT, path, **fields) is None


async def test_a_client_that_has_to_wait_is_told_so() -> None:
    response = await answer(HttpError(429, "wait", code="rate_limit_exceeded"), "/transcribe")
    assert response is not None
    assert response.status_code == 429


@pytest.mark.parametrize(
    "wrong", [{"response_format": "pdf"}, {"model": "another"}, {"temperature": "9"}, {"prompt": "x" * 70_000}]
)
async def test_what_is_wrong_with_a_form_is_for_a_server_to_say(wrong: dict[str, str]) -> None:
    assert await answer(SPOKEN, "/v1/audio/transcriptions", **({"model": "whisper-1"} | wrong)) is None


async def test_no_other_route_is() -> None:
    assert await answer(SPOKEN, "/v1/models") is None
