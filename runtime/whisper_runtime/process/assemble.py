"""Puts the process together: checkpoint, engine, servers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import OFFICIAL_MODELS, checkpoint_path
from whisper_runtime.engine.batching.scheduler import build_scheduler
from whisper_runtime.engine.batching.worker import EngineWorker
from whisper_runtime.engine.interface import CannotLoad, Samples
from whisper_runtime.engine.model import load
from whisper_runtime.fetch.fetch import fetch
from whisper_runtime.fetch.partial import sha256_of
from whisper_runtime.media import decode, self_test
from whisper_runtime.metrics import Metrics
from whisper_runtime.process.egress_probe import look_for_a_way_out
from whisper_runtime.process.servers import CannotServe, serve
from whisper_runtime.service.disk_quota import unusable
from whisper_runtime.service.languages import ALL, wrong_default
from whisper_runtime.service.model_info import promised_digest
from whisper_runtime.service.state import Serving


def run(config: RuntimeConfig) -> str | None:
    """Serves until it is told to stop; None then, else why it cannot serve."""
    if problem := misconfigured(config) or unusable():
        return problem
    path, metrics = checkpoint(config), Metrics()
    engine = EngineWorker(
        load=lambda: build_scheduler(_load(config, path, metrics), metrics, config.max_batch_size),
        prove=lambda transcribe: _prove(config, transcribe, metrics),
    )
    try:
        serve(Serving(config, engine, decode.decode, metrics), lambda: ensure(config, path, metrics))
    except CannotServe as error:
        return str(error)
    return None


def misconfigured(config: RuntimeConfig) -> str | None:
    """What is wrong, as far as it shows before anything is fetched; the rest is told once the model is loaded."""
    if promised_digest(config) is None and "/" not in config.model:
        return (
            f"WHISPER_MODEL is {config.model!r}, which is none of openai-whisper's: write one of "
            f"{', '.join(OFFICIAL_MODELS)}, or a checkpoint's path, or say where it is in WHISPER_MODEL_URL and "
            "WHISPER_MODEL_SHA256"
        )
    english_only = config.model in OFFICIAL_MODELS and config.model.endswith(".en")
    return wrong_default(config.language, 1 if english_only else ALL)


def checkpoint(config: RuntimeConfig) -> Path:
    """Where the model's file is, or will be."""
    if "/" in config.model:
        return Path(config.model)
    return Path(checkpoint_path(config.model_dir, config.model, config.model_sha256))


def _load(config: RuntimeConfig, path: Path, metrics: Metrics) -> load.WhisperModel:
    with metrics.phase("load"):
        loaded = load.load(path, config.device, config.compute_type)
    if problem := wrong_default(config.language, loaded.abilities.languages):
        raise CannotLoad(problem)
    on_gpu = loaded.device.type == "cuda"
    device = torch.cuda.get_device_name(loaded.device) if on_gpu else loaded.device.type
    metrics.runs_on(device, loaded.precision, torch.cuda.memory_allocated if on_gpu else lambda: 0)
    return loaded


def _prove(config: RuntimeConfig, transcribe: Callable[[Samples], str], metrics: Metrics) -> None:
    look_for_a_way_out(os.environ, metrics.egress)
    with metrics.phase("prove"):
        self_test.prove(config.golden_dir, config.golden_max_word_error_rate, transcribe)


def ensure(config: RuntimeConfig, path: Path, metrics: Metrics) -> str:
    """The checkpoint's sha256. Raises CannotServe.

    A lone container starts with a name alone, so what is not there is fetched, and `fetch` gives no file its name whose
    digest is wrong. A file that is given by its path has been looked at by nobody.
    """
    digest = promised_digest(config)
    if digest is None:
        return _digest_of(path, config.model_sha256)
    if not path.exists():
        with metrics.phase("fetch"):
            report = fetch(config)
        if not path.exists():
            raise CannotServe(f"{report.reason}: {report.message}")
    return digest


def _digest_of(path: Path, wanted: str | None) -> str:
    try:
        digest = sha256_of(path)
    except OSError as error:
        why = f"WHISPER_MODEL names {path}, which cannot be read ({error.strerror})"
        raise CannotServe(f"{why}: correct the path, or mount the file there") from None
    if wanted not in (None, digest):
        raise CannotServe(f"{path} has sha256 {digest}, but WHISPER_MODEL_SHA256 is {wanted}: correct one of the two")
    return digest
