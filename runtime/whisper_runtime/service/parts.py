"""The parts of one runtime process, put together once; each goes only to those that use it."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.diarization.interface import Diarizer
from whisper_runtime.engine.interface import Engine
from whisper_runtime.media.decoder_version import decoder_version
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.service.admission import Admission
from whisper_runtime.service.audio_loading import AudioLoader, MediaDecoder
from whisper_runtime.service.decode_slots import MOST_AT_ONCE, DecodeSlots
from whisper_runtime.service.downloads import Downloader, OpenUrl
from whisper_runtime.service.lifecycle import Lifecycle
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.probes import Probes
from whisper_runtime.service.rate_limits import ClientRates, RateLimits
from whisper_runtime.service.result_cache.cache import ResultCache
from whisper_runtime.service.result_cache.metrics import CacheMetrics
from whisper_runtime.service.result_cache.store import MemoryStore
from whisper_runtime.service.serving_facts import left_facts
from whisper_runtime.service.speaker_references import ReferenceLoader
from whisper_runtime.service.speakers import SpeakerFinder
from whisper_runtime.service.speech_detector import SpeechDetector
from whisper_runtime.service.tracing import Tracing
from whisper_runtime.service.transcribe import Transcriber

if TYPE_CHECKING:  # its client of Valkey and Redis takes half a second to import
    from whisper_runtime.service.shared.shared_store import SharedStore


@dataclass(frozen=True)
class RuntimeParts:
    config: RuntimeConfig
    engine: Engine
    model: ServedModel
    lifecycle: Lifecycle
    admission: Admission
    transcriber: Transcriber
    speakers: SpeakerFinder | None
    """None: speakers are not told apart."""
    results: ResultCache | None
    """None: none are kept."""
    probes: Probes
    metrics: Metrics
    tracing: Tracing | None
    """None: no spans are sent."""
    store: SharedStore | None
    """What the pods of the service share; None: nothing."""


def parts_of(
    config: RuntimeConfig,
    engine: Engine,
    decode: MediaDecoder,
    model: ServedModel,
    metrics: Metrics,
    *,
    decoders: int = MOST_AT_ONCE,
    tracing: Tracing | None = None,
    diarizer: Future[Diarizer] | None = None,
) -> RuntimeParts:
    """The process that `config` describes, around `engine` and `decode`; its gauges are in `metrics`.

    `decoders` files are decoded at once. `tracing` is None where no spans are sent, `diarizer` where speakers are not
    told apart; else it is there once the engine is READY.
    """
    lifecycle = Lifecycle()
    own_rates = RateLimits(config.requests_per_minute, config.audio_minutes_per_hour)
    store = _shared_store(config, own_rates, metrics, model)
    rates = _rates(config, own_rates, store)
    admission = Admission(config, engine, lifecycle, rates)
    probes = Probes(engine, lifecycle)
    slots = DecodeSlots(decoders)
    loader = AudioLoader(decode, SpeechDetector(decoders), admission, metrics.engine, slots)
    speakers = None
    if diarizer:
        speakers = SpeakerFinder(diarizer, decoders, ReferenceLoader(decode.mixed, slots), metrics.engine)
    downloader = Downloader(
        _url_opener(config),
        metrics.engine,
        max_bytes=admission.max_upload_bytes,
        request_timeout=config.request_timeout_seconds,
    )
    metrics.process.watch(
        engine,
        saturation=lambda: admission.saturation,
        oldest_wait=lambda: admission.shares.oldest_wait,
        scratch=lambda: admission.disk.used,
        ready=lambda: probes.unready is None,
    )
    return RuntimeParts(
        config=config,
        engine=engine,
        model=model,
        lifecycle=lifecycle,
        admission=admission,
        transcriber=Transcriber(
            engine, downloader, loader, admission, metrics.requests, config.request_timeout_seconds, speakers
        ),
        speakers=speakers,
        results=_result_cache(config, model, engine, metrics, store),
        probes=probes,
        metrics=metrics,
        tracing=tracing,
        store=store,
    )


def _shared_store(config: RuntimeConfig, own: RateLimits, metrics: Metrics, model: ServedModel) -> SharedStore | None:
    """The store that `config` names, where fronts find what `model` can do; None: it names none."""
    if config.redis_url_file is None:
        return None
    from whisper_runtime.service.shared.open import open_store

    decoder = decoder_version()

    def facts() -> tuple[str, bytes] | None:
        return left_facts(config, model.info, decoder)

    return open_store(config, config.redis_url_file, own, metrics.registry, facts)


def _rates(config: RuntimeConfig, own: RateLimits, store: SharedStore | None) -> ClientRates:
    """The rates that requests are charged to."""
    if store is None:
        return own
    from whisper_runtime.service.shared.open import shared_rates

    return shared_rates(config, own, store)


def _result_cache(
    config: RuntimeConfig, model: ServedModel, engine: Engine, metrics: Metrics, store: SharedStore | None
) -> ResultCache | None:
    """None: no results are kept."""
    if (max_bytes := config.result_cache_max_bytes) is None:
        return None
    own = MemoryStore(max_bytes, config.result_cache_seconds)
    counts = CacheMetrics(metrics.registry, lambda: own.used_bytes)
    is_shared = config.result_cache_scope == "service"
    if store is None:
        return ResultCache(own, own, model, engine, counts, is_shared=is_shared)
    from whisper_runtime.service.shared.open import shared_flights, shared_results

    results = shared_results(config, own, store, max_bytes)
    return ResultCache(
        results,
        results,
        model,
        engine,
        counts,
        is_shared=is_shared,
        decoder=decoder_version(),
        turns=shared_flights(config, store),
    )


def _url_opener(config: RuntimeConfig) -> OpenUrl | None:
    """Begins downloads from the hosts that `config` allows; None: it allows none."""
    if not config.audio_url_allowed_hosts:
        return None
    from whisper_runtime.service.outbound.download import download
    from whisper_runtime.service.outbound.transport import guarded_transport

    hosts, networks = config.audio_url_allowed_hosts, config.audio_url_private_networks
    return partial(download, guarded_transport(hosts, networks, config.cluster_networks))
