"""The building blocks of the API's models: what they refuse, and with which message."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import ValidationError

from whisper_operator.api.base import ApiModel, at_most, cel_list, shown, text


class Item(ApiModel):
    name: Annotated[str, *text("^[a-z]+$", "is not a valid name; use lower-case letters", longest=10)]


class Items(ApiModel):
    items: Annotated[tuple[Item, ...], *at_most(3, key="name")] = ()


def refused(body: object) -> str:
    with pytest.raises(ValidationError) as found:
        Items.model_validate(body)
    return "; ".join(one["msg"] for one in found.value.errors())


def test_a_string_that_does_not_match_is_refused_with_its_value_and_remedy() -> None:
    assert "'Big' is not a valid name; use lower-case letters" in refused({"items": [{"name": "Big"}]})


def test_a_repeated_key_is_refused_by_its_value() -> None:
    assert "name a occurs more than once: remove the duplicates" in refused({"items": [{"name": "a"}, {"name": "a"}]})


def test_an_unknown_field_is_refused() -> None:
    assert "Extra inputs are not permitted" in refused({"itmes": []})


def test_a_null_is_an_absent_field() -> None:
    assert Items.model_validate({"items": None}) == Items()


def test_a_message_repeats_no_credentials_and_cuts_a_long_value() -> None:
    assert shown("htps://me:secret@models.example.com/a b") == "'htps://…@models.example.com/a b'"
    assert shown("a" * 2048) == f"'{'a' * 80}'"


def test_a_list_in_cel() -> None:
    assert cel_list(["tiny", "base.en"]) == "['tiny', 'base.en']"
