"""Puts the process together: configuration, start-up steps, engine, service, servers."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import OFFICIAL_MODELS, PACKAGED_ENCODERS, encoder_sha256
from whisper_runtime.diarization.interface import Diarizer
from whisper_runtime.engine.batching.worker import EngineWorker
from whisper_runtime.media.channels import decode_channels
from whisper_runtime.media.decode import decode
from whisper_runtime.media.kept_audio import keep_audio, read_audio
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.process.digest_check import WrongFile
from whisper_runtime.process.start_up import StartUp
from whisper_runtime.process.threads import ThreadCount
from whisper_runtime.service import tracing
from whisper_runtime.service.audio_loading import MediaDecoder
from whisper_runtime.service.decode_slots import decoders_beside
from whisper_runtime.service.disk_quota import scratch_dir_problem
from whisper_runtime.service.languages import ALL, wrong_default
from whisper_runtime.service.model_info import ServedModel, promised_digest
from whisper_runtime.service.parts import parts_of


def run(config: RuntimeConfig, threads: ThreadCount) -> str | None:
    """Serves until SIGTERM or SIGINT; returns None then, else why the process cannot serve.

    `threads` are those that torch computes in.
    """
    if problem := misconfigured(config) or scratch_dir_problem():
        return problem
    model = ServedModel(config)
    metrics = Metrics(model.info.name)
    metrics.process.computes_in(threads.count, threads.reason)
    diarizer: Future[Diarizer] | None = Future() if config.diarization_model else None

    def on_wrong(error: WrongFile) -> None:
        engine.fail(error)

    start = StartUp(config, model, metrics, on_wrong, diarizer)
    engine = EngineWorker(start.bring_up, start.prove)
    began = time.monotonic()
    engine.start()
    # Half a second of imports, while the engine's thread loads and proves the model: nearly all of that is native code.
    from whisper_runtime.process.listening import CannotServe
    from whisper_runtime.process.servers import serve
    from whisper_runtime.service.jobs.content import AudioCodec
    from whisper_runtime.service.jobs.open import open_jobs
    from whisper_runtime.service.jobs.store import CannotKeepJobs

    try:
        decoders, spans = decoders_beside(threads.count), tracing.start(os.environ)
        media = MediaDecoder(decode, decode_channels)
        parts = parts_of(config, engine, media, model, metrics, decoders=decoders, tracing=spans, diarizer=diarizer)
        jobs = open_jobs(config.jobs_dir, parts, AudioCodec(keep_audio, read_audio)) if config.keeps_jobs else None
        batches = None
        if jobs:
            from whisper_runtime.http.batch_line import OpenAILines
            from whisper_runtime.service.batches.open import open_batches

            lines = OpenAILines(model, takes_urls=parts.transcriber.takes_urls)
            batches = open_batches(config.jobs_dir, parts, jobs, lines)
        serve(parts, began, jobs, batches)
    except (CannotServe, CannotKeepJobs) as error:
        return str(error)
    return None


def misconfigured(config: RuntimeConfig) -> str | None:
    """The first fault of `config` that shows before the model is loaded; None: there is none."""
    if promised_digest(config) is None and "/" not in config.model:
        return (
            f"WHISPER_MODEL is {config.model!r}, which is not a model of openai-whisper: set one of "
            f"{', '.join(OFFICIAL_MODELS)}, or the path of a checkpoint, or set WHISPER_MODEL_URL and "
            "WHISPER_MODEL_SHA256 too"
        )
    encoder = config.diarization_model
    if encoder and "/" not in encoder and encoder_sha256(encoder, config.diarization_model_sha256) is None:
        return (
            f"WHISPER_DIARIZATION_MODEL is {encoder!r}, which is no speaker encoder that comes with the runtime: set "
            f"{', '.join(PACKAGED_ENCODERS)}, or the path of a checkpoint, or set WHISPER_DIARIZATION_MODEL_SHA256 too"
        )
    if config.webhook_allowed_hosts and config.webhook_secrets_dir is None:
        return (
            "WHISPER_WEBHOOK_ALLOWED_HOSTS is set without WHISPER_WEBHOOK_SECRETS_DIR, and no receiver could tell who "
            "sends it an event: mount a directory with a secret, and name it there"
        )
    if config.jobs_store == "redis" and config.redis_url_file is None:
        return (
            "WHISPER_JOBS_STORE is redis without WHISPER_REDIS_URL_FILE, which names the store: set that, or let "
            "WHISPER_JOBS_STORE be directory"
        )
    if config.jobs_s3_bucket and (config.jobs_store != "redis" or config.jobs_dir):
        return (
            "WHISPER_JOBS_S3_BUCKET is set, which keeps the contents of jobs that are in the shared store: let "
            "WHISPER_JOBS_STORE be redis, and WHISPER_JOBS_DIR unset"
        )
    english_only = config.model in OFFICIAL_MODELS and config.model.endswith(".en")
    return wrong_default(config.language, 1 if english_only else ALL)
