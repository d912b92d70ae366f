"""A form asks for events exactly where a server takes it for one that does."""

from __future__ import annotations

import io

import httpx
import pytest
from pydantic import ValidationError

from whisper_runtime.front.wanted_stream import asks_for_stream
from whisper_runtime.http.openai.forms import TranscriptionForm


def form(content: bytes = b"speech", **fields: str) -> tuple[io.BytesIO, str]:
    request = httpx.Request("POST", "http://speech", files={"file": content}, data=fields)
    return io.BytesIO(request.read()), request.headers["content-type"]


@pytest.mark.parametrize(
    "stream", ["true", "True", "TRUE", "1", "yes", "on", "t", "y", "false", "0", "no", "off", "", "2"]
)
@pytest.mark.parametrize("response_format", [None, "json", "text", "srt", "vtt", "verbose_json"])
def test_it_reads_the_form_as_a_server_does(stream: str, response_format: str | None) -> None:
    fields = {"stream": stream} | ({"response_format": response_format} if response_format else {})
    try:
        wanted = TranscriptionForm.model_validate({"model": "base"} | fields).is_streamed
    except ValidationError:
        wanted = False
    assert asks_for_stream(*form(**fields)) is wanted


def test_a_file_may_hold_what_looks_like_a_field() -> None:
    assert not asks_for_stream(*form(b'\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n'))


def test_a_large_file_before_the_field_does_not_hide_it() -> None:
    assert asks_for_stream(*form(bytes(1024**2), stream="true"))


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=other"])
def test_what_is_no_such_form_asks_for_nothing(kind: str) -> None:
    file, _ = form(stream="true")
    assert not asks_for_stream(file, kind)


def test_a_form_that_is_cut_asks_for_nothing() -> None:
    file, kind = form(stream="true")
    assert not asks_for_stream(io.BytesIO(file.getvalue()[:50]), kind)
