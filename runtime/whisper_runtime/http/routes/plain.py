"""`POST /transcribe`: a file in, its text out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response

from whisper_runtime.http.answer import openai_response
from whisper_runtime.http.dependencies import upload_parts
from whisper_runtime.http.openai.extras import ignored_fields
from whisper_runtime.http.openai.formats import plain_body
from whisper_runtime.http.openai.forms import Multipart, PlainForm
from whisper_runtime.http.openai.options import check_translates, plain_spec
from whisper_runtime.http.openai.responses import PlainTranscription
from whisper_runtime.http.openai.source import media_source
from whisper_runtime.http.openai.speech_fields import audio_options
from whisper_runtime.http.openai.transcription_options import transcription_options
from whisper_runtime.http.openapi import SEGMENT_EVENTS, UPLOADING, event_stream
from whisper_runtime.http.sse import SseSegments, stream
from whisper_runtime.http.upload import transcribe_upload
from whisper_runtime.http.upload_route import UploadRoute

router = APIRouter(route_class=UploadRoute)


@router.post(
    "/transcribe",
    response_model=PlainTranscription,
    responses=UPLOADING | {200: {"content": event_stream(*SEGMENT_EVENTS)}},
)
async def post_transcribe(request: Request, form: Annotated[PlainForm, Multipart]) -> Response:
    """Transcribes `file`, or what is at `url`: text, language, segments with times, and duration in seconds.

    With the times of words where `timestamp_granularities[]` has `word`; with `stream`, each window as it is known.
    """
    parts = upload_parts(request)
    source = media_source(form, takes_urls=parts.transcriber.takes_urls)
    ignored = ignored_fields(form, form.task)
    if form.task == "translate":
        check_translates(parts.model, param="task")
    spec = plain_spec(form)
    options = transcription_options(form, parts.model, task=form.task, words=spec.words)
    transcribe = partial(transcribe_upload, parts.transcriber, request, source, options, audio_options(form))
    if form.is_streamed:
        return await stream(request, transcribe, SseSegments(spec), ignored)
    return openai_response(request, plain_body(await transcribe(), spec), ignored)
