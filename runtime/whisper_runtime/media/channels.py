"""Decodes each channel of a recording by itself: a call of two sides has one of them in each."""

from __future__ import annotations

from collections.abc import Collection
from typing import IO, Final

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.decode import decode, reading
from whisper_runtime.media.ffmpeg_process import Bounds, OnBytes
from whisper_runtime.media.film import DecodedAudio, read_track
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.media.source import Source
from whisper_runtime.media.tracks import AudioTrack, choose, each_channel

PARTS: Final = (
    "The sound of the file goes on in another track, so that its channels are not the same throughout: leave "
    "`channels` out, or send each part by itself."
)


async def decode_channels(
    media: IO[bytes],
    *,
    max_seconds: float,
    timeout: float,
    on_bytes: OnBytes,
    languages: Collection[str] = (),
    declared: DeclaredType = UNDECLARED,
) -> list[DecodedAudio]:
    """Each channel, as decode.decode gives a file that has this channel alone.

    Their samples lie in one file, interleaved, and are views of it. `max_seconds` is for all channels together: each
    may last as long as its part. The track, and all else, is as decode.decode has it. Raises AudioError, and what
    `on_bytes` raises.
    """
    async with reading(media, declared, timeout) as source:
        if source.later_parts:
            raise AudioError("NotAudio", PARTS)
        if not (found := await source.tracks()):
            await decode(media, max_seconds=max_seconds, timeout=timeout, on_bytes=on_bytes)  # raises what is wrong
            raise AudioError("Damaged", "The file is damaged: its channels cannot be told apart.")
        chosen = choose(found, languages).index
        track = next(one for one in found if one.index == chosen)
        return await _apart(source, track, Bounds(max_seconds, timeout, on_bytes))


async def _apart(source: Source, track: AudioTrack, bounds: Bounds) -> list[DecodedAudio]:
    choice = each_channel(track)
    of_each = Bounds(bounds.max_seconds / choice.channels, bounds.timeout, bounds.on_bytes)
    try:
        decoded = await read_track(source, of_each, choice)
    except AudioError as error:
        raise AudioError(error.reason, error.message, error.seconds * choice.channels) from None
    samples: Samples = decoded.samples.reshape(-1, choice.channels)
    return [DecodedAudio(one, decoded.track) for one in samples.T]
