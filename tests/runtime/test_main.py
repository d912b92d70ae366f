"""From its first moment on a process ends by SIGTERM, as a container's first one must, and has OpenMP's settings."""

from __future__ import annotations

import json
import os
import re
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


SETTINGS = """
import json, os, runpy, sys

class Reader:
    def find_spec(self, name, path=None, target=None):
        if name == "pydantic":
            print(json.dumps({name: os.environ.get(name) for name in %r}), flush=True)
            os._exit(0)

sys.meta_path.insert(0, Reader())
sys.argv[1:] = [%r]
runpy.run_module("whisper_runtime", run_name="__main__", alter_sys=True)
"""
"""Prints what OpenMP will read, at the first import of a library."""
OPENMP = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def environment(**variables: str) -> dict[str, str]:
    """This process's, with no settings of OpenMP but these."""
    return {name: value for name, value in os.environ.items() if name not in OPENMP} | variables


def settings(command: str, **variables: str) -> dict[str, str | None]:
    program = SETTINGS % (OPENMP, command)
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment(**variables), check=True, stdout=subprocess.PIPE, timeout=60
    )
    return json.loads(ended.stdout)


@pytest.mark.parametrize("command", ["serve", "fetch", "verify"])
def test_each_command_has_openmps_settings_before_anything_can_load_it(command: str) -> None:
    found = settings(command)
    assert found["OMP_WAIT_POLICY"] == "PASSIVE"
    assert 1 <= int(found["OMP_NUM_THREADS"] or 0) <= len(os.sched_getaffinity(0))


def test_a_users_settings_stay() -> None:
    users = {"OMP_NUM_THREADS": "3", "OMP_WAIT_POLICY": "ACTIVE"}
    assert settings("serve", **users) == {"MKL_NUM_THREADS": None, "GOMP_SPINCOUNT": None} | users


@pytest.mark.slow
def test_torchs_openmp_has_read_them() -> None:
    """By what it says of itself when it is loaded; the process then ends, for its model has no such language."""
    misconfigured = environment(WHISPER_MODEL="tiny.en", WHISPER_LANGUAGE="de", OMP_DISPLAY_ENV="TRUE")
    command = [sys.executable, "-m", "whisper_runtime", "serve"]
    ended = subprocess.run(
        ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0))), *command],
        env=misconfigured, check=False, stderr=subprocess.PIPE, text=True, timeout=120,
    )  # fmt: skip
    found = dict(re.findall(r"(OMP_\w+) *= *'([^']*)'", ended.stderr))
    assert (found["OMP_WAIT_POLICY"], found["OMP_NUM_THREADS"]) == ("PASSIVE", "1"), ended.stderr
    assert "threads that compute: 1, for the process may run on no more" in ended.stderr or os.cpu_count() == 1
