"""Decodes media of any kind into samples, by ffmpeg in a process of its own, within the limits of cage.py.

ffmpeg gets the upload as its standard input and a scratch file without a name as its output. Where its own choice of
track or channels does not serve, ffprobe is asked, and ffmpeg runs once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Final, Literal

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.cage import INPUT, READING, STREAMS_LIMIT, environment, limited
from whisper_runtime.media.duration import HEADER_LIMIT, declared_seconds, is_cut, promised_seconds, wav_options
from whisper_runtime.media.probe import probe
from whisper_runtime.media.tracks import Choice, NoTrack, choose, first_channel, tracks

SAMPLE_RATE: Final = 16_000
BYTES_PER_SECOND: Final = SAMPLE_RATE * 4
"""Decoded audio on the scratch disk is float32, mono."""

MAX_ERROR_RATE: Final = 0.1
"""The part of a file's frames that may be damaged; with more, the text would not be a transcription of the file."""
AUDIO_STREAM: Final = re.compile(rb"^  Stream #0:.*: Audio: ", re.MULTILINE)
"""A line of ffmpeg's log for each audio track."""
GUESSED_LAYOUT: Final = re.compile(rb"^Guessed Channel Layout for Input Stream #\S+ : (?!mono|stereo)", re.MULTILINE)
CLOCK: Final = (
    "asetpts='st(0,PTS-if(lt(STARTT,0.1),STARTPTS));"  # 0: the frame's time, of a start without a short delay
    "st(1,if(gt(ld(2)-ld(0)-ld(1),0.05/TB),ld(2)-ld(0),ld(1)));"  # 1: the delay that jumps back have made so far
    "st(2,max(ld(2),ld(0)+ld(1))+S/SR/TB);"  # 2: the end of all samples so far
    "ld(0)+ld(1)',aresample=async=1:first_pts=0"
)
"""Silence where the track has no sound in the film's time: before a late start, and in gaps longer than 0.1 s.

Shorter ones are the padding of encoders; a file without gaps gets the samples that it has. Where the clock jumps back,
what follows is delayed, for aresample would drop it. See docs/adr/0026 and ffmpeg-filters(1), asetpts and aresample.
"""
NEARLY_SILENT: Final = 1e-3
"""Peak of 1.0; below it, channels of opposite phase may have cancelled each other."""

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


class _LeavesAChoice(Exception):
    """ffmpeg's log shows several audio tracks, or channels in places that it had to guess, and it was told nothing."""


@dataclass(frozen=True)
class Bounds:
    """What the decoding of one file may take."""

    max_seconds: float
    """Seconds of audio."""
    timeout: float
    """Seconds of work on the whole file."""
    on_bytes: OnBytes


async def decode(
    media: IO[bytes], *, max_seconds: float, timeout: float, on_bytes: OnBytes, language: str | None = None
) -> Samples:
    """Mono samples at 16 kHz, float32 from -1 to 1, as `whisper.load_audio` gives for a file of one track without gaps.

    Of several audio tracks it takes the one in `language` (ISO-639-1), as tracks.py has the rule; gaps and a late start
    are silence. The samples are in a file without a name, mapped into memory: hours of them take disk and cache, and no
    memory. Raises AudioError for a file that is no audio, or longer than `max_seconds`, or takes `timeout` seconds to
    decode; and what `on_bytes` raises.
    """
    bounds = Bounds(max_seconds, timeout, on_bytes)
    async with reading(media, timeout):
        return await _with_all_channels(media, bounds, language)


@asynccontextmanager
async def reading(media: IO[bytes], timeout: float) -> AsyncGenerator[None]:
    """Bounds the time of the block, which reads `media`; raises AudioError for what is wrong with it there."""
    media.flush()
    if os.fstat(media.fileno()).st_size == 0:
        raise AudioError("Empty", "The file is empty.")
    try:
        async with asyncio.timeout(timeout):
            yield
    except NoTrack as error:
        raise AudioError(error.reason, error.message) from None
    except TimeoutError:
        raise _too_slow(timeout) from None


async def is_silent(samples: Samples) -> bool:
    """Whether nothing in `samples` can be heard."""
    return await asyncio.to_thread(_is_below, samples, NEARLY_SILENT)


async def _with_all_channels(media: IO[bytes], bounds: Bounds, language: str | None) -> Samples:
    """The mix of all channels; the first one alone, where the mix is silent and that one is not."""
    samples, choice = await _chosen(media, bounds, language)
    if not await is_silent(samples):
        return samples
    found = {one.index: one for one in tracks(await probe(media))}
    track = found.get(min(found, default=0) if choice.index is None else choice.index)
    if track is None or track.channels < 2:
        return samples
    alone = await read_track(media, bounds, first_channel(track))
    return samples if await is_silent(alone) else alone


async def _chosen(media: IO[bytes], bounds: Bounds, language: str | None) -> tuple[Samples, Choice]:
    """The samples as ffmpeg itself reads the file, else of the track that is chosen by what ffprobe says of it."""
    try:
        return await read_track(media, bounds, Choice()), Choice()
    except _LeavesAChoice:
        if not (found := tracks(await probe(media))):
            raise AudioError("Damaged", "The file is damaged: its tracks cannot be read.") from None
        choice = choose(found, language)
    except AudioError as error:
        if error.reason != "Damaged" or not (found := tracks(await probe(media))):
            raise
        choice = choose(found, language)
        if not choice.mix:
            raise
    return await read_track(media, bounds, choice), choice


async def read_track(media: IO[bytes], bounds: Bounds, choice: Choice) -> Samples:
    """The samples of the track that is chosen; those of channels that are kept apart take turns.

    Raises AudioError, and what `on_bytes` raises.
    """
    file = media.fileno()
    head = os.pread(file, HEADER_LIMIT, 0)
    of_wav = wav_options(head, os.fstat(file).st_size, lambda at: os.pread(file, 4, at))
    with tempfile.TemporaryFile() as pcm:
        report = await _run(choice, of_wav, media, pcm, bounds)
        size = os.fstat(pcm.fileno()).st_size
        if size == 0:
            raise _refusal(report) or AudioError("Empty", "The file holds no audio.")
        promised, found = promised_seconds(head, report), size / (choice.channels * BYTES_PER_SECOND)
        if promised <= bounds.max_seconds and is_cut(promised, found):
            raise _cut(promised, found)
        return np.asarray(np.memmap(pcm, np.float32, mode="c", shape=(size // 4,)))


def _is_below(samples: Samples, peak: float) -> bool:
    """Whether no sample reaches `peak`; speech ends the search within its first second."""
    return not any(np.abs(samples[at : at + SAMPLE_RATE]).max() >= peak for at in range(0, len(samples), SAMPLE_RATE))


async def _run(choice: Choice, of_input: tuple[str, ...], media: IO[bytes], pcm: IO[bytes], bounds: Bounds) -> bytes:
    """Decodes `media` into `pcm`; returns ffmpeg's log. `of_input`: more options for the input.

    Raises AudioError, _LeavesAChoice, and what `on_bytes` raises.
    """
    max_seconds = bounds.max_seconds
    process = await asyncio.create_subprocess_exec(
        *limited(int(max_seconds * choice.channels * BYTES_PER_SECOND), bounds.timeout),
        *_ffmpeg(choice, of_input),
        stdin=media,
        stdout=pcm,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env=environment(),
    )
    try:
        report = await _report(process, pcm, bounds, choice)
        code = await process.wait()
    finally:
        await _end(process)
    if code == -signal.SIGKILL:
        raise _too_slow(bounds.timeout)  # the kernel counts processor time, and ended it
    if code == -signal.SIGXFSZ:
        raise _too_long(max_seconds)
    if code != 0 and NO_SPACE.search(report):
        raise AudioError("NoSpace", "The disk is full.")
    if code != 0:
        raise _refusal(report) or AudioError(
            "NotAudio", "The file is not audio that can be decoded, or its format is not supported."
        )
    return report


def _ffmpeg(choice: Choice, of_input: tuple[str, ...]) -> tuple[str, ...]:
    alone = ("-threads", "1", "-filter_threads", "1")
    layout = "channel_layouts=mono:" if choice.channels == 1 else ""
    as_whisper_loads_it = f"aformat=sample_fmts=s16:{layout}sample_rates={SAMPLE_RATE}"
    filters = ",".join(one for one in (CLOCK, choice.mix, as_whisper_loads_it) if one)
    track = () if choice.index is None else ("-map", f"0:{choice.index}")
    target = ("-vn", "-sn", "-dn", "-map_metadata", "-1", "-af", filters, "-f", "f32le", "pipe:1")
    return (
        "ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "info", "-max_error_rate", str(MAX_ERROR_RATE),
        *alone, *READING, *of_input, "-i", INPUT, *track, *target,
    )  # fmt: skip


async def _report(process: asyncio.subprocess.Process, pcm: IO[bytes], bounds: Bounds, choice: Choice) -> bytes:
    """ffmpeg's log until its end; raises AudioError as soon as it shows that the file is too long.

    Raises _LeavesAChoice where ffmpeg was not told the track to take, and may choose wrong.
    """
    assert process.stderr is not None
    is_told = choice.index is not None
    first, last = b"", b""
    while (chunk := await _next(process.stderr)) != b"":
        if chunk is not None and len(first) < REPORT_LIMIT:
            first += chunk
            if not is_told and (len(AUDIO_STREAM.findall(first)) > 1 or GUESSED_LAYOUT.search(first)):
                raise _LeavesAChoice
            if (declared := declared_seconds(first)) > bounds.max_seconds:
                raise _too_long(bounds.max_seconds, declared)
            bounds.on_bytes(int(declared * choice.channels * BYTES_PER_SECOND))
        elif chunk is not None:
            last = (last + chunk)[-REPORT_LIMIT:]
        bounds.on_bytes(os.fstat(pcm.fileno()).st_size)
    return first + last


async def _next(log: asyncio.StreamReader) -> bytes | None:
    """The next piece of ffmpeg's log, empty at its end; None after GROWTH_SECONDS without any."""
    try:
        async with asyncio.timeout(GROWTH_SECONDS):
            return await log.read(4096)
    except TimeoutError:
        return None


def _refusal(report: bytes) -> AudioError | None:
    """The reason why ffmpeg decoded nothing, by its log; None: the log has none that helps the client."""
    if b"max_streams" in report:
        return AudioError(
            "TooManyStreams", f"The file has more than {STREAMS_LIMIT} streams: send the audio track alone."
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
