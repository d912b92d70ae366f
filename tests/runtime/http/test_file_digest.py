"""The digest of a form's file is known with its last byte, where results are kept."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from typing import Final

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from whisper_runtime.http.file_digest import DigestedRequest, DigestingParser, HeadParser
from whisper_runtime.http.form_parser import FormParser
from whisper_runtime.http.request_state import state_of
from whisper_runtime.media.source import HEAD

CONTENT: Final = bytes(range(256)) * 10_000


def client_of(form_parser: type[FormParser]) -> httpx.AsyncClient:
    """An application that answers with the digest, and with the size of the file that it got."""

    async def answer(request: Request) -> JSONResponse:
        request = DigestedRequest(request.scope, request.receive)
        async with request.form():
            fields = await request.form()  # once more, as who repeats a form does
            file, note = fields.get("file"), fields.get("note", "")
            size = len(await file.read()) if isinstance(file, UploadFile) else None
            return JSONResponse([state_of(request.scope).file_digest, size, note, len(fields)])

    app = Starlette(routes=[Route("/", answer, methods=["POST"])])
    app.state.form_parser = form_parser
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://whisper")


@pytest.mark.parametrize("content", [b"", b"a", CONTENT])
async def test_it_is_that_of_the_bytes_of_the_file_alone(content: bytes) -> None:
    file = {"file": ("a.wav", content, "audio/wav")}
    answer = await client_of(DigestingParser).post("/", files=file, data={"note": "x" * 1000})
    assert answer.json() == [hashlib.sha256(content).hexdigest(), len(content), "x" * 1000, 2]


async def test_who_has_the_bytes_already_keeps_the_head_of_the_file_alone() -> None:
    for content, kept in ((CONTENT, HEAD), (CONTENT[:100], 100)):
        file = {"file": ("a.wav", content, "audio/wav")}
        answer = await client_of(HeadParser).post("/", files=file, data={"note": "x" * 1000})
        assert answer.json() == [hashlib.sha256(content).hexdigest(), kept, "x" * 1000, 2]


async def test_it_does_not_matter_in_which_pieces_the_bytes_come() -> None:
    whole = (
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"\r\n-" * 50 + b"\r\n--x--\r\n"
    )

    async def byte_by_byte() -> AsyncGenerator[bytes]:
        for index in range(len(whole)):
            yield whole[index : index + 1]

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await client_of(DigestingParser).post("/", content=byte_by_byte(), headers=headers)
    assert answer.json()[0] == hashlib.sha256(b"\r\n-" * 50).hexdigest()


async def test_a_form_without_a_file_has_none() -> None:
    assert (await client_of(DigestingParser).post("/", data={"note": "x"})).json() == [None, None, "x", 1]
    assert (await client_of(DigestingParser).post("/", files={"note": (None, "x")})).json() == [None, None, "x", 1]


async def test_nothing_is_computed_where_no_result_is_kept() -> None:
    assert (await client_of(FormParser).post("/", files={"file": ("a", b"a")})).json() == [None, 1, "", 1]


async def test_a_broken_form_is_400() -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert (await client_of(DigestingParser).post("/", content=b"no form", headers=headers)).status_code == 400
