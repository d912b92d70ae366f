"""A multilingual model hears German: it finds the language out, takes it by any of its names, and translates.

Its file is called by no name of Whisper's, so all of that is known by what is in it.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import jiwer
import pytest
import whisper
from whisper.normalizers import BasicTextNormalizer
from whisper.tokenizer import LANGUAGES

from testbed.inputs import prompts
from tests.support.openai_clients import OpenAiCall, python
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

SPOKEN = "Das Haus ist alt, aber der Garten ist sehr schön. Meine Mutter wohnt dort seit zwanzig Jahren."


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("german") / "german.wav"
    subprocess.run(("espeak-ng", "-v", "de", "-s", "130", "-w", str(path), SPOKEN), check=True)
    return str(path)


def said(url: str, operation: str, recording: str, **params: Any) -> dict[str, Any]:
    call = OpenAiCall(operation, {"model": "mine.en", "response_format": "verbose_json", **params}, recording)
    outcome = python(url, call)
    assert outcome.error is None
    return outcome.value


def test_the_language_is_found_out_and_taken_by_its_name(multilingual: str, recording: str) -> None:
    found = said(multilingual, "transcribe", recording)
    assert found["language"] == "german"
    assert {"Das", "Haus", "Mutter"} <= set(found["text"].split())
    for name in ("german", "German"):
        named = said(multilingual, "transcribe", recording, language=name)
        assert (named["language"], named["text"]) == ("german", found["text"])


@pytest.mark.parametrize(
    "languages", [["English", "fr"], ["nl", "da", "no"], ["de", "en"], ["ja", "ko"]], ids=lambda among: "-".join(among)
)
def test_the_language_is_the_likeliest_of_those_it_may_be(
    multilingual: str, recording: str, weights: dict[str, Path], languages: list[str]
) -> None:
    model = whisper.load_model(str(weights["base"]), device="cpu")
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(whisper.load_audio(recording)))
    _, probabilities = model.detect_language(mel)
    codes = [{"English": "en"}.get(language, language) for language in languages]
    likeliest = max(codes, key=lambda code: probabilities[code])
    found = said(multilingual, "transcribe", recording, languages=languages, include=["language_probability"])
    assert found["language"] == whisper.tokenizer.LANGUAGES[likeliest]
    assert found["language_probability"] == pytest.approx(probabilities[likeliest], rel=1e-3)


def test_it_translates(multilingual: str, recording: str) -> None:
    found = said(multilingual, "translate", recording)
    assert (found["task"], found["language"]) == ("translate", "english")
    assert {"house", "garden", "mother"} <= set(found["text"].replace(",", "").split())
    assert found["segments"]


def test_the_digest_is_that_of_the_file(multilingual: str, weights: dict[str, Path]) -> None:
    eventually("the file is read", lambda: python(multilingual, OpenAiCall("models", {})).value["data"][0]["digest"])
    model, *_ = python(multilingual, OpenAiCall("models", {})).value["data"]
    assert (model["id"], model["digest"]) == ("mine.en", hashlib.sha256(weights["base"].read_bytes()).hexdigest())


@pytest.mark.parametrize("language", ["es", "fr", "it", "ru"])
def test_people_who_speak_other_languages(multilingual: str, language: str) -> None:
    """A telephone prompt of 20 s; `make bench-languages` has more of them, and the word error rate of each language."""
    prompt = prompts.prompt(language, "demo-echotest")
    found = said(multilingual, "transcribe", str(prompt.path))
    assert found["language"] == LANGUAGES[language]
    normalize = BasicTextNormalizer(remove_diacritics=True)
    assert jiwer.wer(normalize(prompt.words), normalize(found["text"])) < 0.4
