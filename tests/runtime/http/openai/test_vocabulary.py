"""What answers take of openai-whisper is its own, and is imported where an answer takes it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from whisper.audio import TOKENS_PER_SECOND
from whisper.tokenizer import LANGUAGES, get_tokenizer

from whisper_runtime.http.openai.formats import AUDIO_TOKENS_PER_SECOND
from whisper_runtime.http.openai.vocabulary import language_name, text_encoding


@pytest.mark.parametrize("english_only", [False, True])
def test_the_vocabulary_is_that_of_the_models_tokenizer(english_only: bool) -> None:
    encoding, tokenizer = text_encoding(english_only=english_only), get_tokenizer(multilingual=not english_only)
    assert encoding.encode(" fünf Gärten") == tokenizer.encode(" fünf Gärten")
    assert encoding.eot_token == tokenizer.eot


def test_languages_have_upstreams_names() -> None:
    assert {code: language_name(code) for code in LANGUAGES} == LANGUAGES


def test_seconds_of_audio_have_as_many_tokens_as_upstreams() -> None:
    assert AUDIO_TOKENS_PER_SECOND == TOKENS_PER_SECOND


def test_the_servers_import_neither_whisper_nor_torch() -> None:
    """Their engine does, which a process without a model has not."""
    code = "import sys, whisper_runtime.process.servers; print(sorted({'torch', 'whisper'} & set(sys.modules)))"
    assert subprocess.check_output((sys.executable, "-c", code), text=True) == "[]\n"
