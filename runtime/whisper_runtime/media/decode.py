"""Decodes media of any kind into samples: one film, or the parts of one, whose sound goes on in another track."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import IO

import numpy as np

from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.ffmpeg_process import Bounds, OnBytes, Undecodable
from whisper_runtime.media.film import DecodedAudio, decode_film
from whisper_runtime.media.not_audio import is_protected, what_it_is
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType, UnclearType
from whisper_runtime.media.refusals import (
    AudioError,
    joined_files,
    joined_wavs,
    not_audio,
    protected,
    too_slow,
)
from whisper_runtime.media.source import LATE, JoinedFiles, Source, source_of
from whisper_runtime.media.tracks import NoTrack
from whisper_runtime.media.wav import JoinedWavs


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
        bounds = Bounds(max_seconds, timeout, on_bytes)
        if not source.later_parts:
            return await decode_film(source, bounds, languages)
        with tempfile.TemporaryFile() as joined:
            return await _part_by_part(source, joined, bounds, languages)


@asynccontextmanager
async def reading(media: IO[bytes], declared: DeclaredType, timeout: float) -> AsyncGenerator[Source]:
    """Bounds the time of the block, which decodes `media`; raises AudioError for what is wrong with it there."""
    media.flush()
    if os.fstat(media.fileno()).st_size == 0:
        raise AudioError("Empty", "The file is empty.")
    try:
        async with asyncio.timeout(timeout):
            yield await asyncio.to_thread(source_of, media, declared)
    except UnclearType as error:
        raise AudioError("NotAudio", str(error)) from None
    except JoinedWavs:
        raise joined_wavs() from None
    except JoinedFiles:
        raise joined_files() from None
    except NoTrack as error:
        raise AudioError(error.reason, error.message) from None
    except Undecodable:
        raise not_audio(await asyncio.to_thread(what_it_is, media, declared)) from None
    except TimeoutError:
        raise too_slow(timeout) from None
    except AudioError as error:
        if error.reason in ("Damaged", "NoAudioTrack") and await asyncio.to_thread(is_protected, media):
            raise protected() from None
        raise


async def _part_by_part(source: Source, joined: IO[bytes], bounds: Bounds, languages: Collection[str]) -> DecodedAudio:
    """All parts of the file, each where the first one's clock has it, else behind the one before; `joined`: for their
    samples. The track is the first one's. See docs/adr/0078."""
    first: DecodedAudio | None = None
    end = 0
    for part in range(len(source.later_parts) + 1):
        with tempfile.TemporaryFile() as media:
            of_part = await asyncio.to_thread(source.part, part, media)
            try:
                found = await decode_film(of_part, bounds.behind(end / SAMPLE_RATE), languages)
            except AudioError as error:
                if error.reason not in ("Empty", "NoAudioTrack"):
                    raise
                continue
        first = first or found
        at = round((found.clock - first.clock) * SAMPLE_RATE)
        end = at if end <= at < end + LATE * SAMPLE_RATE else end
        joined.seek(end * found.samples.itemsize)
        await asyncio.to_thread(joined.write, found.samples.tobytes())
        end += len(found.samples)
    if first is None:
        raise AudioError("Empty", "The file holds no audio.")
    joined.flush()
    return replace(first, samples=np.asarray(np.memmap(joined, np.float32, mode="c", shape=(end,))))
