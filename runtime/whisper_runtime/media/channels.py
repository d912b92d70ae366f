"""Decodes each channel of a recording by itself: a call of two sides has one of them in each."""

from __future__ import annotations

from typing import IO

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.decode import AudioError, Bounds, OnBytes, decode, read_track, reading
from whisper_runtime.media.probe import probe
from whisper_runtime.media.tracks import choose, each_channel, tracks


async def decode_channels(
    media: IO[bytes], *, max_seconds: float, timeout: float, on_bytes: OnBytes, language: str | None = None
) -> list[Samples]:
    """The samples of each channel, as decode.decode gives those of a file that has this channel alone.

    They lie in one file, interleaved, and are views of it. `max_seconds` is for all channels together: each may last as
    long as its part. The track, and all else, is as decode.decode has it. Raises AudioError, and what `on_bytes`
    raises.
    """
    async with reading(media, timeout):
        if not (found := tracks(await probe(media))):
            await decode(media, max_seconds=max_seconds, timeout=timeout, on_bytes=on_bytes)  # raises what is wrong
            raise AudioError("Damaged", "The file is damaged: its channels cannot be told apart.")
        chosen = choose(found, language).index
        choice = each_channel(next(track for track in found if track.index == chosen))
        bounds = Bounds(max_seconds / choice.channels, timeout, on_bytes)
        try:
            samples = await read_track(media, bounds, choice)
        except AudioError as error:
            raise AudioError(error.reason, error.message, error.seconds * choice.channels) from None
        return list(samples.reshape(-1, choice.channels).T)
