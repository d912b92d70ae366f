"""A runtime process without a model, as one pod of several.

python -m tests.fakes.sharing_process [SECONDS]: a recording takes two windows of so many seconds, without it no time.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial

from tests.fakes import killed_process
from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from whisper_runtime import logs
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.process.servers import serve
from whisper_runtime.service.shared import open as opening
from whisper_runtime.service.shared.shared_store import SharedStore


def main(window_seconds: float | None) -> int:
    """Serves with the configuration of the environment until SIGTERM."""
    config = RuntimeConfig.from_env(os.environ)
    logs.configure(config.log_level, config.log_format)
    # A machine without a free processor must not look like a store that is away.
    store = partial(SharedStore, waits=(30.0,), pauses=(0.05,))
    for module, changed in ((opening, {"SharedStore": store}), (killed_process, {"WINDOW_SECONDS": window_seconds})):
        vars(module).update(changed)
    engine = FakeEngine() if window_seconds is None else killed_process.TellingEngine()
    serve(fake_parts(engine, **config.model_dump()), time.monotonic())
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else None))
