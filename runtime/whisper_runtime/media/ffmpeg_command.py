"""The command by which ffmpeg makes samples of a file: one track, in the film's time, mixed or channel by channel."""

from __future__ import annotations

from typing import Final

from whisper_runtime.media.cage import INPUT, READING
from whisper_runtime.media.tracks import Choice

SAMPLE_RATE: Final = 16_000
MAX_ERROR_RATE: Final = 0.1
"""The part of a file's frames that may be damaged; with more, the text would not be a transcription of the file."""
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


def ffmpeg_command(choice: Choice, of_input: tuple[str, ...]) -> tuple[str, ...]:
    """`of_input`: more options for the input."""
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
