"""What the pods are told of results that they keep."""

from __future__ import annotations

from tests.operator.samples import service
from whisper_operator.build.known_results import cache_settings, text_settings
from whisper_operator.resolve.model import EncoderRef, ModelRef
from whisper_runtime.contract.config import RuntimeConfig

MODEL = ModelRef("tiny.en", "a" * 64)


def test_a_text_is_decided_by_the_checkpoint_and_the_device() -> None:
    config = RuntimeConfig(**text_settings(service(gpu={}).spec, MODEL))
    assert (config.model, config.model_sha256, config.device) == ("tiny.en", "a" * 64, "cuda")


def test_results_are_kept_for_as_long_as_the_spec_says() -> None:
    assert cache_settings(service(resultCache={"ttl": "1h"}).spec)["result_cache_seconds"] == 3600


def test_a_service_that_keeps_no_results_has_no_settings_of_them() -> None:
    assert cache_settings(service().spec) == {}


def test_results_with_speakers_are_known_by_the_pods_encoder() -> None:
    spec = service(diarization={}).spec
    found = text_settings(spec, ModelRef("tiny.en", "a" * 64, EncoderRef("resemblyzer")))
    assert found["diarization_model"] == "resemblyzer"
    assert text_settings(spec, MODEL)["diarization_model"] is None, "as pods of before the change are"
