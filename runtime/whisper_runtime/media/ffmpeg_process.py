"""Runs ffmpeg on a file that somebody sent, within the limits of cage.py and the bounds of its request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final

from whisper_runtime.media.cage import environment, limited
from whisper_runtime.media.duration import meant_seconds
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.refusals import NO_SPACE, AudioError, lost_part, refusal, too_long, too_slow

BYTES_PER_SECOND: Final = SAMPLE_RATE * 4
"""Decoded audio on the scratch disk is float32; so much of each channel."""

REPORT_LIMIT: Final = 64 * 1024
"""Bytes of ffmpeg's log that are read, at its beginning and at its end: it describes its input first, and reports last
that a file ends too early."""

GROWTH_SECONDS: Final = 0.1
"""Between two looks at how large the samples have become."""

OnBytes = Callable[[int], None]
"""Told how many bytes the samples take: as the file declares it, and as they grow. What it raises ends the decoding."""
OnLog = Callable[[bytes], None]
"""Told the beginning of ffmpeg's log as it grows, and at the end all that was kept. What it raises ends ffmpeg."""


class Undecodable(Exception):
    """ffmpeg cannot read the file, and its log has no reason that helps its sender."""


@dataclass(frozen=True)
class Bounds:
    """What the decoding of one file may take."""

    max_seconds: float
    """Seconds of audio."""
    timeout: float
    """Seconds of work on the whole file."""
    on_bytes: OnBytes

    def behind(self, seconds: float) -> Bounds:
        """What is left for the rest of a file of which so many seconds of audio are decoded."""
        taken = int(seconds * BYTES_PER_SECOND)
        return Bounds(max(1.0, self.max_seconds - seconds), self.timeout, lambda size: self.on_bytes(taken + size))


async def run_ffmpeg(
    command: tuple[str, ...], media: IO[bytes], target: IO[bytes], bounds: Bounds, *, channels: int, on_log: OnLog
) -> bytes:
    """ffmpeg's log, once `command` has read `media` and written samples of so many channels to `target`.

    Raises AudioError, Undecodable, and what `on_bytes` and `on_log` raise.
    """
    process = await asyncio.create_subprocess_exec(
        *limited(int(bounds.max_seconds * channels * BYTES_PER_SECOND), bounds.timeout),
        *command,
        stdin=media,
        stdout=target,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env=environment(),
    )
    try:
        report = await _report(process, os.fstat(media.fileno()).st_size, target, bounds, channels, on_log)
        code = await process.wait()
    finally:
        await _end(process)
    if code == -signal.SIGKILL:
        raise too_slow(bounds.timeout)  # the kernel counts processor time, and ended it
    if code == -signal.SIGXFSZ:
        raise too_long(bounds.max_seconds)
    if code != 0 and NO_SPACE.search(report):
        raise AudioError("NoSpace", "The disk is full.")
    on_log(report)
    if code != 0:
        raise refusal(report) or Undecodable
    if error := lost_part(report):
        raise error
    return report


async def _report(
    process: asyncio.subprocess.Process, size: int, target: IO[bytes], bounds: Bounds, channels: int, on_log: OnLog
) -> bytes:
    """ffmpeg's log until its end; raises AudioError as soon as it shows that the file, of `size` bytes, is too long."""
    assert process.stderr is not None
    first, last = b"", b""
    while (chunk := await _next(process.stderr)) != b"":
        if chunk is not None and len(first) < REPORT_LIMIT:
            first += chunk
            on_log(first)
            if (declared := meant_seconds(first, size)) > bounds.max_seconds:
                raise too_long(bounds.max_seconds, declared)
            bounds.on_bytes(int(declared * channels * BYTES_PER_SECOND))
        elif chunk is not None:
            last = (last + chunk)[-REPORT_LIMIT:]
        bounds.on_bytes(os.fstat(target.fileno()).st_size)
    return first + last


async def _next(log: asyncio.StreamReader) -> bytes | None:
    """The next piece of ffmpeg's log, empty at its end; None after GROWTH_SECONDS without any."""
    try:
        async with asyncio.timeout(GROWTH_SECONDS):
            return await log.read(4096)
    except TimeoutError:
        return None


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the decoder's whole process group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
