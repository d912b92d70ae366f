"""Decodes media of any kind into samples, by ffmpeg in a process of its own: a file may crash ffmpeg, never the server.

ffmpeg gets the upload as its standard input and a scratch file without a name as its output, and the kernel holds it to
its limits: it can start no process, open no second file and no socket, and write no byte more than its limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Callable
from typing import IO, Final, Literal

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.duration import HEADER_LIMIT, declared_seconds, is_cut, promised_seconds

SAMPLE_RATE: Final = 16_000
BYTES_PER_SECOND: Final = SAMPLE_RATE * 4
"""Decoded audio on the scratch disk is float32, mono."""

MEMORY_LIMIT: Final = 1024**3
"""Bytes of address space that a decoder may use."""
OPEN_FILES_LIMIT: Final = 4
"""Standard input, output, error, and the upload. While that is open, no other file and no socket can be."""
STREAMS_LIMIT: Final = 32
MAX_ERROR_RATE: Final = 0.1
"""The part of a file's frames that may be damaged; with more, the text would not be a transcription of the file."""
FORMATS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,matroska,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,nistsphere,ogg,tak,tta,voc,"
    "w64,wav,webm,wv"
)
"""Containers that hold media themselves: playlists, which name other files and hosts, are not among them."""

NO_SPACE: Final = re.compile(rb"^\S.*: (?:No space left on device|Disk quota exceeded)$", re.MULTILINE)
"""ffmpeg's words for a full disk are libc's. What a file says of itself is indented in its log."""
REPORT_LIMIT: Final = 64 * 1024
"""Bytes of ffmpeg's log that are read, at its beginning and at its end: it describes its input first, and reports last
that a file ends too early."""

GROWTH_SECONDS: Final = 0.1
"""Between two looks at how large the samples have become."""

OnBytes = Callable[[int], None]
"""Told how many bytes the samples take: as the file declares it, and as they grow. What it raises ends the decoding."""

Reason = Literal["NotAudio", "Empty", "NoAudioTrack", "TooManyStreams", "Damaged", "TooLong", "TimedOut", "NoSpace"]


class AudioError(Exception):
    """The file cannot be decoded; `message` is for the client and holds no content of the file."""

    def __init__(self, reason: Reason, message: str, seconds: float = 0.0) -> None:
        """`seconds`: the length that the file declares; 0 where it is not known."""
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.seconds = seconds


async def decode(media: IO[bytes], *, max_seconds: float, timeout: float, on_bytes: OnBytes) -> Samples:
    """Mono samples at 16 kHz, float32 from -1 to 1, equal to `whisper.load_audio`'s.

    Among several audio tracks ffmpeg chooses: the default one, else the one with most channels.
    The samples are in a file without a name, mapped into memory: hours of them take disk and cache, and no memory.
    Raises AudioError for a file that is no audio, or longer than `max_seconds`, or takes `timeout` seconds to decode;
    and what `on_bytes` raises.
    """
    media.flush()
    if os.fstat(media.fileno()).st_size == 0:
        raise AudioError("Empty", "The file is empty.")
    with tempfile.TemporaryFile() as pcm:
        report = await _run(media, pcm, max_seconds, timeout, on_bytes)
        size = os.fstat(pcm.fileno()).st_size
        if size == 0:
            raise _refusal(report, max_seconds) or AudioError("Empty", "The file holds no audio.")
        promised, found = promised_seconds(os.pread(media.fileno(), HEADER_LIMIT, 0), report), size / BYTES_PER_SECOND
        if is_cut(promised, found):
            raise _cut(promised, found)
        return np.asarray(np.memmap(pcm, np.float32, mode="c", shape=(size // 4,)))


async def _run(media: IO[bytes], pcm: IO[bytes], max_seconds: float, timeout: float, on_bytes: OnBytes) -> bytes:
    """Decodes `media` into `pcm`; returns ffmpeg's log. Raises AudioError, and what `on_bytes` raises."""
    process = await asyncio.create_subprocess_exec(
        *limited(int(max_seconds * BYTES_PER_SECOND), timeout),
        *_ffmpeg(),
        stdin=media,
        stdout=pcm,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={"PATH": os.environ.get("PATH", os.defpath)},
    )
    try:
        async with asyncio.timeout(timeout):
            report = await _report(process, pcm, max_seconds, on_bytes)
            code = await process.wait()
    except TimeoutError:
        raise _too_slow(timeout) from None
    finally:
        await _end(process)
    if code == -signal.SIGKILL:
        raise _too_slow(timeout)  # the kernel counts processor time, and ended it
    if code == -signal.SIGXFSZ:
        raise _too_long(max_seconds)
    if code != 0 and NO_SPACE.search(report):
        raise AudioError("NoSpace", "The disk is full.")
    if code != 0:
        raise _refusal(report, max_seconds) or AudioError(
            "NotAudio", "The file is not audio that can be decoded, or its format is not supported."
        )
    return report


def limited(max_bytes: int, timeout: float) -> tuple[str, ...]:
    """The command that runs the command after it within limits, and ends it when this process ends.

    `max_bytes` is the longest file that it may write, `timeout` the processor time in seconds.
    """
    seconds = max(1, int(timeout))
    limits = {
        "as": MEMORY_LIMIT,
        "core": 0,
        "cpu": seconds,
        "fsize": max_bytes,
        "nofile": OPEN_FILES_LIMIT,
        "nproc": 0,
    }
    arguments = [f"--{name}={value}" for name, value in limits.items()]
    return ("prlimit", *arguments, "setpriv", "--no-new-privs", "--pdeathsig=KILL")


def _ffmpeg() -> tuple[str, ...]:
    alone = ("-threads", "1", "-filter_threads", "1")
    source = ("-max_streams", str(STREAMS_LIMIT), "-format_whitelist", FORMATS, "-protocol_whitelist", "file")
    as_whisper_loads_it = f"aformat=sample_fmts=s16:channel_layouts=mono:sample_rates={SAMPLE_RATE}"
    target = ("-vn", "-sn", "-dn", "-map_metadata", "-1", "-af", as_whisper_loads_it, "-f", "f32le", "pipe:1")
    return (
        "ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "info", "-max_error_rate", str(MAX_ERROR_RATE),
        *alone, *source, "-i", "file:/proc/self/fd/0", *target,
    )  # fmt: skip


async def _report(process: asyncio.subprocess.Process, pcm: IO[bytes], max_seconds: float, on_bytes: OnBytes) -> bytes:
    """ffmpeg's log until its end; raises AudioError as soon as it shows that the file is too long."""
    assert process.stderr is not None
    first, last = b"", b""
    while (chunk := await _next(process.stderr)) != b"":
        if chunk is not None and len(first) < REPORT_LIMIT:
            first += chunk
            if (declared := declared_seconds(first)) > max_seconds:
                raise _too_long(max_seconds, declared)
            on_bytes(int(declared * BYTES_PER_SECOND))
        elif chunk is not None:
            last = (last + chunk)[-REPORT_LIMIT:]
        on_bytes(os.fstat(pcm.fileno()).st_size)
    return first + last


async def _next(log: asyncio.StreamReader) -> bytes | None:
    """The next piece of ffmpeg's log, empty at its end; None after GROWTH_SECONDS without any."""
    try:
        async with asyncio.timeout(GROWTH_SECONDS):
            return await log.read(4096)
    except TimeoutError:
        return None


def _refusal(report: bytes, max_seconds: float) -> AudioError | None:
    """The reason why ffmpeg decoded nothing, by its log; None: the log has none that helps the client."""
    if b"max_streams" in report:
        return AudioError(
            "TooManyStreams", f"The file has more than {STREAMS_LIMIT} tracks: send the audio track alone."
        )
    if b"does not contain any stream" in report:
        return AudioError("NoAudioTrack", "The file has no audio track.")
    if b"Input #0" in report:
        return AudioError("Damaged", "The file is damaged: too much of its audio cannot be decoded.")
    return None


def _cut(promised: float, found: float) -> AudioError:
    message = (
        f"The file is cut short: its header promises {promised:.0f} s of audio, and {found:.0f} s are there. "
        "Send the whole file."
    )
    return AudioError("Damaged", message)


def _too_long(max_seconds: float, declared: float = 0.0) -> AudioError:
    return AudioError("TooLong", f"The audio is longer than the {max_seconds:.0f} s that this server takes.", declared)


def _too_slow(timeout: float) -> AudioError:
    return AudioError("TimedOut", f"The file could not be decoded within {timeout:.0f} s.")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the decoder's whole process group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
