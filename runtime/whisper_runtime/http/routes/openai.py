"""OpenAI's audio API, exact enough for its official clients."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from whisper_runtime.http.answer import openai_response
from whisper_runtime.http.dependencies import upload_parts
from whisper_runtime.http.job_submission import Wish, submit_job
from whisper_runtime.http.openai.formats import openai_body
from whisper_runtime.http.openai.forms import Multipart, TranscriptionForm, TranslationForm
from whisper_runtime.http.openai.options import check_translates
from whisper_runtime.http.openai.resolved_form import resolved_transcription, resolved_translation
from whisper_runtime.http.openai.responses import (
    TranscriptionDiarized,
    TranscriptionJson,
    TranscriptionVerbose,
    TranslationJson,
    TranslationVerbose,
)
from whisper_runtime.http.openai.source import media_source
from whisper_runtime.http.openapi import NO_SUCH_MODEL, TEXT, TEXT_EVENTS, UPLOADING, event_stream
from whisper_runtime.http.request_state import state_of
from whisper_runtime.http.sse import SseText, stream
from whisper_runtime.http.upload import transcribe_upload
from whisper_runtime.http.upload_route import UploadRoute
from whisper_runtime.http.webhook_field import webhook_of
from whisper_runtime.service.model_info import check_name

router = APIRouter(prefix="/v1/audio", route_class=UploadRoute)

EVENTS: Final = event_stream(*TEXT_EVENTS)


@router.post(
    "/transcriptions",
    response_model=TranscriptionJson | TranscriptionVerbose | TranscriptionDiarized,
    responses=UPLOADING | NO_SUCH_MODEL | {200: {"content": TEXT | EVENTS}},
)
async def create_transcription(request: Request, form: Annotated[TranscriptionForm, Multipart]) -> Response:
    """Transcribes `file`, or what is at `url`, in the language that is spoken."""
    parts = upload_parts(request)
    model, transcriber, jobs = parts.model, parts.transcriber, parts.jobs
    check_name(model, form.model)
    source = media_source(form, takes_urls=transcriber.takes_urls)
    asked = resolved_transcription(form, model)
    preference = state_of(request.scope).preference
    webhook = await webhook_of(form, jobs, preference)
    if jobs and preference:
        return await submit_job(request, jobs, model, preference, form, Wish(source, asked, webhook))
    transcribe = partial(transcribe_upload, transcriber, request, source, asked.options, asked.audio_options)
    if form.is_streamed:
        return await stream(request, transcribe, SseText(asked.spec, model), asked.ignored)
    return openai_response(request, openai_body(await transcribe(), asked.spec, model), asked.ignored)


@router.post(
    "/translations",
    response_model=TranslationJson | TranslationVerbose,
    responses=UPLOADING | NO_SUCH_MODEL | {200: {"content": TEXT}},
)
async def create_translation(request: Request, form: Annotated[TranslationForm, Multipart]) -> Response:
    """Translates `file`, or what is at `url`, into English."""
    parts = upload_parts(request)
    model, transcriber, jobs = parts.model, parts.transcriber, parts.jobs
    check_name(model, form.model)
    check_translates(model, param="model")
    source = media_source(form, takes_urls=transcriber.takes_urls)
    asked = resolved_translation(form, model)
    preference = state_of(request.scope).preference
    webhook = await webhook_of(form, jobs, preference)
    if jobs and preference:
        return await submit_job(request, jobs, model, preference, form, Wish(source, asked, webhook))
    found = await transcribe_upload(transcriber, request, source, asked.options, asked.audio_options)
    return openai_response(request, openai_body(found, asked.spec, model), asked.ignored)
