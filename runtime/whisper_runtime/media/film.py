"""Decodes one film, by ffmpeg in a process of its own, within the limits of cage.py.

ffmpeg gets the file as its standard input and a scratch file without a name as its output. Where its own choice of
track or channels does not serve, ffprobe is asked, and ffmpeg runs once more.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Final

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.duration import ends_early, first_time, is_cut, late_start, promised_seconds
from whisper_runtime.media.ffmpeg_command import (
    CHAIN_OF_FILTERS,
    HAS_NO_CLOCK,
    RUNS_APART,
    TIMES_ARE_LATE,
    Command,
    counted_command,
    even_command,
    film_command,
    joined_command,
    pace_of,
    paced_command,
    stretched_command,
)
from whisper_runtime.media.ffmpeg_process import BYTES_PER_SECOND, Bounds, run_ffmpeg
from whisper_runtime.media.loudness import QUIET, SILENT, is_below, is_lost
from whisper_runtime.media.refusals import AudioError, cut, lacks_bytes
from whisper_runtime.media.source import Source
from whisper_runtime.media.track_taken import TrackTaken, track_taken
from whisper_runtime.media.tracks import CHANNELS_LIMIT, AudioTrack, Choice, choose, other_mixes, ranked

AUDIO_STREAM: Final = re.compile(rb"^  Stream #0:.*: Audio: ", re.MULTILINE)
"""A line of ffmpeg's log for each audio track."""
OUTPUT: Final = b"\nOutput #0"
"""What ffmpeg logs before the tracks of its output, of which there is one."""
GUESSED_LAYOUT: Final = re.compile(rb"^Guessed Channel Layout for Input Stream #\S+ : (?!mono|stereo)", re.MULTILINE)
TRACKS_SEARCHED: Final = 8
"""Tracks that are decoded for any sound, where the one that was chosen has none."""


class _LeavesAChoice(Exception):
    """ffmpeg's log shows several audio tracks, or channels in places that it had to guess, and it was told nothing."""


class _Changes(Exception):
    """ffmpeg's log shows that the rate or the channels of the sound change within the file."""

    def __init__(self, log: bytes) -> None:
        self.log = log


class _ReadOtherwise(Exception):
    """ffmpeg's log shows that the film's times need another way of reading the file."""

    def __init__(self, source: Source) -> None:
        self.source = source


@dataclass(frozen=True)
class DecodedAudio:
    samples: Samples
    track: TrackTaken | None
    """Where they come from; None: ffmpeg's log does not tell it."""
    clock: float = 0.0
    """What the file's clock shows at the film's beginning, in seconds."""


async def decode_film(source: Source, bounds: Bounds, languages: Collection[str]) -> DecodedAudio:
    """The mix of all channels; another one, where that is much louder: some had cancelled others, or were left out.

    Where it is silent, the next track that is not, in the order in which one is chosen.
    """
    try:
        source, choice, mixed = await _chosen(source, bounds, languages)
    except AudioError as error:
        found = await source.tracks() if error.reason == "Empty" else ()
        if len(found) < 2 or not (other := await _with_sound(source, bounds, ranked(found, languages)[1:])):
            raise
        return other
    if not await asyncio.to_thread(is_below, mixed.samples, QUIET):
        return mixed
    found = ranked(await source.tracks(), languages)
    track = next((one for one in found if choice.index in (None, one.index)), None)
    for mix in other_mixes(track) if track and track.channels <= CHANNELS_LIMIT else ():
        found_there = await read_track(source, bounds, mix)
        if await asyncio.to_thread(is_lost, found_there.samples, mixed.samples):
            return found_there
    if len(found) < 2 or not await is_silent(mixed.samples):
        return mixed
    return await _with_sound(source, bounds, [one for one in found if one is not track]) or mixed


async def is_silent(samples: Samples) -> bool:
    """Whether `samples` are too quiet to hold any sound."""
    return await asyncio.to_thread(is_below, samples, SILENT)


async def _with_sound(source: Source, bounds: Bounds, tracks: Sequence[AudioTrack]) -> DecodedAudio | None:
    """The first of some tracks that has any sound; None: none of them has."""
    for track in tracks[:TRACKS_SEARCHED]:
        try:
            found = await read_track(source, bounds, choose((track,), ()))
        except AudioError as error:
            if error.reason not in ("Empty", "Damaged"):
                raise
        else:
            if not await is_silent(found.samples):
                return found
    return None


async def _chosen(source: Source, bounds: Bounds, languages: Collection[str]) -> tuple[Source, Choice, DecodedAudio]:
    """The samples as ffmpeg itself reads the file, else of the track that is chosen by what ffprobe says of it."""
    try:
        return source, Choice(), await read_track(source, bounds, Choice())
    except _LeavesAChoice:
        if not (found := await source.tracks()):
            raise AudioError("Damaged", "The file is damaged: its tracks cannot be read.") from None
        choice = choose(found, languages)
    except AudioError as error:
        if error.reason == "NoAudioTrack" and not source.is_searched_further:
            return await _chosen(source.searched_further(), bounds, languages)
        if error.reason != "Damaged" or not (found := await source.tracks()):
            raise
        choice = choose(found, languages)
        if not choice.mix:
            raise
    return source, choice, await read_track(source, bounds, choice)


async def read_track(source: Source, bounds: Bounds, choice: Choice) -> DecodedAudio:
    """The samples of the track that is chosen; those of channels that are kept apart take turns.

    Raises AudioError, Undecodable, and what `on_bytes` raises.
    """
    if source.is_chain:
        return await _samples(source, bounds, choice, joined_command)
    try:
        return await _samples(source, bounds, choice, _command_for(source))
    except _ReadOtherwise as other:
        return await read_track(other.source, bounds, choice)
    except _Changes as change:
        if HAS_NO_CLOCK.search(change.log):
            return await _samples(source, bounds, choice, joined_command)
    return await _evened(source, bounds, choice)


def _command_for(source: Source) -> Command:
    if source.is_counted:
        return counted_command
    if source.pace:
        return partial(paced_command, source.pace)
    return stretched_command if source.runs_apart else film_command


async def _evened(source: Source, bounds: Bounds, choice: Choice) -> DecodedAudio:
    """The same of a file in which the rate or the channels change: ffmpeg starts its filters, and with them the film's
    time, anew at each change, so that both are made one before."""
    with tempfile.TemporaryFile() as even:
        report = await _run(source, bounds, choice, even, even_command)
        track = Choice(0, channels=choice.channels)
        decoded = await read_track(Source(even, b""), bounds, track)
        return _whole(source, bounds, report, decoded.samples, choice.channels)


async def _samples(source: Source, bounds: Bounds, choice: Choice, command: Command) -> DecodedAudio:
    """Raises _Changes, _ReadOtherwise and _LeavesAChoice, beside what read_track does."""
    with tempfile.TemporaryFile() as pcm:
        report = await _run(source, bounds, choice, pcm, command)
        size = os.fstat(pcm.fileno()).st_size
        if size == 0:
            raise AudioError("Empty", "The file holds no audio.")
        if command in (film_command, stretched_command):
            if not source.begins_at and (late := late_start(report)):
                raise _ReadOtherwise(source.beginning_at(late))
            if pace := pace_of(report):
                raise _ReadOtherwise(replace(source, pace=pace))
        samples = np.asarray(np.memmap(pcm, np.float32, mode="c", shape=(size // 4,)))
        return _whole(source, bounds, report, samples, choice.channels)


def _whole(source: Source, bounds: Bounds, report: bytes, samples: Samples, channels: int) -> DecodedAudio:
    """The samples of the file that ffmpeg has logged so; raises AudioError where it promises more of them.

    A promise beyond what this server takes cannot be meant. Where the end is missing and nothing promises a length, all
    that is there is taken, and the track says so.
    """
    ending, found = source.ending, samples.nbytes / (channels * BYTES_PER_SECOND)
    promised = promised_seconds(source.wav, ending, report)
    if promised <= bounds.max_seconds and is_cut(promised, found):
        raise cut(promised, found)
    by_bytes = ending.promised_seconds(found)
    if by_bytes <= bounds.max_seconds and is_cut(by_bytes, found):
        raise lacks_bytes(ending.promised_bytes, ending.size, found)
    track = track_taken(report)
    track = replace(track, ends_early=ends_early(ending, report)) if track else None
    return DecodedAudio(samples, track, first_time(report))


async def _run(source: Source, bounds: Bounds, choice: Choice, target: IO[bytes], command: Command) -> bytes:
    """Decodes `source` into `target`; returns ffmpeg's log."""

    def judge(log: bytes) -> None:
        of_input = log.partition(OUTPUT)[0]
        if choice.index is None and (len(AUDIO_STREAM.findall(of_input)) > 1 or GUESSED_LAYOUT.search(log)):
            raise _LeavesAChoice
        if len(CHAIN_OF_FILTERS.findall(log)) > 1:
            raise _Changes(log)
        if not source.is_counted and TIMES_ARE_LATE.search(log):
            raise _ReadOtherwise(replace(source, lacks_times=True))
        if not source.runs_apart and RUNS_APART.search(log):
            raise _ReadOtherwise(replace(source, runs_apart=True))

    command_line = command(choice, (*source.options, *source.decoding))
    return await run_ffmpeg(command_line, source.media, target, bounds, channels=choice.channels, on_log=judge)
