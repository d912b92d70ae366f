"""Runs a client's program for one task, and the tasks of one client one after the other."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from testbed.clients import environments, judge
from testbed.clients.catalogue import PublicClient
from testbed.clients.front import CountingFront
from testbed.clients.judge import Verdict

KEY: Final = "sk-0123456789abcdef"
ALWAYS: Final = 1000
SECONDS: Final = 300
INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR", "JAVA_HOME")


@dataclass(frozen=True)
class Recordings:
    spoken: Path
    too_large: Path


def trials(client: PublicClient, server: str, front: CountingFront, recordings: Recordings) -> dict[str, Verdict]:
    """The verdict of each task; `server`: the runtime's URL, which lies behind `front`."""
    command = environments.command(client)

    def call(url: str, task: str, key: str = KEY, file: Path = recordings.spoken) -> dict[str, Any]:
        return _printed((*command, url, key, str(file), task))

    verdicts = {
        task: Verdict("—") if task in client.lacks else judge.on_answer(task, call(server, task))
        for task in judge.ANSWERS
    }
    front.refuse(429, times=1)
    verdicts[judge.AGAIN] = judge.on_second_try(call(front.url, "json"), front.seen)
    for name, status in judge.REFUSALS.items():
        front.refuse(status, times=ALWAYS if status in (429, 503) else 0)
        key = "wrong" if status == 401 else KEY
        file = recordings.too_large if status == 413 else recordings.spoken
        answer = call(front.url, "json", key, file)
        verdicts[name] = judge.on_refusal(status, answer, front.seen, is_silent=client.is_silent)
    return verdicts


def _printed(command: Sequence[str]) -> dict[str, Any]:
    """The last line that a program printed; raises RuntimeError where it is no answer."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environment, check=False)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(lines[-1])
