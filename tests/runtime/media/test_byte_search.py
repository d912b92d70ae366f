"""A file is searched piece by piece, and nothing between two pieces is missed."""

from __future__ import annotations

import re

import pytest

from whisper_runtime.media.byte_search import LONGEST_MATCH, PIECE, first_match

NEEDLE = re.compile(rb"needle")


@pytest.mark.parametrize("at", [0, 1, PIECE - 3, PIECE, 2 * PIECE + 5])
def test_it_is_found_wherever_it_is(at: int) -> None:
    assert first_match(NEEDLE, bytes(at) + b"needle needle") == at


def test_it_is_looked_for_from_a_place_on() -> None:
    content = b"needle" + bytes(PIECE) + b"needle"
    assert first_match(NEEDLE, content, 1) == PIECE + 6
    assert first_match(NEEDLE, content, PIECE + 7) is None
    assert first_match(NEEDLE, b"") is None


def test_a_match_across_two_pieces_may_be_so_long() -> None:
    long = re.compile(rb"a.{%d}b" % (LONGEST_MATCH - 2), re.DOTALL)
    content = bytes(PIECE - 1) + b"a" + bytes(LONGEST_MATCH - 2) + b"b"
    assert first_match(long, content) == PIECE - 1
