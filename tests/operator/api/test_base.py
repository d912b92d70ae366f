"""The building blocks of the API's models: what they refuse, and with which message."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from tests.operator.api.specs import problem
from whisper_operator.api.base import ApiModel, Rule, at_most, cel_list, of_either_type, shown, text


class Item(ApiModel):
    name: Annotated[str, *text("^[a-z]+$", "is not a valid name; use lower-case letters", longest=10)]


class Items(ApiModel):
    items: Annotated[tuple[Item, ...], *at_most(3, key="name")] = ()
    most_items: Annotated[int | bool, of_either_type("is neither a number nor a truth; for example 2")] = 3

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("true", "items are too many: remove some", lambda self: len(self.items) <= self.most_items),
    )


class OwnLabels(ApiModel):
    labels: dict[str, str] = Field(default_factory=dict[str, str])


class Labelled(ApiModel):
    own: OwnLabels = OwnLabels(labels={"zone": "a"})


def test_a_default_is_one_object_for_all() -> None:
    """It never changes, and a copy of each default for each parsed spec took a tenth of a restart's time."""
    assert Labelled().own is Labelled().own


def items(*names: str) -> dict[str, Any]:
    return {"items": [{"name": name} for name in names]}


def test_a_string_that_does_not_match_is_refused_with_its_value_and_remedy() -> None:
    assert problem(Items, items("Big")) == "items[0].name: 'Big' is not a valid name; use lower-case letters"


def test_a_string_has_a_greatest_length() -> None:
    assert Item(name="a" * 10)
    assert problem(Items, items("a" * 11)) == "items[0].name: String should have at most 10 characters"


def test_a_list_has_a_greatest_length() -> None:
    assert Items.model_validate(items("a", "b", "c")).items
    assert problem(Items, items("a", "b", "c", "d")).startswith("items: Tuple should have at most 3 items")


def test_a_repeated_key_is_refused_by_its_value() -> None:
    assert problem(Items, items("a", "b", "a")) == "items: name a occurs more than once: remove the duplicates"


def test_a_rule_across_fields_is_refused_by_its_message() -> None:
    assert Items.model_validate({**items("a"), "mostItems": 1}).most_items == 1
    assert problem(Items, {**items("a", "b"), "mostItems": 1}) == "items are too many: remove some"


@pytest.mark.parametrize(("value", "told"), [("2", "'2'"), (2.5, "2.5"), ("htps://me:secret@a", "'htps://…@a'")])
def test_a_value_of_no_type_of_a_union_is_refused_once_by_the_field(value: object, told: str) -> None:
    assert problem(Items, {"mostItems": value}) == f"mostItems: {told} is neither a number nor a truth; for example 2"


def test_a_string_is_not_taken_for_a_number_nor_a_number_for_a_string() -> None:
    assert problem(Items, {"items": [{"name": 1}]}) == "items[0].name: Input should be a valid string"


def test_an_unknown_field_is_refused() -> None:
    assert problem(Items, {"itmes": []}) == "itmes: Extra inputs are not permitted"


def test_a_null_is_an_absent_field() -> None:
    assert Items.model_validate({"items": None, "mostItems": None}) == Items()


def test_a_model_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Item(name="a").name = "b"


def test_a_message_repeats_no_credentials_and_cuts_a_long_value() -> None:
    assert shown("htps://me:secret@models.example.com/a b") == "'htps://…@models.example.com/a b'"
    assert shown("a" * 2048) == f"'{'a' * 80}'"


def test_a_list_in_cel() -> None:
    assert cel_list(["tiny", "base.en"]) == "['tiny', 'base.en']"
