"""Opens the jobs of a process: their store, their worker, their door, and what sends their events."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.service.jobs.collector import JobCollector
from whisper_runtime.service.jobs.content import AudioCodec
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.intake import JobIntake
from whisper_runtime.service.jobs.known_results import KnownResults
from whisper_runtime.service.jobs.outbox import DeliveryOutbox
from whisper_runtime.service.jobs.sqlite_outbox import SqliteOutbox
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore, is_disk_full
from whisper_runtime.service.jobs.store import JobStore, cannot_keep
from whisper_runtime.service.jobs.worker import JobWorker
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.webhooks.deliverer import WebhookDeliverer


def open_jobs(directory: str | None, parts: RuntimeParts, codec: AudioCodec) -> JobDoor:
    """The jobs in `directory`, which the parts' engine transcribes while the worker runs; blocks.

    None: only where jobs are in the shared store. Raises CannotKeepJobs.
    """
    config = parts.config
    store, outbox = _of_directory(directory, config) if config.jobs_store == "directory" else _shared(directory, parts)
    known = KnownResults(parts.results)
    worker = JobWorker(
        store,
        codec.read,
        parts.engine,
        parts.model,
        parts.admission.disk,
        parts.metrics.requests,
        most_audio_seconds=config.max_audio_seconds,
        known=known,
        speakers=parts.speakers,
    )
    collector = JobCollector(lambda: worker.statistics, lambda: worker.progress_seconds, config.jobs_max_bytes)
    parts.metrics.registry.register(collector)
    deliverer = _deliverer(parts, outbox)
    intake = JobIntake(store, parts.transcriber, codec.keep, known.is_on)
    return JobDoor(store, intake, worker, parts.engine, parts.lifecycle, outbox, deliverer, known)


def _of_directory(directory: str | None, config: RuntimeConfig) -> tuple[JobStore, DeliveryOutbox]:
    assert directory is not None
    try:
        store = SqliteJobStore(
            Path(directory),
            max_bytes=config.jobs_max_bytes,
            keep_seconds=config.jobs_result_seconds,
            max_queued_seconds=config.jobs_max_queued_audio_seconds,
        )
        return store, SqliteOutbox(Path(directory))
    except (OSError, sqlite3.Error) as error:
        remedy = "mount a writable volume there that is not a network file system"
        if is_disk_full(error):
            remedy = "make room on its disk, which is full"
        raise cannot_keep(directory, error, remedy) from None


def _shared(directory: str | None, parts: RuntimeParts) -> tuple[JobStore, DeliveryOutbox]:
    from whisper_runtime.service.jobs.open_shared import open_shared
    from whisper_runtime.service.jobs.shared_outbox import SharedOutbox

    assert parts.store is not None
    store = open_shared(directory, parts.config, parts.store.note_lost_jobs)
    return store, SharedOutbox(store.verbs)


def _deliverer(parts: RuntimeParts, outbox: DeliveryOutbox) -> WebhookDeliverer | None:
    """None: the configuration allows no host."""
    config = parts.config
    if not config.webhook_allowed_hosts or config.webhook_secrets_dir is None:
        return None
    from whisper_runtime.service.outbound.transport import guarded_transport

    hosts, networks = config.webhook_allowed_hosts, config.webhook_private_networks
    transport = guarded_transport(hosts, networks, config.cluster_networks)
    return WebhookDeliverer(outbox, transport, Path(config.webhook_secrets_dir), parts.metrics.requests)
