"""The servers' routes over a transcriber of somebody else's: forms, formats and errors are theirs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fakes.engine import MULTILINGUAL, SPOKEN
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.errors import HttpError
from whisper_runtime.http.kept_app import create_kept_app
from whisper_runtime.http.request_state import KEY, RequestState
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.rate_limits import RateLimits


class OneText:
    """A transcriber that has one text, or none."""

    takes_urls = False

    def __init__(self, found: Transcription | None) -> None:
        self._found = found

    async def transcribe(self, *_: Any, **__: Any) -> Transcription:
        if self._found is None:
            raise HttpError(504, "nothing", code="not_cached")
        return self._found


async def answer(found: Transcription | None, path: str, **fields: str) -> httpx.Response:
    app = create_kept_app(ServedModel(RuntimeConfig(model="base"), MULTILINGUAL), lambda _: OneText(found))
    shares, rates = FairShare(), RateLimits(None, None)

    async def admitted(scope: Any, receive: Any, send: Any) -> None:
        let_in = Admitted(shares.take("a", None), shares, rates, DiskQuota(1000, lambda: 1), 1000)
        await app({**scope, "state": {KEY: RequestState("a", let_in)}}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(admitted), base_url="http://front") as client:
        return await client.post(path, files={"file": ("a.wav", b"x")}, data=fields)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/audio/transcriptions", {"model": "whisper-1"}),
        ("/v1/audio/translations", {"model": "whisper-1"}),
        ("/transcribe", {}),
    ],
)
async def test_each_route_that_takes_a_recording_is_there(path: str, fields: dict[str, str]) -> None:
    assert (await answer(SPOKEN, path, **fields)).json()["text"] == "Ask not."
    assert (await answer(None, path, **fields)).status_code == 504


async def test_a_wrong_field_is_refused_as_by_a_server() -> None:
    refused = await answer(SPOKEN, "/v1/audio/transcriptions", model="whisper-1", response_format="pdf")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "response_format")


async def test_no_other_route_is() -> None:
    assert (await answer(SPOKEN, "/v1/models")).status_code == 404
