"""The body of a batch's line: the fields of a request as JSON, judged as the form of that request is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from whisper_runtime.errors import HttpError, invalid_value
from whisper_runtime.http.job_body import spec_of
from whisper_runtime.http.job_content import content_of
from whisper_runtime.http.openai.data_url import data_url
from whisper_runtime.http.openai.forms import TranscriptionForm, TranslationForm
from whisper_runtime.http.openai.options import check_translates
from whisper_runtime.http.openai.resolved_form import (
    TRANSLATIONS_PATH,
    ResolvedForm,
    resolved_transcription,
    resolved_translation,
)
from whisper_runtime.http.openai.speech_fields import OBJECTS
from whisper_runtime.http.openai.wrong_field import wrong_field
from whisper_runtime.service.batches.file import FILE_ID_PREFIX
from whisper_runtime.service.batches.line_request import FileReference, InlineRecording, LineRequest, LineSource
from whisper_runtime.service.downloads import RemoteFile, not_fetched
from whisper_runtime.service.jobs.content import JobResult
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.model_info import ServedModel, check_name

SOURCES: Final = ("file_id", "url", "file_url", "file")
"""The fields by which clients name a recording: OpenAI's word, Groq's, vLLM's and Mistral's, and Together's."""
ARRAYS: Final = frozenset(field.alias for field in TranscriptionForm.model_fields.values() if field.alias)
LONGEST_URL: Final = 8192
SHOWN: Final = 100


@dataclass(frozen=True)
class OpenAILines:
    """A LineDialect."""

    model: ServedModel
    takes_urls: bool
    """Whether this server fetches recordings from anywhere."""

    def request(self, body: Mapping[str, Any], endpoint: str) -> LineRequest:
        """Raises HttpError."""
        source = _source({name: body[name] for name in SOURCES if body.get(name) is not None})
        fields = {
            name: _as_form(name, value) for name, value in body.items() if name not in SOURCES and value is not None
        }
        found = self._resolved(fields, endpoint)
        if isinstance(source, RemoteFile) and not self.takes_urls:
            raise not_fetched()
        return LineRequest(source, found.options, found.audio_options, to_jsonable_python(found.spec))

    def response(self, job: Job, result: bytes) -> Any:
        found = content_of(JobResult.from_json(result), spec_of(job), self.model.info)
        return found if isinstance(found, str) else found.model_dump(mode="json", exclude_none=True)

    def _resolved(self, fields: Mapping[str, Any], endpoint: str) -> ResolvedForm:
        model, translates = self.model.info, endpoint == TRANSLATIONS_PATH
        try:
            form = (TranslationForm if translates else TranscriptionForm).model_validate(fields)
        except ValidationError as error:
            raise wrong_field(error.errors()[0], at=0) from None
        check_name(model, form.model)
        if isinstance(form, TranslationForm):
            check_translates(model, param="model")
            return resolved_translation(form, model)
        if form.is_streamed:
            raise invalid_value("stream", "`stream` is true, and a batch has no stream: leave it out.")
        return resolved_transcription(form, model)


def _source(given: Mapping[str, Any]) -> LineSource:
    """The recording that a line names; raises HttpError (400) where it names none, or several."""
    if len(given) != 1:
        names = ", ".join(f"`{name}`" for name in SOURCES)
        what = "several recordings" if given else "no recording"
        raise HttpError(
            400,
            f"The line names {what}: give one of {names}, such as `file_id` with the id of an uploaded file.",
            param=next(iter(given), "file_id"),
            code="invalid_value" if given else "missing_file",
        )
    ((field, value),) = given.items()
    if not isinstance(value, str):
        raise invalid_value(field, f"`{field}` is {str(value)[:SHOWN]}: it should be a text.")
    if value.startswith(FILE_ID_PREFIX):
        return FileReference(field, value[:SHOWN])
    if found := data_url(value):
        return InlineRecording(field, found.media_type, found.base64)
    if field == "file_id" or not value.lower().startswith(("http://", "https://")):
        message = (
            f"`{field}` is {value[:SHOWN]!r}: it should be the id of an uploaded file, such as {FILE_ID_PREFIX}0123…"
            f"{'' if field == 'file_id' else ', a URL, or a data URL in base64'}."
        )
        raise invalid_value(field, message)
    if len(value) > LONGEST_URL:
        raise invalid_value(field, f"`{field}` has {len(value)} characters, and may have {LONGEST_URL}.")
    return RemoteFile(value)


def _as_form(name: str, value: Any) -> Any:
    """The value as a form has it: a text, for an array a list of texts, and an object as its JSON."""
    if isinstance(value, list):
        return [_text(one) for one in cast(list[Any], value)]
    if isinstance(value, dict) and name not in OBJECTS:
        return cast(Any, value)  # no form can have it, and its field says so
    return [_text(value)] if name in ARRAYS or f"{name}[]" in ARRAYS else _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
