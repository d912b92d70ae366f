"""`POST /transcribe`: a file in, its text out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile

from whisper_runtime import formats, parameters
from whisper_runtime.schemas import PlainTranscription
from whisper_runtime.serving import ServingOf
from whisper_runtime.transcribe import transcribe

router = APIRouter()


@router.post("/transcribe")
async def post_transcribe(
    request: Request,
    serving: ServingOf,
    file: UploadFile,
    language: Annotated[str | None, Form()] = None,
    task: Annotated[str, Form()] = "transcribe",
) -> PlainTranscription:
    """What was said in `file`: its text, its language, its segments with times, and its duration in seconds."""
    options = parameters.options(
        serving.model,
        condition_on_previous_text=serving.config.condition_on_previous_text,
        language=language,
        task=task,
    )
    return formats.plain(await transcribe(serving, request, file, options))
