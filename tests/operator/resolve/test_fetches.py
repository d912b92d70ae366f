"""What a service fetches: its model, and an encoder of the user's own before it."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import service
from whisper_operator.resolve.fetches import Fetch, fetches

ENCODER = {"url": "https://m/v.onnx", "sha256": "b" * 64}
CA = {"name": "ca", "key": "root.pem"}


def diarized(source: dict[str, Any] | None = None, **spec: Any) -> tuple[Fetch, ...]:
    model = {"name": "voices", "source": {**ENCODER, **source}} if source is not None else {}
    return fetches(service(diarization={"model": model}, **spec).spec)


def test_the_model_is_fetched_and_an_encoder_that_comes_with_the_runtime_is_not() -> None:
    for found in (fetches(service().spec), diarized()):
        (one,) = found
        assert (one.container, one.name, one.source, one.is_encoder) == ("fetch", "base", None, False)


def test_an_encoder_of_ones_own_is_fetched_first_from_its_own_source() -> None:
    encoder, model = diarized({"secretRef": {"name": "hub"}})
    assert (encoder.container, encoder.name, encoder.is_encoder) == ("fetch-encoder", "voices", True)
    assert encoder.source is not None
    assert (encoder.field, encoder.source.url) == ("spec.diarization.model.source", "https://m/v.onnx")
    assert (model.container, model.field, model.source) == ("fetch", "spec.model.source", None)


def test_each_trusts_its_own_authority_or_both_that_of_all_fetches() -> None:
    encoder, model = diarized({"caConfigMapKeyRef": CA})
    assert (encoder.authorities and encoder.authorities.name, model.authorities) == ("ca", None)
    assert encoder.authorities_field == "spec.diarization.model.source.caConfigMapKeyRef"
    both = diarized({}, prefetch={"caConfigMapKeyRef": CA})
    assert [one.authorities_field for one in both] == ["spec.prefetch.caConfigMapKeyRef"] * 2
    assert all(one.authorities and one.authorities.name == "ca" for one in both)
