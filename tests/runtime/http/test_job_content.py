"""What a job came to is rendered as its client asked, by the model that ran."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from tests.fakes.engine import MULTILINGUAL, SPOKEN
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Options
from whisper_runtime.http.job_content import content_of, spec_of
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.service.jobs.content import JobRequest, JobResult
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.model_info import ServedModel

MODEL = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL).info
RESULT = JobResult(SPOKEN, "tiny.en", english_only=True).to_json()


def job(**spec: Any) -> Job:
    response = to_jsonable_python(ResponseSpec("transcribe", **spec))
    return Job("key ann", JobRequest(Options(), (), False, response).to_json(), 2.5)


def test_each_format() -> None:
    found = content_of(job(), RESULT, MODEL)
    assert isinstance(found, BaseModel)
    assert found.model_dump(exclude_none=True)["text"] == "Ask not."
    assert content_of(job(response_format="text"), RESULT, MODEL) == "Ask not.\n"


def test_the_response_that_was_asked_for() -> None:
    assert spec_of(job(response_format="srt")) == ResponseSpec("transcribe", "srt")
