"""`POST /transcribe`: a file in, its text out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from whisper_runtime import formats, parameters
from whisper_runtime.document import UPLOADING
from whisper_runtime.forms import Multipart, PlainForm, each_once
from whisper_runtime.schemas import PlainTranscription
from whisper_runtime.serving import ServingOf
from whisper_runtime.transcribe import transcribe

router = APIRouter(dependencies=[Depends(each_once)])


@router.post("/transcribe", responses=UPLOADING)
async def post_transcribe(
    request: Request, serving: ServingOf, form: Annotated[PlainForm, Multipart]
) -> PlainTranscription:
    """What was said in `file`: its text, its language, its segments with times, and its duration in seconds."""
    if form.task == "translate":
        parameters.check_translates(serving.model, param="task")
    options = parameters.options(
        serving.model,
        condition_on_previous_text=serving.config.condition_on_previous_text,
        language=form.language,
        task=form.task,
    )
    return formats.plain(await transcribe(serving, request, form.file, options))
