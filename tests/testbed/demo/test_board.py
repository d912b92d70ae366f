"""The board says what is done, what runs and what comes next, in one line that is rewritten or said again."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from testbed.demo.board import Board


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class BoardClock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> BoardClock:
    return BoardClock()


def test_what_runs_and_what_comes_next(clock: BoardClock) -> None:
    board = Board(stream := io.StringIO(), clock)
    board.plan(["binaries", "images", "cluster"])
    board.begin("binaries")
    clock.seconds = 10
    board.begin("images")
    clock.seconds = 31
    board.tick()
    assert stream.getvalue() == "         … binaries 31 s, images 21 s; next: cluster\n"


def test_what_a_step_waits_for(clock: BoardClock) -> None:
    board = Board(stream := io.StringIO(), clock)
    board.begin("service")
    board.waits_for("service", "pods start")
    clock.seconds = 30
    board.tick()
    assert stream.getvalue() == "         … service 30 s (pods start)\n"


def test_elsewhere_than_on_a_terminal_it_is_said_every_half_minute(clock: BoardClock) -> None:
    board = Board(stream := io.StringIO(), clock)
    board.begin("binaries")
    for clock.seconds in range(1, 91):
        board.tick()
    assert len(stream.getvalue().splitlines()) == 3
    assert "\r" not in stream.getvalue()


def test_a_line_that_was_printed_is_a_sign_of_life(clock: BoardClock) -> None:
    board = Board(stream := io.StringIO(), clock)
    board.begin("binaries")
    board.begin("images")
    clock.seconds = 29
    board.end("images", succeeded=True)
    clock.seconds = 31
    board.tick()
    assert stream.getvalue() == "     29.0 s  images\n"


def test_on_a_terminal_the_line_is_rewritten(clock: BoardClock) -> None:
    board = Board(stream := Terminal(), clock)
    board.begin("binaries")
    clock.seconds = 1
    board.tick()
    clock.seconds = 2
    board.tick()
    board.end("binaries", succeeded=True)
    board.tick()
    assert stream.getvalue() == (
        "\r\x1b[K         … binaries 1 s\r\x1b[K         … binaries 2 s\r\x1b[K      2.0 s  binaries\n"
    )


def test_a_step_that_failed_is_not_done(clock: BoardClock) -> None:
    board = Board(stream := io.StringIO(), clock)
    board.begin("binaries")
    board.end("binaries", succeeded=False)
    assert stream.getvalue() == ""
