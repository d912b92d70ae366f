"""What decides the text of a recording, and where results are kept, for pods that serve and a front that knows them."""

from __future__ import annotations

from typing import Any

from whisper_operator.api.units import duration_seconds, size_bytes
from whisper_operator.api.v1alpha1 import Spec
from whisper_operator.resolve.model import ModelRef


def text_settings(spec: Spec, model: ModelRef) -> dict[str, Any]:
    """The fields of RuntimeConfig by which a request's options and its model come to a text."""
    return {
        "model": model.name,
        "model_aliases": spec.model.aliases,
        "model_sha256": model.sha256,
        "diarization_model": model.encoder.name if model.encoder else None,
        "diarization_model_sha256": model.encoder.sha256 if model.encoder else None,
        "device": ("cuda" if spec.gpu else "cpu") if spec.device == "auto" else spec.device,
        "compute_type": spec.compute_type,
        "language": spec.language,
        "condition_on_previous_text": spec.server.condition_on_previous_text,
    }


def cache_settings(spec: Spec) -> dict[str, Any]:
    """The settings by which the runtime keeps results; none where it keeps none."""
    if (cache := spec.result_cache) is None:
        return {}
    return {
        "result_cache_max_bytes": size_bytes(cache.size),
        "result_cache_seconds": duration_seconds(cache.ttl),
        "result_cache_scope": cache.scope.lower(),
    }
