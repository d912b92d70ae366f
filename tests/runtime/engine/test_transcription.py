"""The options of a transcription have the defaults of openai-whisper."""

from __future__ import annotations

import inspect

import whisper
from whisper.decoding import DecodingOptions

from whisper_runtime.engine.transcription import Options


def test_defaults_are_those_of_whisper_transcribe() -> None:
    upstream = {name: one.default for name, one in inspect.signature(whisper.transcribe).parameters.items()}
    options = Options()
    assert options.temperatures == upstream["temperature"]
    assert options.prompt == upstream["initial_prompt"]
    for name in ("condition_on_previous_text", "word_timestamps", "hallucination_silence_threshold"):
        assert getattr(options, name) == upstream[name]


def test_defaults_are_those_of_upstreams_decoding() -> None:
    upstream, options = DecodingOptions(), Options()
    for name in ("task", "language", "beam_size", "patience", "best_of", "without_timestamps"):
        assert getattr(options, name) == getattr(upstream, name)
