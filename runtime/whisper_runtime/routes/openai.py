"""OpenAI's audio API, exact enough for its official client."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from whisper_runtime import formats, parameters
from whisper_runtime.served import check_name
from whisper_runtime.serving import ServingOf
from whisper_runtime.transcribe import transcribe

router = APIRouter(prefix="/v1/audio")


@router.post("/transcriptions")
async def create_transcription(
    request: Request,
    serving: ServingOf,
    file: UploadFile,
    model: Annotated[str, Form()],
    language: Annotated[str | None, Form()] = None,
    prompt: Annotated[str | None, Form()] = None,
    response_format: Annotated[str, Form()] = "json",
    temperature: Annotated[float, Form()] = 0.0,
    stream: Annotated[bool, Form()] = False,
    granularities: Annotated[list[str], Form(alias="timestamp_granularities[]")] = [],  # noqa: B006
) -> Response:
    """What was said in `file`, in the language that was spoken."""
    check_name(serving.model, model)
    parameters.check_supported((await request.form()).keys(), stream, granularities)
    wanted = parameters.format_of(response_format)
    options = parameters.options(
        serving.model,
        condition_on_previous_text=serving.config.condition_on_previous_text,
        language=language,
        prompt=prompt,
        temperature=temperature,
    )
    return _response(formats.openai(await transcribe(serving, request, file, options), "transcribe", wanted))


@router.post("/translations")
async def create_translation(
    request: Request,
    serving: ServingOf,
    file: UploadFile,
    model: Annotated[str, Form()],
    prompt: Annotated[str | None, Form()] = None,
    response_format: Annotated[str, Form()] = "json",
    temperature: Annotated[float, Form()] = 0.0,
) -> Response:
    """What was said in `file`, in English."""
    check_name(serving.model, model)
    wanted = parameters.format_of(response_format)
    options = parameters.options(
        serving.model,
        condition_on_previous_text=serving.config.condition_on_previous_text,
        task="translate",
        prompt=prompt,
        temperature=temperature,
    )
    return _response(formats.openai(await transcribe(serving, request, file, options), "translate", wanted))


def _response(body: BaseModel | str) -> Response:
    if isinstance(body, str):
        return PlainTextResponse(body)
    return JSONResponse(body.model_dump(mode="json"))
