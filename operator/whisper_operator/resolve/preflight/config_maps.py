"""The ConfigMaps that the spec names: there, and with the key that is mounted from them."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.api.scalars import KeyRef
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.model import needs_source
from whisper_operator.resolve.preflight.finding import Finding


def source_authority(service: WhisperService, observed: Observed) -> Finding | None:
    source = service.spec.model.source
    if source is None or source.ca_ref is None or not needs_source(service, observed):
        return None
    remedy = "with the certificate authority of spec.model.source.url in PEM"
    problem = _problem(service, observed, source.ca_ref, "spec.model.source.caRef", remedy)
    return Finding(c.SOURCE_CA_INVALID, problem, holds=True) if problem else None


def golden_clip(service: WhisperService, observed: Observed) -> Finding | None:
    """Every pod mounts the clip: without it none would start, the GPU that it was given notwithstanding."""
    audio = service.spec.verification.audio if service.spec.verification else None
    if audio is None:
        return None
    field, remedy = "spec.verification.audio.configMapKeyRef", "with a recording: WAV, 16-bit, mono, 16 kHz"
    problem = _problem(service, observed, audio.config_map_key_ref, field, remedy)
    return Finding(c.VERIFICATION_AUDIO_INVALID, problem, holds=True) if problem else None


def _problem(service: WhisperService, observed: Observed, ref: KeyRef, field: str, remedy: str) -> str | None:
    """What is wrong with the ConfigMap of `ref`, and what to do; None where nothing is, or nobody has looked."""
    if ref.name not in observed.facts.config_maps:
        return None
    keys, where = observed.facts.config_maps[ref.name], f"ConfigMap {service.metadata.namespace}/{ref.name}"
    if keys is None:
        return f"{where}, named in {field}, is not there: create it, {remedy} under the key {ref.key}"
    if ref.key not in keys:
        return f"{where} has no key {ref.key}, named in {field}: add it, {remedy}, or correct the field"
    return None
