"""An array may come as one field for each value, with commas, or as JSON; empty values count as absent."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from whisper_runtime.http.openai.arrays import entries
from whisper_runtime.http.openai.forms import TranscriptionForm


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["word", "segment"], ["word", "segment"]),
        (["word,segment"], ["word", "segment"]),
        ([" word , segment,"], ["word", "segment"]),
        (['["word", "segment"]'], ["word", "segment"]),
        (["", "  ", "word"], ["word"]),
        ([""], []),
        (["[]"], []),
        ([], []),
        # What is no list of texts is left to the field itself.
        (["["], ["["]),
        (["[" * 50_000], ["[" * 50_000]),
        (["[1, null]"], [1, None]),
        (["null"], ["null"]),
        ([5], [5]),
        ("word", "word"),
    ],
)
def test_the_entries(values: Any, found: Any) -> None:
    assert entries(values) == found


def form(**fields: Any) -> TranscriptionForm:
    return TranscriptionForm.model_validate({"file": UploadFile(io.BytesIO()), "model": "base", **fields})


def test_fields_that_are_arrays_take_each_way() -> None:
    found = form(**{"timestamp_granularities": ['["word"]'], "include[]": [""], "languages": ['["en", "de"]']})
    assert (found.granularities, found.include, found.languages) == ({"word"}, frozenset(), ["en", "de"])
    assert form(keywords=['["a b", "c"]', "d"]).keywords_bare == ["a b", "c", "d"]


@pytest.mark.parametrize("value", ["words", "WORD", "[1]", '[["word"]]', '{"a": 1}'])
def test_what_is_none_of_its_values_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        form(timestamp_granularities=[value])
