"""Keywords become the text that precedes each prompt, or the message that says why they are too many."""

from __future__ import annotations

import pytest
from whisper.tokenizer import get_tokenizer

from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.keywords import MOST_TOKENS, keyword_text


@pytest.mark.parametrize(
    ("keywords", "hotwords", "text"),
    [
        ([], None, None),
        (["", " , "], " ", None),
        (["kopf", "etcd"], None, "kopf, etcd"),
        (["kopf, etcd", "etcd,kopf"], None, "kopf, etcd"),
        ([], "kopf etcd", "kopf etcd"),
        (["kopf"], "etcd CRD", "kopf, etcd CRD"),
        (["kopf", "kopf ", "Kopf"], "kopf", "kopf, Kopf"),
        ([" Sense  &\r\nSensibility\x00 "], None, "Sense & Sensibility"),
        (["Cafe\u0301"], None, "Caf\u00e9"),
        (["<|endoftext|>"], None, "<|endoftext|>"),
    ],
)
def test_keywords_are_one_text(keywords: list[str], hotwords: str | None, text: str | None) -> None:
    assert keyword_text(keywords, hotwords, english_only=False) == text


def test_there_are_at_most_a_hundred_of_two_hundred_characters() -> None:
    assert keyword_text(["a" * 200], None, english_only=False)
    with pytest.raises(HttpError, match="`keywords` has one of 201 characters: send at most 200 in each"):
        keyword_text(["b", "a" * 201], None, english_only=False)
    assert keyword_text([chr(ord("a") + number) for number in range(26)] * 3, None, english_only=False)
    with pytest.raises(HttpError, match="`keywords` has 101 of them: send at most 100"):
        keyword_text(["a"] * 101, None, english_only=False)


@pytest.mark.parametrize("english_only", [True, False])
@pytest.mark.parametrize("field", ["keywords", "hotwords"])
def test_they_fit_into_the_prompt(field: str, english_only: bool) -> None:
    tokenizer = get_tokenizer(multilingual=not english_only)

    def text_of(words: int) -> str | None:
        text = " ".join(["ask"] * words)
        spoken = [text[start : start + 120].strip() for start in range(0, len(text), 120)]
        return keyword_text(
            [f"{number} {part}" for number, part in enumerate(spoken)] if field == "keywords" else [],
            text if field == "hotwords" else None,
            english_only=english_only,
        )

    assert len(tokenizer.encode(f" {text_of(190)}")) <= MOST_TOKENS
    with pytest.raises(HttpError, match=f"`{field}` takes [0-9]+ tokens, and the model reads at most 223") as error:
        text_of(230)
    assert (error.value.status_code, error.value.body["param"]) == (400, field)
