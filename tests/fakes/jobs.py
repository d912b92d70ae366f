"""The jobs of a process around the fake engine: their audio is the text that the fake decoder takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.fakes.engine import fake_decode
from whisper_runtime.engine.interface import Samples
from whisper_runtime.jobs.door import JobDoor
from whisper_runtime.jobs.open import open_jobs
from whisper_runtime.service.parts import RuntimeParts


async def fake_encode(recordings: Sequence[Samples], target: IO[bytes], timeout: float) -> None:
    target.write(f"speech {sum(map(len, recordings)) / 16_000}".encode())


def fake_jobs(parts: RuntimeParts, directory: Path) -> JobDoor:
    """Jobs of `parts`, whose decoder has to be the fake one."""
    assert parts.transcriber.loader.decoder.mixed is fake_decode
    return open_jobs(str(directory), parts, fake_encode)
