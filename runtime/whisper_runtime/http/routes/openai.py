"""OpenAI's audio API, exact enough for its official clients."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from whisper_runtime.http.openai import formats, options
from whisper_runtime.http.openai.forms import Multipart, TranscriptionForm, TranslationForm, each_once
from whisper_runtime.http.openai.options import Answer
from whisper_runtime.http.openai.responses import (
    TranscriptionJson,
    TranscriptionVerbose,
    TranslationJson,
    TranslationVerbose,
)
from whisper_runtime.http.openapi import EVENT_STREAM, NO_SUCH_MODEL, UPLOADING
from whisper_runtime.http.sse import Live, Said, stream
from whisper_runtime.service.model_info import check_name
from whisper_runtime.service.state import ServingOf
from whisper_runtime.service.transcribe import transcribe

router = APIRouter(prefix="/v1/audio", dependencies=[Depends(each_once)])

TEXT: Final[dict[str, Any]] = {"text/plain": {"schema": {"type": "string"}}}
"""`text`, `srt` and `vtt`."""
EVENTS: Final[dict[str, Any]] = {"text/event-stream": EVENT_STREAM}


@router.post(
    "/transcriptions",
    response_model=TranscriptionJson | TranscriptionVerbose,
    responses=UPLOADING | NO_SUCH_MODEL | {200: {"content": TEXT | EVENTS}},
)
async def create_transcription(
    request: Request, serving: ServingOf, form: Annotated[TranscriptionForm, Multipart]
) -> Response:
    """What was said in `file`, in the language that was spoken."""
    check_name(serving.model, form.model)
    answer = options.answer_of(form)
    wanted = options.options(
        serving.model,
        condition_on_previous_text=serving.config.condition_on_previous_text,
        language=form.language,
        prompt=form.prompt,
        temperature=form.temperature,
        words=answer.words,
        logprobs=answer.logprobs,
    )
    if form.stream:
        live = Live()
        work = asyncio.create_task(transcribe(serving, request, form.file, wanted, live))
        return await stream(request.scope, work, live, Said(answer, serving.model))
    return _response(formats.openai(await transcribe(serving, request, form.file, wanted), answer, serving.model))


@router.post(
    "/translations",
    response_model=TranslationJson | TranslationVerbose,
    responses=UPLOADING | NO_SUCH_MODEL | {200: {"content": TEXT}},
)
async def create_translation(
    request: Request, serving: ServingOf, form: Annotated[TranslationForm, Multipart]
) -> Response:
    """What was said in `file`, in English."""
    check_name(serving.model, form.model)
    options.check_translates(serving.model, param="model")
    wanted = options.options(
        serving.model,
        condition_on_previous_text=serving.config.condition_on_previous_text,
        task="translate",
        prompt=form.prompt,
        temperature=form.temperature,
    )
    answer = Answer("translate", form.response_format)
    return _response(formats.openai(await transcribe(serving, request, form.file, wanted), answer, serving.model))


def _response(body: BaseModel | str) -> Response:
    if isinstance(body, str):
        return PlainTextResponse(body)
    return JSONResponse(body.model_dump(mode="json", exclude_none=True))
