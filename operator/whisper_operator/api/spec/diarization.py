"""The spec's part about speakers: the encoder of voices by which they are told apart."""

from __future__ import annotations

from typing import Annotated, ClassVar

from whisper_operator.api.base import ApiModel, Rule, cel_list, text
from whisper_runtime.contract.models import DEFAULT_ENCODER, PACKAGED_ENCODERS


class SpeakerEncoderSpec(ApiModel):
    name: Annotated[
        str,
        *text(
            "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
            "is not a valid name of a speaker encoder; use lower-case letters, digits, hyphens and dots",
            longest=63,
        ),
    ] = DEFAULT_ENCODER
    """Name of the encoder. `resemblyzer` comes with the runtime's image, and is never fetched."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.name in {cel_list(PACKAGED_ENCODERS)}",
            "spec.diarization.model.name is no speaker encoder that comes with the runtime: use "
            + ", ".join(PACKAGED_ENCODERS),
            lambda self: self.name in PACKAGED_ENCODERS,
        ),
    )


class DiarizationSpec(ApiModel):
    model: SpeakerEncoderSpec = SpeakerEncoderSpec()
    """The encoder that turns voices into numbers, by which they are compared. A change of it is one of the model: the
    pods of before serve until one with the new encoder is proven."""
