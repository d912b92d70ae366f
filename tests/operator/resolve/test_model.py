"""References to models, and digests that a fetch has found."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.operator.samples import claim, deployment, fetched, observed, pod, resolved, service
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.resolve.model import EncoderRef, ModelRef
from whisper_runtime.contract.models import PACKAGED_ENCODERS

SHA = "a" * 64


def from_source(url: str, name: str = "mine", **source: Any) -> WhisperService:
    given = {} if url.startswith("pvc://") else {"sha256": SHA}
    return service(model={"name": name, "source": {"url": url, **given, **source}})


def reporting(digest: str) -> Manifest:
    report = {"model": "mine", "reason": "Fetched", "message": "", "digest": digest}
    return pod("prefetch", containerStatuses=[{"state": {"terminated": {"message": json.dumps(report)}}}])


def test_a_claims_file_without_a_digest_gets_the_one_that_was_found() -> None:
    wanted = from_source("pvc://weights/a.pt")
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    assert resolved(wanted, observed(*there)).model.admitted is None, "its digest is not known yet"
    assert resolved(wanted, observed(*there, reporting(SHA))).model.admitted == ModelRef("mine", SHA)


def test_a_found_digest_outlives_the_pod_that_found_it() -> None:
    status = {"model": {"name": "mine", "digest": f"sha256:{SHA}"}}
    model = {"name": "mine", "source": {"url": "pvc://weights/a.pt"}}
    assert resolved(service(status=status, model=model), observed()).model.wanted == ModelRef("mine", SHA)
    other = service(status={"model": {"name": "base", "digest": f"sha256:{SHA}"}}, model=model)
    assert resolved(other, observed()).model.wanted == ModelRef("mine", None)


@pytest.mark.parametrize(
    "model",
    [
        ModelRef("base", None),
        ModelRef("mine", SHA),
        ModelRef("base", None, EncoderRef("resemblyzer")),
        ModelRef("mine", SHA, EncoderRef("resemblyzer")),
        ModelRef("base", None, EncoderRef("voices", SHA)),
    ],
)
def test_an_annotation_keeps_the_model_and_what_tells_speakers_apart(model: ModelRef) -> None:
    assert ModelRef.parse(str(model)) == model
    assert {str(model), model.title}.isdisjoint({str(replace(model, name="other")), replace(model, name="other").title})


def test_pods_say_by_what_they_tell_speakers_apart() -> None:
    wanted = service(diarization={})
    cache = claim(wanted)
    there = [cache, fetched(wanted, cache)]
    found = resolved(wanted, observed(*there, deployment(wanted, *there))).model
    assert found.live == found.wanted == ModelRef("base", None, EncoderRef("resemblyzer"))
    assert (found.wanted.encoder and found.wanted.encoder.digest) == f"sha256:{PACKAGED_ENCODERS['resemblyzer']}"


def test_the_digest_that_a_fetch_finds_leaves_the_encoder_as_it_is() -> None:
    wanted = service(model={"name": "mine", "source": {"url": "pvc://weights/a.pt"}}, diarization={})
    there = [claim(wanted), fetched(wanted, claim(wanted)), reporting(SHA)]
    assert resolved(wanted, observed(*there)).model.admitted == ModelRef("mine", SHA, EncoderRef("resemblyzer"))
