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
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Final

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.cage import environment, limited
from whisper_runtime.media.duration import HEADER_LIMIT, declared_seconds, is_cut, promised_seconds, wav_options
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE, ffmpeg_command
from whisper_runtime.media.probe import probe
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType, RawAudio, UnclearType, raw_audio
from whisper_runtime.media.refusals import NO_SPACE, AudioError, cut, refusal, too_long, too_slow
from whisper_runtime.media.track_taken import TrackTaken, track_taken
from whisper_runtime.media.tracks import AudioTrack, Choice, NoTrack, choose, first_channel, tracks

BYTES_PER_SECOND: Final = SAMPLE_RATE * 4
"""Decoded audio on the scratch disk is float32; so much of each channel."""

AUDIO_STREAM: Final = re.compile(rb"^  Stream #0:.*: Audio: ", re.MULTILINE)
"""A line of ffmpeg's log for each audio track."""
GUESSED_LAYOUT: Final = re.compile(rb"^Guessed Channel Layout for Input Stream #\S+ : (?!mono|stereo)", re.MULTILINE)
NEARLY_SILENT: Final = 1e-3
"""Peak of 1.0; below it, channels of opposite phase may have cancelled each other."""

REPORT_LIMIT: Final = 64 * 1024
"""Bytes of ffmpeg's log that are read, at its beginning and at its end: it describes its input first, and reports last
that a file ends too early."""

GROWTH_SECONDS: Final = 0.1
"""Between two looks at how large the samples have become."""

OnBytes = Callable[[int], None]
"""Told how many bytes the samples take: as the file declares it, and as they grow. What it raises ends the decoding."""


class _LeavesAChoice(Exception):
    """ffmpeg's log shows several audio tracks, or channels in places that it had to guess, and it was told nothing."""


@dataclass(frozen=True)
class DecodedAudio:
    samples: Samples
    track: TrackTaken | None
    """Where they come from; None: ffmpeg's log does not tell it."""


@dataclass(frozen=True)
class Source:
    """A file that is decoded."""

    media: IO[bytes]
    head: bytes
    """Its first bytes."""
    raw: RawAudio | None
    """How to read it, where it has no header."""

    @property
    def options(self) -> tuple[str, ...]:
        """ffmpeg's options for its input."""
        if self.raw:
            return self.raw.options
        file = self.media.fileno()
        return wav_options(self.head, os.fstat(file).st_size, lambda at: os.pread(file, 4, at))

    async def tracks(self) -> tuple[AudioTrack, ...]:
        """What can be decoded of it, by ffprobe; none where that cannot read it. Raises NoTrack."""
        return (self.raw.track,) if self.raw else tracks(await probe(self.media))


@dataclass(frozen=True)
class Bounds:
    """What the decoding of one file may take."""

    max_seconds: float
    """Seconds of audio."""
    timeout: float
    """Seconds of work on the whole file."""
    on_bytes: OnBytes


async def decode(
    media: IO[bytes],
    *,
    max_seconds: float,
    timeout: float,
    on_bytes: OnBytes,
    languages: Collection[str] = (),
    declared: DeclaredType = UNDECLARED,
) -> DecodedAudio:
    """Mono samples at 16 kHz, float32 from -1 to 1, as `whisper.load_audio` gives for a file of one track without gaps.

    Of several audio tracks it takes one in `languages` (ISO-639-1), as tracks.py has the rule; gaps and a late start
    are silence. A file without a header is read as it is `declared` (raw_audio.py). The samples are in a file without
    a name, mapped into memory: hours of them take disk and cache, and no memory. Raises AudioError for a file that is
    no audio, or longer than `max_seconds`, or takes `timeout` seconds to decode; and what `on_bytes` raises.
    """
    async with reading(media, declared, timeout) as source:
        return await _with_all_channels(source, Bounds(max_seconds, timeout, on_bytes), languages)


@asynccontextmanager
async def reading(media: IO[bytes], declared: DeclaredType, timeout: float) -> AsyncGenerator[Source]:
    """Bounds the time of the block, which decodes `media`; raises AudioError for what is wrong with it there."""
    media.flush()
    if os.fstat(media.fileno()).st_size == 0:
        raise AudioError("Empty", "The file is empty.")
    head = os.pread(media.fileno(), HEADER_LIMIT, 0)
    try:
        async with asyncio.timeout(timeout):
            yield Source(media, head, raw_audio(declared, head))
    except UnclearType as error:
        raise AudioError("NotAudio", str(error)) from None
    except NoTrack as error:
        raise AudioError(error.reason, error.message) from None
    except TimeoutError:
        raise too_slow(timeout) from None


async def is_silent(samples: Samples) -> bool:
    """Whether `samples` are too quiet to hold any sound."""
    return await asyncio.to_thread(_is_below, samples, NEARLY_SILENT)


async def _with_all_channels(source: Source, bounds: Bounds, languages: Collection[str]) -> DecodedAudio:
    """The mix of all channels; the first one alone, where the mix is silent and that one is not."""
    mixed, choice = await _chosen(source, bounds, languages)
    if not await is_silent(mixed.samples):
        return mixed
    found = {one.index: one for one in await source.tracks()}
    track = found.get(min(found, default=0) if choice.index is None else choice.index)
    if track is None or track.channels < 2:
        return mixed
    alone = await read_track(source, bounds, first_channel(track))
    return mixed if await is_silent(alone.samples) else alone


async def _chosen(source: Source, bounds: Bounds, languages: Collection[str]) -> tuple[DecodedAudio, Choice]:
    """The samples as ffmpeg itself reads the file, else of the track that is chosen by what ffprobe says of it."""
    try:
        return await read_track(source, bounds, Choice()), Choice()
    except _LeavesAChoice:
        if not (found := await source.tracks()):
            raise AudioError("Damaged", "The file is damaged: its tracks cannot be read.") from None
        choice = choose(found, languages)
    except AudioError as error:
        if error.reason != "Damaged" or not (found := await source.tracks()):
            raise
        choice = choose(found, languages)
        if not choice.mix:
            raise
    return await read_track(source, bounds, choice), choice


async def read_track(source: Source, bounds: Bounds, choice: Choice) -> DecodedAudio:
    """The samples of the track that is chosen; those of channels that are kept apart take turns.

    Raises AudioError, and what `on_bytes` raises.
    """
    with tempfile.TemporaryFile() as pcm:
        report = await _run(source, choice, pcm, bounds)
        size = os.fstat(pcm.fileno()).st_size
        if size == 0:
            raise refusal(report) or AudioError("Empty", "The file holds no audio.")
        promised, found = promised_seconds(source.head, report), size / (choice.channels * BYTES_PER_SECOND)
        if promised <= bounds.max_seconds and is_cut(promised, found):
            raise cut(promised, found)
        samples = np.asarray(np.memmap(pcm, np.float32, mode="c", shape=(size // 4,)))
        return DecodedAudio(samples, track_taken(report))


def _is_below(samples: Samples, peak: float) -> bool:
    """Whether no sample reaches `peak`; speech ends the search within its first second."""
    return not any(np.abs(samples[at : at + SAMPLE_RATE]).max() >= peak for at in range(0, len(samples), SAMPLE_RATE))


async def _run(source: Source, choice: Choice, pcm: IO[bytes], bounds: Bounds) -> bytes:
    """Decodes `source` into `pcm`; returns ffmpeg's log.

    Raises AudioError, _LeavesAChoice, and what `on_bytes` raises.
    """
    max_seconds = bounds.max_seconds
    process = await asyncio.create_subprocess_exec(
        *limited(int(max_seconds * choice.channels * BYTES_PER_SECOND), bounds.timeout),
        *ffmpeg_command(choice, source.options),
        stdin=source.media,
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
        raise too_slow(bounds.timeout)  # the kernel counts processor time, and ended it
    if code == -signal.SIGXFSZ:
        raise too_long(max_seconds)
    if code != 0 and NO_SPACE.search(report):
        raise AudioError("NoSpace", "The disk is full.")
    if code != 0:
        raise refusal(report) or AudioError(
            "NotAudio", "The file is not audio that can be decoded, or its format is not supported."
        )
    return report


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
                raise too_long(bounds.max_seconds, declared)
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


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the decoder's whole process group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
