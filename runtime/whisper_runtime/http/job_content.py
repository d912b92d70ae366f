"""What a job came to, as the body that its request would have been answered with."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from whisper_runtime.engine.interface import Abilities
from whisper_runtime.http.openai.formats import openai_body
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.service.jobs.content import JobResult
from whisper_runtime.service.model_info import ModelInfo


def content_of(result: JobResult, spec: ResponseSpec, model: ModelInfo) -> BaseModel | str:
    """The body as `spec` has it; `model` is the one that is served now."""
    return openai_body(result.transcription, spec, model_then(result, model))


def model_then(result: JobResult, model: ModelInfo) -> ModelInfo:
    """The model that the job ran on, where `model` is the one that is served now."""
    languages = 1 if result.english_only else 100
    return replace(model, name=result.model, abilities=Abilities(languages, model.abilities.translates))
