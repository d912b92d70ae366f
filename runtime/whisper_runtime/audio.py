"""Media of any kind as samples, by ffmpeg in a process of its own: a file may crash the decoder, never the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
from pathlib import Path
from typing import Final, Literal

import numpy as np

from whisper_runtime.engine.protocol import Samples

SAMPLE_RATE: Final = 16_000
BYTES_PER_SECOND: Final = SAMPLE_RATE * 2
CHUNK: Final = 1 << 20
MEMORY_LIMIT: Final = 2 * 1024**3
"""Bytes of address space that a decoder may take."""
FORMATS: Final = "aac,ac3,aiff,amr,asf,au,avi,caf,flac,flv,matroska,mov,mp3,mp4,mpeg,mpegts,ogg,w64,wav,webm"
"""Containers that hold media themselves: playlists, which name other files and hosts, are not among them."""

Reason = Literal["NotAudio", "Empty", "TooLong", "TimedOut"]


class AudioError(Exception):
    """The file cannot be transcribed; `message` is for the client and holds nothing of the file."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message


async def decode(path: str, *, max_seconds: float, timeout: float) -> Samples:
    """Mono samples at 16 kHz, float32 from -1 to 1, equal to `whisper.load_audio`'s; raises AudioError."""
    if Path(path).stat().st_size == 0:
        raise AudioError("Empty", "The file is empty.")
    process = await asyncio.create_subprocess_exec(
        *_command(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", os.defpath)},
        limit=CHUNK,
    )
    try:
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
        async with asyncio.timeout(timeout):
            pcm = await _read(process, int(max_seconds * BYTES_PER_SECOND))
            code = await process.wait()
    except TimeoutError:
        raise AudioError("TimedOut", f"The file could not be decoded within {timeout:.0f} s.") from None
    finally:
        await _end(process)
    if pcm is None:
        raise AudioError("TooLong", f"The audio is longer than the {max_seconds:.0f} s that this server takes.")
    if code != 0:
        raise AudioError("NotAudio", "The file is not audio that can be decoded, or its format is not supported.")
    if not pcm:
        raise AudioError("Empty", "The file holds no audio.")
    return np.frombuffer(pcm, np.int16).astype(np.float32) / 32768.0


def _command(path: str) -> tuple[str, ...]:
    source = ("-format_whitelist", FORMATS, "-protocol_whitelist", "file", "-i", f"file:{path}")
    target = ("-map", "0:a:0", "-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le", "-ar", str(SAMPLE_RATE), "pipe:1")
    return ("ffmpeg", "-nostdin", "-loglevel", "quiet", "-threads", "1", *source, *target)


async def _read(process: asyncio.subprocess.Process, limit: int) -> bytearray | None:
    """All that the decoder writes; None as soon as it is more than `limit` bytes."""
    assert process.stdout is not None
    pcm = bytearray()
    while chunk := await process.stdout.read(CHUNK):
        pcm += chunk
        if len(pcm) > limit:
            return None
    return pcm


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
