"""What decides a text goes to a front only where it can know results, and is then what the pods have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.build.known_results import cache_settings, front_settings, text_settings
from whisper_operator.resolve.model import EncoderRef, ModelRef
from whisper_runtime.contract.config import RuntimeConfig

MODEL = ModelRef("tiny.en", "a" * 64)
KEEPING: dict[str, Any] = {"resultCache": {"ttl": "1h"}, "redis": {"secretKeyRef": {"name": "valkey", "key": "url"}}}


def test_a_front_has_what_the_pods_have() -> None:
    spec = service(**KEEPING, gpu={}).spec
    found = front_settings(spec, MODEL)
    assert found == {**text_settings(spec, MODEL), **cache_settings(spec)}
    config = RuntimeConfig(**found)
    assert (config.model_sha256, config.device, config.result_cache_seconds) == ("a" * 64, "cuda", 3600)


@pytest.mark.parametrize(("left_out", "model"), [("resultCache", MODEL), ("redis", MODEL), (None, None)])
def test_without_a_store_results_or_a_model_it_has_nothing(left_out: str | None, model: ModelRef | None) -> None:
    spec = service(**{name: value for name, value in KEEPING.items() if name != left_out}).spec
    assert front_settings(spec, model) == {}


def test_a_service_that_keeps_no_results_has_no_settings_of_them() -> None:
    assert cache_settings(service().spec) == {}


def test_results_with_speakers_are_known_by_the_pods_encoder() -> None:
    spec = service(**KEEPING, diarization={}).spec
    found = front_settings(spec, ModelRef("tiny.en", "a" * 64, EncoderRef("resemblyzer")))
    assert found["diarization_model"] == "resemblyzer"
    assert front_settings(spec, MODEL)["diarization_model"] is None, "as pods of before the change are"
