"""The parts of a runtime process around the fake engine."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from tests.fakes.engine import FakeEngine, fake_decode, fake_decode_channels
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.diarization.interface import Diarizer
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.service.audio_loading import Decode, MediaDecoder
from whisper_runtime.service.model_info import ServedModel, promised_digest
from whisper_runtime.service.parts import RuntimeParts, parts_of
from whisper_runtime.service.tracing import Tracing


def fake_parts(
    engine: FakeEngine,
    decode: Decode[DecodedAudio] = fake_decode,
    tracing: Tracing | None = None,
    diarizer: Diarizer | None = None,
    **config: Any,
) -> RuntimeParts:
    """A process whose model is loaded, with a configuration of the given fields; the model is `base` by default.

    `diarizer` None: it does not tell speakers apart.
    """
    of_diarizer: dict[str, Any] = {"diarization_model": "/models/voices.pt"} if diarizer else {}
    configured = RuntimeConfig(**({"model": "base"} | of_diarizer | config))
    model, metrics = ServedModel(configured, engine.abilities), Metrics("base")
    if digest := promised_digest(configured):
        model.has_digest(digest)
    metrics.process.serves(model.info.digest, "", "", lambda: 0)
    loaded: Future[Diarizer] = Future()
    if diarizer:
        model.has_diarizer(diarizer.digest)
        loaded.set_result(diarizer)
    return parts_of(
        configured,
        engine,
        MediaDecoder(decode, fake_decode_channels),
        model,
        metrics,
        tracing=tracing,
        diarizer=loaded if diarizer else None,
    )
