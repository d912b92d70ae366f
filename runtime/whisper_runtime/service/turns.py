"""The transcriptions of a recording's channels as one, in which whoever speaks first stands first; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from whisper_runtime.engine.transcription import Transcription


def merged(channels: Sequence[Transcription]) -> Transcription:
    """The segments of all channels by their start, each with its channel's number, which begins at 0.

    The text has a line for each turn: what one channel says before another begins. Language and its probability are
    those of the channel that says most. At least one channel is given, all of one duration.
    """
    spoken = [
        replace(segment, channel=number)
        for number, found in enumerate(channels)
        for segment in found.segments
        if segment.text.strip()
    ]
    spoken.sort(key=lambda segment: (segment.start, segment.channel))
    turns = groupby(spoken, key=lambda segment: segment.channel)
    lines = ["".join(segment.text for segment in turn).strip() for _, turn in turns]
    most = max(channels, key=lambda found: len(found.text))
    return Transcription(
        text="\n".join(lines),
        language=most.language,
        duration=most.duration,
        segments=tuple(replace(segment, id=number) for number, segment in enumerate(spoken)),
        language_probability=most.language_probability,
        channels=len(channels),
        is_sampled=any(found.is_sampled for found in channels),
    )
