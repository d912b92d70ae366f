"""Dictations and telephones' frames, joined with others, are told as well, though little marks them."""

from __future__ import annotations

import random

import pytest

from tests.runtime.media.test_decode_dictation import dss
from tests.runtime.media.test_joined import is_told, recorded
from whisper_runtime.media.raw_audio import DeclaredType

__all__ = ["recorded"]


def test_dictations_behind_each_other_and_behind_others(recorded: dict[str, bytes]) -> None:
    """DSS, of which ffmpeg decodes the second one's header as frames."""
    one = dss(random.Random(20).randbytes(2100), 0)
    assert [is_told(content) for content in (one, one + one, one + recorded["m4a"], recorded["mp3"] + one)] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("sound", [b"\xd5" * 40_000, random.Random(20).randbytes(40_000), bytes(range(256)) * 400])
def test_samples_are_no_frames_of_a_telephone(recorded: dict[str, bytes], sound: bytes) -> None:
    """Though silence of A-law has their four bits in each byte."""
    assert not is_told(recorded["nut"] + sound)


def test_what_is_behind_frames_that_are_declared_is_told(recorded: dict[str, bytes]) -> None:
    declared = DeclaredType("audio/gsm")
    assert [is_told(recorded["gsm"] + other, declared) for other in (b"", recorded["gsm"], recorded["mp3"])] == [
        False,
        False,
        True,
    ]
