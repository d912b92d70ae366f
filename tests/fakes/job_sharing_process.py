"""A runtime process without a model, as one pod of several that share their jobs.

python -m tests.fakes.job_sharing_process SECONDS: a recording takes two windows of so many seconds.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial

from tests.fakes import killed_process
from tests.fakes.jobs import FAKE_CODEC
from tests.fakes.parts import fake_parts
from whisper_runtime import logs
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.process.servers import serve
from whisper_runtime.service.jobs import renewal, shared_store
from whisper_runtime.service.jobs.open import open_jobs


def main(window_seconds: float) -> int:
    """Serves with the configuration of the environment until SIGTERM."""
    config = RuntimeConfig.from_env(os.environ)
    logs.configure(config.log_level, config.log_format)
    lease_seconds = killed_process.LEASE_SECONDS
    for module, changed in (
        (killed_process, {"WINDOW_SECONDS": window_seconds}),
        (shared_store, {"SharedJobStore": partial(shared_store.SharedJobStore, lease_seconds=lease_seconds)}),
        (renewal, {"RENEW_SECONDS": lease_seconds / 4, "PROGRESS_SECONDS": 0.0}),
    ):
        vars(module).update(changed)
    engine = killed_process.TellingEngine()
    engine.free_rows = 2
    parts = fake_parts(engine, **config.model_dump())
    serve(parts, time.monotonic(), open_jobs(config.jobs_dir, parts, FAKE_CODEC))
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
