"""Makes a job of an upload whose client prefers that, and answers it: with the result in time, else with the job."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from typing import IO, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic_core import to_jsonable_python
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as FormFile

from whisper_runtime.errors import invalid_value, retry_after
from whisper_runtime.http.answer import openai_response
from whisper_runtime.http.cache_control import cache_directives
from whisper_runtime.http.hang_up import unless_gone
from whisper_runtime.http.job_body import failed, job_body, spec_of
from whisper_runtime.http.job_content import content_of
from whisper_runtime.http.openai.forms import OpenAIForm, TranscriptionForm
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.http.openai.resolved_form import TRANSCRIPTIONS_PATH, ResolvedForm
from whisper_runtime.http.prefer import Preference
from whisper_runtime.http.request_state import state_of
from whisper_runtime.http.response_headers import IGNORED_FIELDS
from whisper_runtime.service.audio_loading import MediaFile
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.jobs.content import JobResult
from whisper_runtime.service.jobs.door import TakesJobs
from whisper_runtime.service.jobs.intake import SubmittedForm
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.model_info import ModelInfo

JOBS_PATH: Final = TRANSCRIPTIONS_PATH
"""Jobs are below it, whatever they do."""
LONGEST_KEY: Final = 255
METADATA: Final = re.compile(r"metadata\[(.*)\]", re.DOTALL)
MOST_METADATA, LONGEST_NAME, LONGEST_VALUE = 16, 64, 512
"""OpenAI's bounds of metadata."""


@dataclass(frozen=True)
class Wish:
    """What the form asks for, resolved."""

    source: MediaFile | RemoteFile
    form: ResolvedForm
    """Metadata are among its ignored fields."""
    webhook_url: str | None


async def submit_job(
    request: Request, door: TakesJobs, model: ModelInfo, preference: Preference, form: OpenAIForm, wish: Wish
) -> Response:
    """200 with the result where that is there within the time that the client waits, else 202 with the job.

    Raises HttpError, and what JobStore.put raises.
    """
    if isinstance(form, TranscriptionForm) and form.is_streamed:
        message = "`stream` is true, and the header Prefer has `respond-async`: a job has no stream, leave one out."
        raise invalid_value("stream", message)
    state = state_of(request.scope)
    assert state.admitted is not None  # the route is behind the middleware that admits
    submitted = await _submitted(request, form, wish)
    job = await unless_gone(request.receive, door.submit(wish.source, state.admitted, submitted))
    placed = await unless_gone(request.receive, door.wait(state.client, job.id, preference.wait))
    job = placed.job
    headers = {"Preference-Applied": preference.applied, **_without_metadata(wish.form.ignored)}
    if job.state == "failed":
        raise failed(job).with_headers(headers)
    if job.state == "completed":
        return await job_content(
            request, door, model, job, spec_of(job), {"Content-Location": f"{address(job)}/content", **headers}
        )
    progress = door.progress(placed)
    wait = retry_after(progress.seconds_left or 0.0, 1.0)
    headers |= {"Location": address(job), "Retry-After": str(wait)}
    return JSONResponse(job_body(job, progress, None).model_dump(mode="json"), 202, headers)


async def job_content(
    request: Request, door: TakesJobs, model: ModelInfo, job: Job, spec: ResponseSpec, headers: dict[str, str]
) -> Response:
    """The result as `spec` has it. Raises JobNotDone, JobGone."""
    result = JobResult.from_json(await door.store.result(job.client, job.id))
    return openai_response(request, content_of(result, spec, model), headers)


def address(job: Job) -> str:
    """The path of a job."""
    return f"{JOBS_PATH}/{job.id}"


async def _submitted(request: Request, form: OpenAIForm, wish: Wish) -> SubmittedForm:
    key = idempotency_key(request)
    fields = json.dumps([request.url.path, sorted(_fields(await request.form()))])
    digest = await asyncio.to_thread(body_digest, fields, form.file and form.file.file) if key else ""
    asked, spec = wish.form, to_jsonable_python(wish.form.spec)
    directives = cache_directives(request.headers)
    return SubmittedForm(
        asked.options,
        asked.audio_options,
        spec,
        metadata_of(form),
        key,
        digest,
        wish.webhook_url,
        uses_results=not (directives.no_store or directives.no_cache),
    )


def idempotency_key(request: Request) -> str | None:
    """The client's own name of the request; None: it gives none. Raises HttpError (400) for one that is too long."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        message = f"`Idempotency-Key` has {len(key)} characters, and may have 1 to {LONGEST_KEY}: send a UUID."
        raise invalid_value("Idempotency-Key", message)
    return key


def metadata_of(form: OpenAIForm) -> dict[str, str]:
    """The fields `metadata[name]`; raises HttpError (400) beyond OpenAI's bounds."""
    found = {match[1]: value for name, value in (form.model_extra or {}).items() if (match := METADATA.fullmatch(name))}
    if len(found) > MOST_METADATA:
        message = f"`metadata` has {len(found)} entries, and may have {MOST_METADATA}: leave some out."
        raise invalid_value("metadata", message)
    for name, value in found.items():
        if not 0 < len(name) <= LONGEST_NAME or not isinstance(value, str) or len(value) > LONGEST_VALUE:
            message = (
                f"`metadata[{name[:LONGEST_NAME]}]` has a name or a value that is too long: a name has 1 to "
                f"{LONGEST_NAME} characters, a value up to {LONGEST_VALUE}; each is given once."
            )
            raise invalid_value("metadata", message)
    return found


def body_digest(fields: str, file: IO[bytes] | None) -> str:
    """A name for all that a form holds; `file` is at its beginning again when this returns. None: it has none."""
    digest = hashlib.sha256(fields.encode("utf-8", "surrogatepass"))
    if file is not None:
        while piece := file.read(1024**2):
            digest.update(piece)
        file.seek(0)
    return digest.hexdigest()


def _fields(form: FormData) -> list[tuple[str, str]]:
    return [
        (name, f"{value.filename} {value.content_type}" if isinstance(value, FormFile) else value)
        for name, value in form.multi_items()
    ]


def _without_metadata(ignored: dict[str, str]) -> dict[str, str]:
    names = [name for name in ignored.get(IGNORED_FIELDS, "").split(", ") if name and not METADATA.fullmatch(name)]
    return {IGNORED_FIELDS: ", ".join(names)} if names else {}
