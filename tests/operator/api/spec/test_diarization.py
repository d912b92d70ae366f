"""Speakers: an empty object switches them on, by the encoder that comes with the runtime."""

from __future__ import annotations

from tests.operator.api.specs import accepted, manifest, refused
from whisper_operator.api.spec.diarization import DiarizationSpec


def test_an_empty_object_takes_the_encoder_that_needs_no_fetch() -> None:
    assert accepted(diarization={}).diarization == DiarizationSpec()
    assert manifest(DiarizationSpec()) == {"model": {"name": "resemblyzer"}}
    assert accepted().diarization is None


def test_another_encoder_has_no_file() -> None:
    assert "spec.diarization.model.name is no speaker encoder that comes with the runtime: use resemblyzer" in refused(
        diarization={"model": {"name": "wespeaker"}}
    )


def test_its_name_is_one_of_files() -> None:
    assert "is not a valid name of a speaker encoder" in refused(diarization={"model": {"name": "../mine"}})
