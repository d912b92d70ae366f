"""Opens the jobs that pods share: rows in their store, and contents beside those, in a bucket, or on a volume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.service.jobs.bucket_contents import BucketContents
from whisper_runtime.service.jobs.files import FILES, StoredFiles
from whisper_runtime.service.jobs.kept_contents import BesideJobs, KeptContents, SharedFiles
from whisper_runtime.service.jobs.shared_store import SharedJobStore
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs
from whisper_runtime.service.jobs.store import cannot_keep
from whisper_runtime.service.shared.object_bucket import ObjectBucket, place_of
from whisper_runtime.service.shared.store_caller import StoreCaller


def open_shared(directory: str | None, config: RuntimeConfig, on_lost: Callable[[int], None]) -> SharedJobStore:
    """The jobs that are in the store that `config` names. Raises CannotKeepJobs.

    `directory`: of their contents; None: those are in the bucket, if `config` has one, or in the store. `on_lost`: as
    SharedJobStore has it.
    """
    assert config.redis_url_file is not None
    verbs = SharedVerbs(
        StoreCaller(config.redis_url_file, config.redis_ca_file),
        config.redis_prefix,
        max_bytes=config.jobs_max_bytes,
        max_queued_seconds=config.jobs_max_queued_audio_seconds,
    )
    return SharedJobStore(
        verbs,
        _contents(directory, config),
        keep_seconds=config.jobs_result_seconds,
        on_lost=on_lost,
    )


def _contents(directory: str | None, config: RuntimeConfig) -> KeptContents:
    """Where the contents of jobs are that a shared store has."""
    if place := place_of(config):
        return BucketContents(ObjectBucket(place))
    try:
        return SharedFiles(StoredFiles(Path(directory, FILES))) if directory else BesideJobs()
    except OSError as error:
        raise cannot_keep(directory, error, "mount a volume there that all pods can write") from None
