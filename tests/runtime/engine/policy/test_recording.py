"""A file before its first window is decoded: its language, and which parts of it are transcribed."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.results import MODEL, decoded, opened, request_of, silence, transcribe
from whisper_runtime.engine.policy.queries import DecodeWindow, DetectedLanguage, DetectLanguage
from whisper_runtime.engine.transcription import Options

ENGLISH = Options(language="en")


def test_a_language_that_the_client_does_not_name_is_detected_in_the_first_window() -> None:
    found, queries = transcribe(10, Options(), DetectedLanguage("es", 0.99), decoded(0.0, " Hola.", 4.0))
    detect, decode = queries
    assert isinstance(detect, DetectLanguage)
    assert isinstance(decode, DecodeWindow)
    assert detect.window is decode.window
    assert decode.params.prompt == MODEL.for_language("es", "transcribe").sot_sequence
    assert (found.language, found.language_probability) == ("es", 0.99)


def test_a_language_that_is_not_sure_is_detected_again_with_upstreams_padding() -> None:
    found, queries = transcribe(
        10, Options(), DetectedLanguage("es", 0.5), DetectedLanguage("pt", 0.6), decoded(0.0, " Olá.", 4.0)
    )
    assert isinstance(queries[1], DetectLanguage)
    assert queries[1].window is not queries[0].window
    assert (found.language, found.language_probability) == ("pt", 0.6)


def test_a_language_is_detected_among_those_that_the_client_names() -> None:
    options = Options(languages=("es", "pt"))
    found, queries = transcribe(
        10, options, DetectedLanguage("es", 0.2), DetectedLanguage("pt", 0.3), decoded(0.0, " Olá.", 4.0)
    )
    assert [query.among for query in queries if isinstance(query, DetectLanguage)] == [("es", "pt")] * 2
    assert (found.language, found.language_probability) == ("pt", 0.3)


def test_a_language_that_the_client_names_has_no_probability() -> None:
    found, _ = transcribe(10, ENGLISH, decoded(0.0, " One.", 2.0))
    assert (found.language, found.language_probability) == ("en", None)


def test_an_english_only_model_detects_nothing() -> None:
    english = replace(MODEL, is_multilingual=False, n_vocab=51864)
    (chunk,), queries = opened(request_of(silence(1), Options()), model=english)
    assert queries == []
    assert isinstance(next(chunk), DecodeWindow)


def test_only_the_clips_are_transcribed() -> None:
    one = decoded(0.0, " One.", 2.0)
    found, queries = transcribe(60, replace(ENGLISH, clip_timestamps=(5.0, 8.0, 50.0)), one, one)
    assert [segment.seek for segment in found.segments] == [500, 5000]
    assert [query.window.seconds for query in queries if isinstance(query, DecodeWindow)] == [3.0, 10.0]


def test_the_language_is_heard_where_speech_begins() -> None:
    """whisper.transcribe listens to the beginning, which may be music."""
    one = decoded(20.0, " Uno.", 22.0)
    options = Options(clip_timestamps=(20.0, 24.0), language_at=20.0)
    found, (detect, decode) = transcribe(60, options, DetectedLanguage("es", 0.99), one)
    assert isinstance(detect, DetectLanguage)
    assert isinstance(decode, DecodeWindow)
    assert (detect.window.seconds, decode.window.seconds) == (30.0, 4.0)
    assert (found.language, found.segments[0].seek) == ("es", 2000)


def test_an_empty_file_has_no_text() -> None:
    found, queries = transcribe(0, ENGLISH)
    assert (found.text, found.segments, found.duration) == ("", (), 0.0)
    assert queries == []
