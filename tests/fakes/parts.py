"""The parts of a runtime process around the fake engine."""

from __future__ import annotations

from typing import Any

from tests.fakes.engine import FakeEngine, fake_decode, fake_decode_channels
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.metrics import Metrics
from whisper_runtime.service.audio_loading import Decode, MediaDecoder
from whisper_runtime.service.model_info import ServedModel, promised_digest
from whisper_runtime.service.parts import RuntimeParts, parts_of
from whisper_runtime.service.tracing import Tracing


def fake_parts(
    engine: FakeEngine, decode: Decode[DecodedAudio] = fake_decode, tracing: Tracing | None = None, **config: Any
) -> RuntimeParts:
    """A process whose model is loaded, with a configuration of the given fields; the model is `base` by default."""
    configured = RuntimeConfig(**({"model": "base"} | config))
    model, metrics = ServedModel(configured, engine.abilities), Metrics("base")
    if digest := promised_digest(configured):
        model.has_digest(digest)
    metrics.serves(model.info.digest, "", "", lambda: 0)
    return parts_of(configured, engine, MediaDecoder(decode, fake_decode_channels), model, metrics, tracing=tracing)
