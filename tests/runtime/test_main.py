"""A process ends by SIGTERM from its first moment on, as the first process of a container must by itself."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

INTERRUPTED = """
import os, runpy, sys

class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == "pydantic":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Interrupter())
sys.argv[1:] = [{command!r}]
runpy.run_module("whisper_runtime", run_name="__main__", alter_sys=True)
"""
"""Sends the signal at the first import of a library, which the command line needs."""


@pytest.mark.parametrize("command", ["serve", "fetch", "verify"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_the_imports_ends_the_process_by_a_handler_of_its_own(command: str, number: int) -> None:
    program = INTERRUPTED.format(number=int(number), command=command)
    ended = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert ended.returncode == 128 + number
