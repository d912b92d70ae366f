"""Values at paths of a spec, and how messages repeat them."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight.policy_rules import Allowed, Denied, Subject, offences, shown, values_at


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("spec.a", [("spec.a", {"b": [{"c": 1}, {"c": 2}, {}], "x/y": "z"})]),
        ("spec.a.b[].c", [("spec.a.b[0].c", 1), ("spec.a.b[1].c", 2)]),
        ("spec.a{}", [("spec.a", "b"), ("spec.a", "x/y")]),
        ("spec.absent.b", []),
        ("spec.a.x/y.c", []),
        ("spec.nothing", []),
    ],
)
def test_the_values_at_a_path(path: str, found: list[tuple[str, Any]]) -> None:
    spec = {"a": {"b": [{"c": 1}, {"c": 2}, {}], "x/y": "z"}, "nothing": None}
    assert list(values_at({"spec": spec}, path)) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "'a'"), (True, "true"), (7, "7"), ({"password": "x"}, ""), ("https://a/b?signature=x", "'https://a/b'")],
)
def test_a_message_repeats_no_secret(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_rule_names_each_field_that_violates_it() -> None:
    subject = Subject({"names": ["good", "bad", 3]}, "speech", "team", Policy(hosts=("good",)))
    assert offences(Allowed("spec.names[]", "hosts", "x"), subject) == ["spec.names[1] 'bad'"]
    assert offences(Denied("spec.names[]", "hosts", "x"), subject) == ["spec.names[0] 'good'"]


def test_an_annotation_without_a_prefix_is_its_authors_own() -> None:
    subject = Subject({"annotations": {"team": "a", "x.io/y": "b"}}, "speech", "team", Policy())
    assert offences(Allowed("spec.annotations{}", "serviceAnnotations", "x"), subject) == ["spec.annotations 'x.io/y'"]
