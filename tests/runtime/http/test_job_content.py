"""What a job came to is rendered as its client asked, by the model that ran."""

from __future__ import annotations

from pydantic import BaseModel

from tests.fakes.engine import MULTILINGUAL, SPOKEN
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.http.job_content import content_of, model_then
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.service.jobs.content import JobResult
from whisper_runtime.service.model_info import ServedModel

MODEL = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL).info


def test_each_format() -> None:
    result = JobResult(SPOKEN, "base", english_only=False)
    found = content_of(result, ResponseSpec("transcribe"), MODEL)
    assert isinstance(found, BaseModel)
    assert found.model_dump(exclude_none=True)["text"] == "Ask not."
    assert content_of(result, ResponseSpec("transcribe", "text"), MODEL) == "Ask not.\n"


def test_the_model_is_the_one_that_ran() -> None:
    then = model_then(JobResult(SPOKEN, "tiny.en", english_only=True), MODEL)
    assert (then.name, then.english_only) == ("tiny.en", True)
    assert model_then(JobResult(SPOKEN, "base", english_only=False), MODEL).english_only is False
