"""The spec's part about speakers: the encoder of voices by which they are told apart."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from whisper_operator.api.base import ApiModel, Rule, cel_list, text
from whisper_operator.api.spec.source import ModelSourceSpec, SourceUrl, source_rules
from whisper_runtime.contract.models import DEFAULT_ENCODER, PACKAGED_ENCODERS

SOURCE: Final = "spec.diarization.model.source"


class EncoderSourceSpec(ModelSourceSpec):
    """Where an encoder comes from: as a model does, and always with its digest."""

    url: SourceUrl | None = None
    """URL of the encoder: https://, http://, s3://bucket/key, pvc://claim/path, hf://owner/name@commit or
    oci://registry/repository:tag@sha256:digest; behind the last two the one file .onnx there, or else the one file .pt.
    An ONNX file, or a torch file of resemblyzer's layout, of which tensors alone are read."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.sha256)",
            f"{SOURCE}.sha256 is missing: add the digest that `sha256sum` prints for the encoder's file",
            lambda self: self.sha256 is not None,
        ),
        *source_rules(SOURCE),
    )


class SpeakerEncoderSpec(ApiModel):
    name: Annotated[
        str,
        *text(
            "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
            "is not a valid name of a speaker encoder; use lower-case letters, digits, hyphens and dots",
            longest=63,
        ),
    ] = DEFAULT_ENCODER
    """Name of the encoder. `resemblyzer` comes with the runtime's image, and is never fetched; any other name with
    `source`."""
    source: EncoderSourceSpec | None = None
    """Source of an encoder of yours, which is fetched as the model is, into the same cache."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"has(self.source) || self.name in {cel_list(PACKAGED_ENCODERS)}",
            "spec.diarization.model.name is no speaker encoder that comes with the runtime: use "
            + ", ".join(PACKAGED_ENCODERS)
            + ", or add spec.diarization.model.source with the URL of yours",
            lambda self: self.source is not None or self.name in PACKAGED_ENCODERS,
        ),
        Rule(
            f"!has(self.source) || !(self.name in {cel_list(PACKAGED_ENCODERS)})",
            "spec.diarization.model.name is an encoder that comes with the runtime, and spec.diarization.model.source "
            "is another one: give yours a name of its own, or remove the source",
            lambda self: self.source is None or self.name not in PACKAGED_ENCODERS,
        ),
    )


class DiarizationSpec(ApiModel):
    model: SpeakerEncoderSpec = SpeakerEncoderSpec()
    """The encoder that turns voices into numbers, by which they are compared. A change of it is one of the model: the
    pods of before serve until one with the new encoder is proven."""
