"""python -m whisper_runtime serve | front | fetch | verify"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def _exit_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    # Before the imports, which take seconds on a busy node: the kernel drops a signal for which a container's first
    # process has no handler, and the pod would stay for its whole grace period (pid_namespaces(7)).
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit_at_once)
    from whisper_runtime.process.threads import granted_threads, openmp_variables

    threads = granted_threads(os.environ)
    os.environ.update(openmp_variables(os.environ, threads))  # read when torch is imported
    from whisper_runtime.process.command import main

    code = main(sys.argv[1:], os.environ, threads)
    sys.stdout.flush()
    os._exit(code)  # not sys.exit: torch aborts a process whose interpreter ends while a thread loads a model
