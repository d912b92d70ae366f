"""The checkpoints that a service fetches, each from its source and by a container of its own. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api.scalars import KeyRef
from whisper_operator.api.spec.diarization import SOURCE as ENCODER_SOURCE
from whisper_operator.api.spec.source import ModelSourceSpec
from whisper_operator.api.v1alpha1 import Spec
from whisper_operator.observe.pod_reports import FETCH, FETCH_ENCODER

MODEL_SOURCE: Final = "spec.model.source"
OF_ALL: Final = "spec.prefetch.caConfigMapKeyRef"


@dataclass(frozen=True)
class Fetch:
    container: str
    """Name of the container that fetches it."""
    name: str
    """The checkpoint's."""
    field: str
    """Path of `source` in the manifest."""
    source: ModelSourceSpec | None
    """None: openai-whisper's own download."""
    authorities: KeyRef | None
    """The ConfigMap and key of certificate authorities that are trusted beside the image's."""
    authorities_field: str

    @property
    def is_encoder(self) -> bool:
        return self.container == FETCH_ENCODER


def fetches(spec: Spec) -> tuple[Fetch, ...]:
    """In the order in which they are fetched: the model is the last."""
    encoder = spec.diarization.model if spec.diarization else None
    model = _fetch(spec, FETCH, spec.model.name, MODEL_SOURCE, spec.model.source)
    if encoder is None or encoder.source is None:
        return (model,)
    return (_fetch(spec, FETCH_ENCODER, encoder.name, ENCODER_SOURCE, encoder.source), model)


def _fetch(spec: Spec, container: str, name: str, field: str, source: ModelSourceSpec | None) -> Fetch:
    given, of_all = source.ca_config_map_key_ref if source else None, spec.prefetch.ca_config_map_key_ref
    return Fetch(
        container=container,
        name=name,
        field=field,
        source=source,
        authorities=of_all or given,
        authorities_field=OF_ALL if of_all else f"{field}.caConfigMapKeyRef",
    )
