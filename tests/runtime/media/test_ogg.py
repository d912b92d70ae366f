"""A chain of Oggs is told by its pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.media.conftest import decoded, refused, sounds_like
from tests.support.media_files import speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.ogg import is_chain


def page(flags: int) -> bytes:
    return b"OggS\0" + bytes([flags]) + bytes(21)


@pytest.mark.parametrize(
    ("pages", "answer"),
    [
        ((2, 0, 0, 4), False),
        ((2, 2, 0, 0, 4, 4), False),  # a film: both tracks begin before either goes on
        ((2, 0, 4, 2, 0, 4), True),
        ((2, 0, 2, 0), True),  # the first one has not ended
        ((2,), False),
    ],
)
def test_a_stream_that_begins_after_others_pages_is_a_link(pages: tuple[int, ...], answer: bool) -> None:
    assert is_chain(b"".join(map(page, pages))) is answer


@pytest.mark.parametrize(
    "content", [b"", b"OggS", b"OggS\0", b"OggS\0\2" + b"OggS\0", b"RIFF" + page(2) + page(0) + page(2)]
)
def test_what_is_cut_or_no_ogg_is_none(content: bytes) -> None:
    assert not is_chain(content)


OPUS, VORBIS = ("-c:a", "libopus"), ("-c:a", "libvorbis")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (OPUS, OPUS),
        (OPUS, (*OPUS, "-ac", "2")),
        (VORBIS, VORBIS),
        ((*VORBIS, "-ar", "16000"), (*VORBIS, "-ar", "44100", "-ac", "2")),
        ((*VORBIS, "-ar", "44100", "-ac", "2"), (*VORBIS, "-ar", "16000")),
    ],
)
async def test_links_are_one_behind_the_other(
    jfk: Path, tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    """As voice messages that somebody joins, and radio that tells its titles: also where the rate changes."""
    links = [speech_as(jfk, tmp_path / f"{at}.ogg", *link).read_bytes() for at, link in enumerate((first, second))]
    (tmp_path / "chain.ogg").write_bytes(b"".join(links))
    samples = await decoded(tmp_path / "chain.ogg")
    assert len(samples) / SAMPLE_RATE == pytest.approx(22, abs=0.1)
    assert all(sounds_like(samples[begin * SAMPLE_RATE :], jfk) for begin in (0, 11))


async def test_links_of_two_codecs_are_refused_in_words(jfk: Path, tmp_path: Path) -> None:
    links = [speech_as(jfk, tmp_path / f"{at}.ogg", *link).read_bytes() for at, link in enumerate((VORBIS, OPUS))]
    (tmp_path / "chain.ogg").write_bytes(b"".join(links))
    assert "several recordings in different codecs" in (await refused(tmp_path / "chain.ogg")).message
