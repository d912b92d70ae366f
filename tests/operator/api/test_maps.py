"""Maps that Kubernetes defines: labels, annotations, and amounts of resources."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import entries, kept, letters, problem
from whisper_operator.api.maps import Annotations, Labels, Quantity, ResourceList

of_either_map = pytest.mark.parametrize("of", [Labels, Annotations], ids=["labels", "annotations"])


@of_either_map
@pytest.mark.parametrize(
    "key", ["a", "7", "team", "Team_1.a-b", letters(63), "example.com/team", f"{letters(251)}/a", f"a/{letters(63)}"]
)
def test_a_key_is_a_qualified_name(of: Any, key: str) -> None:
    assert kept(of, {key: "a"}) == {key: "a"}


@of_either_map
@pytest.mark.parametrize(
    "key",
    ["", "a b", "-a", "a.", "/a", "a/", "a/b/c", "Example.com/a", letters(64), f"a/{letters(64)}", f"{letters(252)}/a"],
)
def test_a_key_of_another_form_is_refused(of: Any, key: str) -> None:
    assert problem(of, {key: "a"}) == (
        f"{key[:80]!r} is not a valid name of a label or annotation; for example team or example.com/team"
    )


@of_either_map
def test_a_map_has_at_most_56_entries(of: Any) -> None:
    assert kept(of, entries(56)) == entries(56)
    assert problem(of, entries(57)).startswith("Dictionary should have at most 56 items")


@of_either_map
def test_an_entry_that_is_null_is_absent(of: Any) -> None:
    assert kept(of, {"a": None, "b": "c"}) == {"b": "c"}


@pytest.mark.parametrize("value", ["", "a", "7", "A_b-c.d", letters(63)])
def test_the_value_of_a_label_is_accepted(value: str) -> None:
    assert kept(Labels, {"team": value}) == {"team": value}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        *[
            (text, f"{text!r} is not a valid label value; use at most 63 letters, digits, '-', '_' and '.'")
            for text in ("-a", "a-", "a b", "a/b", "ü", "a\n")
        ],
        (letters(64), "String should have at most 63 characters"),
        (1, "Input should be a valid string"),
    ],
)
def test_the_value_of_a_label_of_another_form_is_refused(value: Any, message: str) -> None:
    assert problem(Labels, {"team": value}) == f"team: {message}"


def test_the_value_of_an_annotation_is_any_text_of_at_most_1024_characters() -> None:
    for value in ("", "any text: ü\n", letters(1024)):
        assert kept(Annotations, {"team": value}) == {"team": value}
    assert problem(Annotations, {"team": letters(1025)}) == "team: String should have at most 1024 characters"


@pytest.mark.parametrize(
    ("written", "stored"),
    [(0, "0"), (2, "2"), (10**15 - 1, "999999999999999"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1023Pi", "1023Pi")],
)
def test_an_amount_is_kept_as_the_api_server_stores_it(written: str | int, stored: str) -> None:
    assert kept(Quantity, written) == stored


@pytest.mark.parametrize(
    ("value", "message"),
    [
        *[
            (value, f"'{value}' is not a valid quantity; for example 250m, 2, 512Mi or 10Gi")
            for value in (-1, 10**15, "", "-1", "1e3", "1KB", "0.0001", "1.5m")
        ],
        ("1024Pi", "'1024Pi' is too large: write less than 1Ei"),
        (0.5, "0.5 is neither a whole number nor a string; for example 2, 500m or '0.5', in quotes"),
        (True, "True is neither a whole number nor a string; for example 2, 500m or '0.5', in quotes"),
    ],
)
def test_an_amount_of_another_form_is_refused(value: Any, message: str) -> None:
    assert problem(Quantity, value) == message


def test_resources_are_those_that_a_server_shares_with_others_on_its_node() -> None:
    amounts = {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}
    assert kept(ResourceList, amounts) == amounts
    assert kept(ResourceList, {"cpu": None, "memory": "1Gi"}) == {"memory": "1Gi"}


@pytest.mark.parametrize("name", ["nvidia.com/gpu", "CPU", "hugepages-2Mi", ""])
def test_another_resource_is_refused_with_the_field_for_it(name: str) -> None:
    assert problem(ResourceList, {name: 1}) == (
        f"{name!r} is not a resource of this field; use cpu, memory or ephemeral-storage, request a GPU by spec.gpu, "
        "and anything else by spec.podTemplate"
    )


def test_an_amount_is_refused_by_its_resource() -> None:
    assert problem(ResourceList, {"cpu": "much"}).startswith("cpu: 'much' is not a valid quantity")
