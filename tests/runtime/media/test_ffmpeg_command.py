"""ffmpeg is told what to read, which track, and how to mix it."""

from __future__ import annotations

import pytest

from whisper_runtime.media.cage import INPUT, READING
from whisper_runtime.media.ffmpeg_command import (
    AT_THE_START,
    CHAIN_OF_FILTERS,
    FILM_TIME,
    HAS_NO_CLOCK,
    RUNS_APART,
    STRETCHED_TIME,
    even_command,
    film_command,
    joined_command,
    stretched_command,
)
from whisper_runtime.media.tracks import Choice


def test_without_a_choice_ffmpeg_takes_a_track_and_mixes_it() -> None:
    command = film_command(Choice(), ())
    assert "-map" not in command
    assert command[command.index("-af") + 1].startswith(f"{FILM_TIME},aformat=")
    at = command.index("-i")
    assert command[at - len(READING) - 2 : at + 2] == (*READING, *AT_THE_START, "-i", INPUT)


def test_with_a_choice_it_is_told_both() -> None:
    command = film_command(Choice(3, "pan=mono|c0=c1"), ("-f", "wav"))
    assert command[command.index("-map") + 1] == "0:3"
    assert command[command.index("-af") + 1].startswith(f"{FILM_TIME},pan=mono|c0=c1,aformat=")
    at = command.index("-i")
    assert command[at - 2 : at] == ("-f", "wav")


def test_the_other_ways_leave_the_clock_out() -> None:
    for command in (joined_command(Choice(), ()), even_command(Choice(), ())):
        assert command[command.index("-af") + 1].startswith("aformat=")
    assert joined_command(Choice(), ())[-2:] == ("f32le", "pipe:1")
    assert even_command(Choice(), ())[-2:] == ("nut", "pipe:1")


@pytest.mark.parametrize(
    ("log", "chains"),
    [
        (b"Stream mapping:\n0.000000\nOutput #0\n", 1),
        (b"0.000000\nOutput #0\n10.978667\n-0.010000\n", 3),
        (b"    title           : 1.000000\n                    : 1.000000\n", 0),
    ],
)
def test_each_chain_of_filters_logs_its_first_time(log: bytes, chains: int) -> None:
    assert len(CHAIN_OF_FILTERS.findall(log)) == chains


@pytest.mark.parametrize(
    ("log", "answer"), [(b"0.000000\nOutput #0\ninf\n", True), (b"    title           : inf\n", False)]
)
def test_a_clock_that_runs_apart_is_logged(log: bytes, answer: bool) -> None:
    assert bool(RUNS_APART.search(log)) is answer


def test_the_sound_of_such_a_file_is_stretched() -> None:
    command = stretched_command(Choice(), ())
    assert command[command.index("-af") + 1].startswith(f"{STRETCHED_TIME},aformat=")


@pytest.mark.parametrize(
    ("log", "answer"),
    [(b"Input #0, mp3, from", True), (b"Input #0, mpegts, from", False), (b"Input #0, mov,mp4", False)],
)
def test_formats_without_a_clock(log: bytes, answer: bool) -> None:
    assert bool(HAS_NO_CLOCK.search(log)) is answer
