"""What keeps a process from starting is one sentence, before anything is fetched."""

from __future__ import annotations

import pytest

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.process.assemble import run
from whisper_runtime.process.threads import ThreadCount

ONE = ThreadCount(1, "machine", "the machine has that many processors")


def test_where_no_upload_can_be_written_nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert run(RuntimeConfig(), ONE) == (
        "TMPDIR is /nowhere, where no upload can be written (No such file or directory): mount a writable directory"
    )


def test_a_model_that_does_not_exist_is_refused_with_those_that_do() -> None:
    problem = run(RuntimeConfig(model="medium.de"), ONE) or ""
    assert problem.startswith(
        "WHISPER_MODEL is 'medium.de', which is not a model of openai-whisper: set one of tiny.en, "
    )
    assert problem.endswith("or the path of a checkpoint, or set WHISPER_MODEL_URL and WHISPER_MODEL_SHA256 too")


def test_a_language_that_an_english_model_lacks_is_refused() -> None:
    assert run(RuntimeConfig(model="small.en", language="de"), ONE) == (
        "WHISPER_LANGUAGE is 'de', which this English-only model does not know: "
        "set auto or en, or take a multilingual model such as base"
    )


def test_webhooks_are_never_unsigned() -> None:
    problem = run(RuntimeConfig(webhook_allowed_hosts=("hooks.example.com",)), ONE) or ""
    assert problem.startswith("WHISPER_WEBHOOK_ALLOWED_HOSTS is set without WHISPER_WEBHOOK_SECRETS_DIR")


def test_jobs_in_a_store_need_one() -> None:
    problem = run(RuntimeConfig(jobs_store="redis"), ONE) or ""
    assert problem.startswith("WHISPER_JOBS_STORE is redis without WHISPER_REDIS_URL_FILE")


def test_an_encoder_that_does_not_exist_is_refused_with_those_that_do() -> None:
    problem = run(RuntimeConfig(diarization_model="pyannote"), ONE) or ""
    assert problem.startswith("WHISPER_DIARIZATION_MODEL is 'pyannote', which is no speaker encoder that comes with")
    assert problem.endswith("resemblyzer, or the path of a checkpoint, or set WHISPER_DIARIZATION_MODEL_SHA256 too")
