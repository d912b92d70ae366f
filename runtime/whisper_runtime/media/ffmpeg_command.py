"""The commands by which ffmpeg makes samples of a file: one track, in the film's time, mixed or channel by channel."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from whisper_runtime.media.cage import INPUT, READING
from whisper_runtime.media.tracks import Choice

SAMPLE_RATE: Final = 16_000
MAX_ERROR_RATE: Final = 0.1
"""The part of a file's frames that may be damaged; with more, the text would not be a transcription of the file."""
CLOCK: Final = (
    "asetpts='if(eq(N,0),print(T));"
    "st(0,PTS-if(lt(STARTT,0.1),STARTPTS)+ld(1));"  # 0: the frame's time, of a start without a short delay
    "st(3,(ld(0)-ld(2))*TB);"  # 3: seconds by which it is behind the end of all samples so far
    "st(1,ld(1)-if(lt(ld(3),-0.5),ld(3)/TB));"  # 1: the delay that jumps back have made so far
    "st(5,if(between(ld(3),-0.5,0.1),clip(ld(3)/5,-0.03,0.03)*S/SR));"  # 5: what is followed of it with this frame
    "st(4,if(gt(ld(3),0.1),0,ld(4)+ld(5)));"  # 4: what has been followed since the last gap
    "if(gt(abs(ld(4)),0.08)*not(ld(6)),print(1/0)*0+st(6,1));"
    "st(2,ld(2)+(if(gt(ld(3),0.1),ld(3),ld(5))+S/SR)/TB);"  # 2: the end of all samples so far
    "st(8,if(N,(PTS-PREV_INPTS)*TB*SR/ld(9)));st(9,S);"  # 8: how long the frame before was, by the clock and by itself
    "st(8,if(between(ld(8),1.03,3.5),1,if(between(ld(8),0.25,0.97),-1)));"  # and now: whether it is too long or short
    "st(8,if(ld(8),clip(ld(7)+ld(8),-128,128),ld(7)-clip(ld(7),-16,16)));"
    "if(gte(abs(ld(7)),64)*lt(abs(ld(8)),64),print(1e13));"
    "if(gte(abs(ld(8)),64)*lt(mod(N,64*S),S),print(1e12*(PTS-STARTPTS)*TB*SR/N));"
    "st(7,ld(8));"  # 7: how many in a row were too long, or, below zero, too short; but for a few
    "ld(2)-S/SR/TB'"
)
"""The times of a track's frames in the film.

Gaps are left where they are. Where the clock jumps back by more than half a second, what follows is delayed, for
aresample would drop it. Otherwise the clock is followed within some five seconds, and by no more than 3 % of them: one
that runs apart from the samples is, and jitter is not. See docs/adr/0026 and 0113 and ffmpeg-filters(1), asetpts.
"""
FILM_TIME: Final = f"{CLOCK},aresample=async=1:first_pts=0"
"""Silence where the track has no sound in the film's time: before a late start, and in gaps longer than 0.1 s.

Shorter ones are the padding of encoders; a file without gaps gets the samples that it has. See docs/adr/0026 and
ffmpeg-filters(1), aresample.
"""
STRETCHED_TIME: Final = f"{FILM_TIME}:flags=res:min_comp=0.005:max_soft_comp=0.04"
"""The same, and the samples are stretched or squeezed to lie where the clock has them, by up to 4 %."""
COUNTED: Final = "asetpts='if(eq(N,0),print(T));if(lt(STARTT,0.1),0,STARTPTS)+N/SR/TB'"
LATE_START: Final = "aresample=async=1:first_pts=0"
COUNTED_TIME: Final = f"{COUNTED},{LATE_START}"
"""The film's time of a track without gaps: its start, and the number of samples since."""
SLOWEST: Final = 0.5
"""What ffmpeg's atempo takes, which keeps the voice's pitch (ffmpeg-filters(1))."""
CHAIN_OF_FILTERS: Final = re.compile(rb"^-?\d{1,10}\.\d{6}$", re.MULTILINE)
"""What CLOCK and COUNTED_TIME log with the first frame that they get."""
RUNS_APART: Final = re.compile(rb"^inf$", re.MULTILINE)
"""What CLOCK logs as soon as the clock has run apart from the samples by 0.08 s since the last gap."""
PACE: Final = re.compile(rb"^(\d{12,14})\.\d{6}$", re.MULTILINE)
"""What CLOCK logs now and then while every frame is longer, or shorter, by the clock than by its samples: the clock's
seconds, in trillionths, for each second of samples so far; 10 of them where that ends. See docs/adr/0117."""
EVEN_PACE: Final = 0.03
"""The part by which it may differ between the beginning and the end."""
HAS_NO_CLOCK: Final = re.compile(
    rb"^Input #0, (?:aac|ac3|aiff|amr|ape|au|avi|dts|dtshd|eac3|flac|gsm|loas|mlp|mp3|mpc|mpc8|ogg|tak|truehd|"
    rb"tta|wv), ",
    re.MULTILINE,
)
"""Formats whose times ffmpeg counts by the first frame's rate, or a header's."""
TIMES_ARE_LATE: Final = re.compile(
    rb"^Input #0, (?:asf|wtv), .*^  Stream #0:\d{1,4} -> #0:0 \(flac ", re.MULTILINE | re.DOTALL
)
"""FLAC in Microsoft's containers: of all frames but the first, ffmpeg has the time of one nine later, which it has read
to find where they end (libavcodec/flac_parser.c)."""
AT_THE_START: Final = ("-itsoffset", "0.000001")
"""A microsecond, for ffmpeg to leave alone where a transport stream's clock begins: else it begins with the track that
is decoded, however late in the film that does (fftools/ffmpeg.c, `Correcting start time`)."""

Command = Callable[[Choice, tuple[str, ...]], tuple[str, ...]]
"""ffmpeg's command for the track that is chosen, with more options for the input."""


def pace_of(report: bytes) -> float:
    """The clock's seconds for each second of samples, by ffmpeg's log; 0: they are the same, or it is not one pace."""
    paces = [int(found) / 1e12 for found in PACE.findall(report)]
    return paces[-1] if paces and max(paces) - min(paces) <= EVEN_PACE * paces[-1] else 0.0


def film_command(choice: Choice, of_input: tuple[str, ...]) -> tuple[str, ...]:
    """Samples in the film's time, as long as the file has one kind of samples."""
    return _command(choice, of_input, (FILM_TIME, choice.mix, _as_whisper_loads_it(choice)), "f32le")


def stretched_command(choice: Choice, of_input: tuple[str, ...]) -> tuple[str, ...]:
    """The same of a file whose clock runs apart from its samples."""
    return _command(choice, of_input, (STRETCHED_TIME, choice.mix, _as_whisper_loads_it(choice)), "f32le")


def counted_command(choice: Choice, of_input: tuple[str, ...]) -> tuple[str, ...]:
    """Samples in the film's time where the file says when the track begins, and no more."""
    return _command(choice, of_input, (COUNTED_TIME, choice.mix, _as_whisper_loads_it(choice)), "f32le")


def paced_command(pace: float, choice: Choice, of_input: tuple[str, ...]) -> tuple[str, ...]:
    """The same, and speech is slowed down, or sped up, to so many seconds of the clock for each of its own."""
    stages = 1 if 1 / pace >= SLOWEST else 2
    tempo = (f"atempo={pace ** (-1 / stages):.9f}",) * stages
    return _command(choice, of_input, (COUNTED, *tempo, LATE_START, choice.mix, _as_whisper_loads_it(choice)), "f32le")


def joined_command(choice: Choice, of_input: tuple[str, ...]) -> tuple[str, ...]:
    """All samples, one behind the other, whatever the file's clock says."""
    return _command(choice, of_input, (choice.mix, _as_whisper_loads_it(choice)), "f32le")


def even_command(choice: Choice, of_input: tuple[str, ...]) -> tuple[str, ...]:
    """A file that has the track alone, with its clock, in one kind of samples."""
    filters = (choice.mix, _as_whisper_loads_it(choice))
    return _command(choice, of_input, filters, "nut", "-c:a", "pcm_s16le")


def _as_whisper_loads_it(choice: Choice) -> str:
    layout = "channel_layouts=mono:" if choice.channels == 1 else ""
    return f"aformat=sample_fmts=s16:{layout}sample_rates={SAMPLE_RATE}"


def _command(
    choice: Choice, of_input: tuple[str, ...], filters: tuple[str, ...], form: str, *of_output: str
) -> tuple[str, ...]:
    alone = ("-threads", "1", "-filter_threads", "1")
    track = () if choice.index is None else ("-map", f"0:{choice.index}")
    chain = ("-af", ",".join(filter(None, filters)))
    target = ("-vn", "-sn", "-dn", "-map_metadata", "-1", *chain, *of_output, "-f", form, "pipe:1")
    return (
        "ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "info", "-max_error_rate", str(MAX_ERROR_RATE),
        *alone, *READING, *AT_THE_START, *of_input, "-i", INPUT, *track, *target,
    )  # fmt: skip
