"""A route with a recording: its form is read once, is closed with the answer, and is described as FastAPI does."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.datastructures import UploadFile
from starlette.types import Receive

from whisper_runtime.http.error_handlers import answer_in_openai_shape
from whisper_runtime.http.file_digest import DigestingParser
from whisper_runtime.http.openai.forms import Multipart, PlainForm
from whisper_runtime.http.request_state import state_of
from whisper_runtime.http.upload_route import UploadRoute

router = APIRouter(route_class=UploadRoute)
plain_router = APIRouter()
found: list[object] = []


async def endpoint(request: Request, form: Annotated[PlainForm, Multipart]) -> Response:
    """Takes a form."""
    found.extend((form.file, state_of(request.scope).file_digest))
    if form.prompt == "fail":
        raise RuntimeError("a bug")
    return Response(form.task)


router.post("/transcribe")(endpoint)
plain_router.post("/transcribe")(endpoint)


def app_of(routes: APIRouter) -> FastAPI:
    app = FastAPI()
    app.state.form_parser = DigestingParser
    answer_in_openai_shape(app)
    app.include_router(routes)
    return app


@pytest.fixture
async def client() -> httpx.AsyncClient:
    found.clear()
    transport = httpx.ASGITransport(app_of(router), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://whisper")


async def test_the_function_gets_the_form_and_the_digest_of_its_file(client: httpx.AsyncClient) -> None:
    answer = await client.post("/transcribe", files={"file": ("a", b"abc")}, data={"task": "translate"})
    assert (answer.status_code, answer.text) == (200, "translate")
    assert str(found[1]).startswith("ba7816bf")


@pytest.mark.parametrize("prompt", ["", "fail"])
async def test_the_file_is_closed_with_the_answer(client: httpx.AsyncClient, prompt: str) -> None:
    await client.post("/transcribe", files={"file": ("a", b"abc")}, data={"prompt": prompt})
    file = found[0]
    assert isinstance(file, UploadFile)
    assert file.file.closed


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"files": {"task": (None, "sing")}}, "invalid_value"),
        ({"files": [("task", (None, "translate")), ("task", (None, "sing"))]}, "repeated_parameter"),
        ({"files": {"file": ("a", b"abc"), "url": ("b", b"abc")}}, "too_many_files"),
        ({"files": {"prompt": (None, "x" * 70_000)}}, "field_too_long"),
        ({"files": [("a", (None, "x"))] * 129}, "too_many_fields"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, "invalid_form"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=x"}}, "invalid_form"),
    ],
)
async def test_a_wrong_form_is_400_with_a_code(client: httpx.AsyncClient, sent: dict[str, object], code: str) -> None:
    answer = await client.post("/transcribe", **sent)  # pyright: ignore[reportArgumentType]
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert not found


async def test_whatever_fails_while_the_form_is_read_is_400() -> None:
    app = app_of(router)

    async def breaking(scope: dict[str, object], receive: Receive, send: object) -> None:
        async def broken() -> dict[str, object]:
            raise RuntimeError("the body cannot be read")

        await app(scope, broken, send)  # pyright: ignore[reportArgumentType]

    transport = httpx.ASGITransport(breaking)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as client:
        answer = await client.post("/transcribe", files={"file": ("a", b"abc")})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_form")


def test_it_is_described_as_any_route_of_fastapi() -> None:
    assert app_of(router).openapi() == app_of(plain_router).openapi()
