"""Keeps samples as FLAC, which takes less than PCM; decode.decode gives the very same samples back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import IO, Final

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.cage import environment, limited
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE

CHUNK: Final = 64 * SAMPLE_RATE
"""Samples that are handed over at a time."""
COMMAND: Final = (
    *("ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1"),
    *("-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "pipe:0"),
    *("-c:a", "flac", "-f", "flac", "pipe:1"),
)


class NotEncoded(Exception):
    """ffmpeg failed, or took too long; the message is its own."""


async def encode_flac(recordings: Sequence[Samples], target: IO[bytes], timeout: float) -> None:
    """Writes the recordings, one behind the other, as one FLAC of 16 bits, mono, at 16 kHz.

    Each is of samples that decode.decode gave, which are 16 bits wide. `target` is a file of the operating system's.
    Raises NotEncoded after `timeout` seconds of work, or where the disk is full.
    """
    most = sum(len(one) for one in recordings) * 4 + 65536
    process = await asyncio.create_subprocess_exec(
        *limited(most, timeout),
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=target,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(timeout):
            log, _ = await asyncio.gather(process.stderr.read(), _feed(process.stdin, recordings))
            code = await process.wait()
    except TimeoutError:
        raise NotEncoded(f"ffmpeg did not encode the recording within {timeout:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code:
        raise NotEncoded(log[-500:].decode(errors="replace"))


async def _feed(stdin: asyncio.StreamWriter, recordings: Iterable[Samples]) -> None:
    try:
        for samples in recordings:
            for at in range(0, len(samples), CHUNK):
                stdin.write(as_16_bits(samples[at : at + CHUNK]))
                await stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # ffmpeg has ended, and its code says why
    finally:
        stdin.close()


def as_16_bits(samples: Samples) -> bytes:
    """Little-endian PCM of samples from -1 to 1."""
    return (samples * 32768.0).round().clip(-32768, 32767).astype("<i2").tobytes()
