"""Speakers: an empty object switches them on, by the encoder that comes with the runtime."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, manifest, refused
from whisper_operator.api.spec.diarization import DiarizationSpec


def test_an_empty_object_takes_the_encoder_that_needs_no_fetch() -> None:
    assert accepted(diarization={}).diarization == DiarizationSpec()
    assert manifest(DiarizationSpec()) == {"model": {"name": "resemblyzer", "source": None}}
    assert accepted().diarization is None


def test_another_encoder_has_no_file() -> None:
    assert "spec.diarization.model.name is no speaker encoder that comes with the runtime: use resemblyzer" in refused(
        diarization={"model": {"name": "wespeaker"}}
    )


def test_its_name_is_one_of_files() -> None:
    assert "is not a valid name of a speaker encoder" in refused(diarization={"model": {"name": "../mine"}})


YOURS = {"url": "https://models.example.com/voices.onnx", "sha256": "b" * 64}


def with_source(**source: Any) -> dict[str, Any]:
    return {"model": {"name": "voices", "source": {**YOURS, **source}}}


def test_an_encoder_of_ones_own_comes_from_a_source() -> None:
    found = accepted(diarization=with_source(secretRef={"name": "hub"}))
    assert found.encoder_source is not None
    assert found.encoder_source.url == YOURS["url"]
    assert accepted(diarization={}).encoder_source is accepted().encoder_source is None


@pytest.mark.parametrize("url", ["hf://owner/name@main", "oci://r.example.com/m:v1", "s3://b/v.onnx", "pvc://c/v.pt"])
def test_it_comes_from_wherever_a_model_may(url: str) -> None:
    found = accepted(diarization=with_source(url=url)).encoder_source
    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    ("diarization", "says"),
    [
        (with_source(sha256=None), "spec.diarization.model.source.sha256 is missing: add the digest that"),
        (with_source(url="pvc://weights/voices.onnx", sha256=None), "spec.diarization.model.source.sha256 is missing"),
        (
            with_source(url=f"hf://owner/name@{'a' * 40}", sha256=None),
            "spec.diarization.model.source.sha256 is missing",
        ),
        (with_source(url="https://u:p@m/v.onnx"), "spec.diarization.model.source.url must not contain credentials"),
        (with_source(url=None), "spec.diarization.model.source needs exactly one of url and urlSecretKeyRef"),
        (with_source(region="eu"), "spec.diarization.model.source.region has no use with this source"),
        (with_source(url="s3://b/a/"), "spec.diarization.model.source.url does not name a file"),
        ({"model": {"source": YOURS}}, "spec.diarization.model.name is an encoder that comes with the runtime, and"),
    ],
)
def test_a_source_that_cannot_be_fetched_is_refused_by_its_field(diarization: dict[str, Any], says: str) -> None:
    assert says in refused(diarization=diarization)


def test_a_node_that_mounts_the_models_image_has_no_cache_for_an_encoder() -> None:
    image = {"name": "mine", "source": {"url": "oci://r.example.com/m:v1", "sha256": "a" * 64}}
    assert "no cache to be fetched into with spec.cache.type ImageVolume" in refused(
        model=image, cache={"type": "ImageVolume"}, diarization=with_source()
    )
    assert accepted(model=image, cache={"type": "ImageVolume"}, diarization={}).encoder_source is None


def test_one_fetch_trusts_one_list_of_authorities() -> None:
    ref = {"name": "ca", "key": "root.pem"}
    assert "spec.diarization.model.source.caConfigMapKeyRef name certificate authorities for the same" in refused(
        prefetch={"caConfigMapKeyRef": ref}, diarization=with_source(caConfigMapKeyRef=ref)
    )
