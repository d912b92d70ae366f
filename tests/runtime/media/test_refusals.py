"""A file that is not decoded is refused for what ffmpeg's log shows, in words for its sender."""

from __future__ import annotations

import pytest

from whisper_runtime.media.refusals import NO_SPACE, cut, refusal, too_long, too_slow

NOT_IMPLEMENTED = b"Error while opening decoder for input stream #0:0 : Function not implemented\n"


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (b"max_streams limit of 1000 is exceeded", "TooManyStreams"),
        (b"Input #0, mp4\nOutput file #0 does not contain any stream", "NoAudioTrack"),
        (b"Input #0, mov\n  Stream #0:0 -> #0:0 (aac (native) -> pcm_s16le (native))\n" + NOT_IMPLEMENTED, "NotAudio"),
        (b"Input #0, mov\n    title: " + NOT_IMPLEMENTED, "Damaged"),
        (b"Input #0, flac, from 'file:/proc/self/fd/0':", "Damaged"),
        (b"file:/proc/self/fd/0: Invalid data found when processing input", None),
    ],
)
def test_the_log_tells_the_reason(report: bytes, reason: str | None) -> None:
    found = refusal(report)
    assert (found.reason if found else None) == reason


def test_a_codec_that_cannot_be_opened_is_named() -> None:
    mapped = b"Input #0, wav\n  Stream #0:0 -> #0:0 (metasound (native) -> pcm_s16le (native))\n"
    found = refusal(mapped + b"Error while opening decoder for input stream #0:0 : Invalid data found\n")
    assert found is not None
    assert "The header of the audio (metasound) is damaged, or names what cannot be decoded here" in found.message


def test_a_full_disk_is_libcs_word_at_the_begin_of_a_line() -> None:
    assert NO_SPACE.search(b"av_interleaved_write_frame(): No space left on device\n")
    assert not NO_SPACE.search(b"    title           : a: No space left on device\n")


def test_messages_have_what_was_found_and_what_is_allowed() -> None:
    assert "promises 60 s of audio, and 30 s are there" in cut(60.2, 30.1).message
    assert (too_long(3, 5).message, too_long(3, 5).seconds) == (
        "The audio is longer than the 3 s that this server takes.",
        5,
    )
    assert too_slow(120).reason == "TimedOut"
