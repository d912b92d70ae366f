"""What the cache of checkpoints holds, for whoever looks after it; beside the probes, where no client is."""

from __future__ import annotations

import shutil
from pathlib import Path

from fastapi import APIRouter

from whisper_runtime.contract.network import CACHE_PATH
from whisper_runtime.contract.reports import MAX_CACHE_FILES, CacheReport
from whisper_runtime.errors import HttpError
from whisper_runtime.fetch.cache import checkpoints
from whisper_runtime.http.dependencies import ModelDirDep

router = APIRouter(include_in_schema=False)


@router.get(CACHE_PATH)
def cache(directory: ModelDirDep) -> CacheReport:
    """Raises HttpError (503) where it cannot be read.

    Not async, so that FastAPI runs it in a thread: a volume of the network may not answer for a while.
    """
    try:
        files = checkpoints(Path(directory), MAX_CACHE_FILES)
        disk = shutil.disk_usage(directory)
    except OSError as error:
        raise HttpError(503, f"{directory} cannot be read: {error.strerror}", code="cache_unreadable") from None
    return CacheReport(files=files, total_bytes=disk.total, free_bytes=disk.free)
