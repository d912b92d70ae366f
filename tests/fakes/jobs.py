"""The jobs of a process around the fake engine: their audio is the text that the fake decoder takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from tests.fakes.engine import fake_decode
from whisper_runtime.engine.interface import Samples
from whisper_runtime.service.jobs.content import AudioCodec
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.open import open_jobs
from whisper_runtime.service.parts import RuntimeParts


async def fake_keep(recordings: Sequence[Samples], target: IO[bytes], timeout: float) -> None:
    target.write(f"speech {sum(map(len, recordings)) / 16_000}".encode())


FAKE_CODEC: Final = AudioCodec(fake_keep, fake_decode)


def fake_jobs(parts: RuntimeParts, directory: Path) -> JobDoor:
    """Jobs of `parts`, which have the fake engine."""
    return open_jobs(str(directory), parts, FAKE_CODEC)
