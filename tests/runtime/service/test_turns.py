"""Two sides of a call become one text, in which a line is a turn."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.engine import SEGMENT
from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.service.turns import merged


def said(start: float, text: str) -> Segment:
    return replace(SEGMENT, start=start, end=start + 1, text=text)


def side(*segments: Segment, language: str = "en", probability: float | None = None) -> Transcription:
    return Transcription("".join(one.text for one in segments), language, 20, segments, probability)


def test_a_line_is_a_turn_and_a_segment_has_its_channel() -> None:
    agent = side(said(0, " Hello."), said(2, " Who is there?"), said(9, " Good."))
    caller = side(said(5, " It is me."))
    found = merged([agent, caller])
    assert found.text == "Hello. Who is there?\nIt is me.\nGood."
    assert [(one.id, one.channel, one.start) for one in found.segments] == [(0, 0, 0), (1, 0, 2), (2, 1, 5), (3, 0, 9)]


def test_who_speaks_at_once_is_in_the_order_of_channels() -> None:
    found = merged([side(said(1, " A")), side(said(1, " B")), side(said(0.5, " C"))])
    assert (found.text, [one.channel for one in found.segments]) == ("C\nA\nB", [2, 0, 1])


def test_the_language_is_that_of_whoever_says_most() -> None:
    found = merged([side(said(0, " Ja."), language="de"), side(said(1, " Good morning."), probability=0.9)])
    assert (found.language, found.language_probability) == ("en", 0.9)


def test_it_is_sampled_where_one_channel_is() -> None:
    sampled = replace(side(said(1, " B")), is_sampled=True)
    assert [merged([side(), other]).is_sampled for other in (sampled, side())] == [True, False]


def test_each_channel_counts_even_a_silent_one() -> None:
    found = merged([side(said(0, " A")), side()])
    assert (found.duration, found.channels, found.audio_seconds) == (20, 2, 40)


def test_silence_has_no_text() -> None:
    assert (merged([side(), side()]).text, merged([side(), side()]).segments) == ("", ())


def test_a_segment_without_text_is_no_turn() -> None:
    assert merged([side(said(0, " A"), said(3, " B")), side(said(2, " "))]).text == "A B"
