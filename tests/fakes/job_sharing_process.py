"""A runtime process without a model, as one pod of several that share their jobs and batches.

python -m tests.fakes.job_sharing_process SECONDS: a recording takes two windows of so many seconds.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.fakes import killed_process
from tests.fakes.batches import fake_batches
from tests.fakes.jobs import FAKE_CODEC
from tests.fakes.parts import fake_parts
from whisper_runtime import logs
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.process.servers import serve
from whisper_runtime.service.batches import runner
from whisper_runtime.service.batches.shared_store import SharedBatchStore
from whisper_runtime.service.jobs import renewal
from whisper_runtime.service.jobs.open import open_jobs
from whisper_runtime.service.jobs.shared_store import SharedJobStore


def main(window_seconds: float) -> int:
    """Serves with the configuration of the environment until SIGTERM."""
    config = RuntimeConfig.from_env(os.environ)
    logs.configure(config.log_level, config.log_format)
    lease_seconds = killed_process.LEASE_SECONDS
    for module, changed in (
        (killed_process, {"WINDOW_SECONDS": window_seconds}),
        (renewal, {"RENEW_SECONDS": lease_seconds / 4, "PROGRESS_SECONDS": 0.0}),
        (runner, {"RENEW_SECONDS": lease_seconds / 4}),
    ):
        vars(module).update(changed)
    for defaults in (SharedJobStore.__init__.__kwdefaults__, SharedBatchStore.__init__.__kwdefaults__):
        assert defaults is not None
        defaults["lease_seconds"] = lease_seconds
    engine = killed_process.TellingEngine()
    engine.free_rows = 2
    parts = fake_parts(engine, **config.model_dump())
    jobs = open_jobs(config.jobs_dir, parts, FAKE_CODEC)
    directory = Path(config.jobs_dir) if config.jobs_dir else None
    serve(parts, time.monotonic(), jobs, fake_batches(parts, jobs, directory))
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
