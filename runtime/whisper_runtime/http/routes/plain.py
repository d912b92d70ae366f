"""`POST /transcribe`: a file in, its text out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from whisper_runtime.http.openai import formats, options
from whisper_runtime.http.openai.forms import Multipart, PlainForm, each_once
from whisper_runtime.http.openai.responses import PlainTranscription
from whisper_runtime.http.openapi import UPLOADING
from whisper_runtime.service.state import ServingOf
from whisper_runtime.service.transcribe import transcribe

router = APIRouter(dependencies=[Depends(each_once)])


@router.post("/transcribe", responses=UPLOADING)
async def post_transcribe(
    request: Request, serving: ServingOf, form: Annotated[PlainForm, Multipart]
) -> PlainTranscription:
    """What was said in `file`: its text, its language, its segments with times, and its duration in seconds."""
    if form.task == "translate":
        options.check_translates(serving.model, param="task")
    wanted = options.options(
        serving.model,
        condition_on_previous_text=serving.config.condition_on_previous_text,
        language=form.language,
        task=form.task,
    )
    return formats.plain(await transcribe(serving, request, form.file, wanted))
