"""Puts the process together: checkpoint, engine, servers."""

from __future__ import annotations

from pathlib import Path

from whisper_runtime import audio, golden
from whisper_runtime.contract import RuntimeConfig, checkpoint_path
from whisper_runtime.engine import model
from whisper_runtime.engine.scheduler import Scheduler
from whisper_runtime.fetch import fetch
from whisper_runtime.server import CannotServe, serve
from whisper_runtime.serving import Serving


def run(config: RuntimeConfig) -> str | None:
    """Serves until it is told to stop; None then, else why it cannot serve."""
    path = checkpoint(config)
    engine = Scheduler(
        load=lambda: model.load(path, config.device, config.compute_type),
        prove=lambda transcribe: golden.prove(config.golden_dir, config.golden_max_word_error_rate, transcribe),
    )
    try:
        serve(Serving(config, engine, audio.decode), lambda: ensure(config, path))
    except CannotServe as error:
        return str(error)
    return None


def checkpoint(config: RuntimeConfig) -> Path:
    """Where the model's file is, or will be."""
    if "/" in config.model:
        return Path(config.model)
    return Path(checkpoint_path(config.model_dir, config.model, config.model_sha256))


def ensure(config: RuntimeConfig, path: Path) -> None:
    """Fetches the checkpoint where it is not there: a lone container starts with a name alone. Raises CannotServe."""
    if path.exists():
        return
    if "/" in config.model:
        raise CannotServe(
            f"WHISPER_MODEL names {path}, which does not exist: correct the path, or mount the file there"
        )
    report = fetch(config)
    if not path.exists():
        raise CannotServe(f"{report.reason}: {report.message}")
