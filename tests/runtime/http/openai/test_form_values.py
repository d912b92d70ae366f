"""A form is read as FastAPI reads it, whatever a client sends."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse

from whisper_runtime.http.openai.form_values import form_of
from whisper_runtime.http.openai.forms import Multipart, PlainForm, TranscriptionForm, TranslationForm

Part = tuple[str, tuple[str | None, bytes]]


def part(name: str, value: str, filename: str | None = None) -> Part:
    return name, (filename, value.encode())


FORMS: Final[dict[str, list[Part]]] = {
    "nothing but a file": [part("file", "abc", "a.wav")],
    "a file that was not chosen": [part("file", "", ""), part("model", "base")],
    "an empty file": [part("file", "", "a.wav"), part("model", "base")],
    "a text in the place of the file": [part("file", "abc"), part("model", "base")],
    "no field": [],
    "empty fields": [part("model", ""), part("temperature", ""), part("language", ""), part("keywords", "")],
    "numbers and booleans": [part("model", "base"), part("temperature", "0.5"), part("stream", "yes")],
    "arrays in both spellings": [
        part("model", "base"),
        *(part("timestamp_granularities[]", one) for one in ("word", "segment")),
        part("timestamp_granularities", "word"),
        part("keywords[]", "one, two"),
        part("keywords[]", ""),
        part("include", "logprobs"),
    ],
    "an array of one that is wrong": [part("model", "base"), part("include[]", "logprobs"), part("include[]", "x")],
    "a field twice": [part("model", "base"), part("model", "small"), part("temperature", "0"), part("temperature", "")],
    "several that are wrong": [part("temperature", "9"), part("response_format", "pdf"), part("beam_size", "x")],
    "one that is too long": [part("model", "m" * 201)],
    "others' fields": [part("model", "base"), part("a", "1"), part("a", "2"), part("b", ""), part("metadata[x]", "y")],
    "names of attributes": [part("model", "base"), part("keywords_in_brackets", "x"), part("include_bare", "logprobs")],
    "an object in brackets": [part("model", "base"), part("chunking_strategy[type]", "server_vad")],
    "a file in an array": [part("model", "base"), part("languages", "", "")],
}


def shown(value: Any) -> Any:
    """A value such that two of the same are equal."""
    if isinstance(value, UploadFile):
        return ["file", value.filename, value.size]
    if isinstance(value, dict):
        return {name: shown(one) for name, one in cast(dict[str, Any], value).items()}
    return [shown(one) for one in value] if isinstance(value, list) else value


def answer_to(form: PlainForm | TranslationForm) -> JSONResponse:
    fields = {**dict(form), **(form.model_extra or {})}
    return JSONResponse({"form": {name: shown(value) for name, value in fields.items()}})


async def refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = [{**one, "input": shown(one["input"]), "ctx": str(one.get("ctx"))} for one in error.errors()]
    return JSONResponse({"wrong": wrong}, 400)


def application() -> FastAPI:
    """An application that shows each form as FastAPI reads it, and, below /own, as it is read here."""
    app = FastAPI()
    app.add_exception_handler(RequestValidationError, refused)

    @app.post("/plain")
    async def plain(form: Annotated[PlainForm, Multipart]) -> JSONResponse:
        return answer_to(form)

    @app.post("/transcription")
    async def transcription(form: Annotated[TranscriptionForm, Multipart]) -> JSONResponse:
        return answer_to(form)

    @app.post("/translation")
    async def translation(form: Annotated[TranslationForm, Multipart]) -> JSONResponse:
        return answer_to(form)

    kinds = {"plain": PlainForm, "transcription": TranscriptionForm, "translation": TranslationForm}

    @app.post("/own/{kind}")
    async def own(request: Request, kind: str) -> JSONResponse:
        async with request.form() as form:
            return answer_to(form_of(kinds[kind], form))

    return app


@pytest.mark.parametrize("kind", ["plain", "transcription", "translation"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_each_field_and_each_error_is_what_fastapi_makes_of_it(form: list[Part], kind: str) -> None:
    transport = httpx.ASGITransport(application())
    async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as client:
        theirs, ours = [await client.post(f"{below}/{kind}", files=form) for below in ("", "/own")]
    assert ours.json() == theirs.json()
    assert ours.status_code == theirs.status_code


async def test_a_form_of_another_type_has_no_fields() -> None:
    transport = httpx.ASGITransport(application())
    async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as client:
        theirs, ours = [await client.post(f"{below}/translation", json={"model": "x"}) for below in ("", "/own")]
    assert ours.json() == theirs.json()
    assert ours.json()["wrong"][0]["loc"] == ["body", "model"]
