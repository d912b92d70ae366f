"""A wanted object against the live one."""

from __future__ import annotations

import pytest

from whisper_operator.objects.diff import changes, is_subset


@pytest.mark.parametrize(
    ("wanted", "there", "holds"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": {}}, {}, False),
        ([{"name": "x", "v": 1}], [{"name": "y"}, {"name": "x", "v": 1, "more": 2}], True),
        ([{"name": "x"}], [{"name": "y"}], False),
        (["a"], ["a", "b"], False),
        ([{"k": 1}], [{"k": 1, "default": True}], True),
        ([{"name": "x", "value": ""}], [{"name": "x"}], True),
        ({"memory": "1Gi"}, {"memory": "1024Mi"}, True),
        ({"memory": "1Gi"}, {"memory": "1000Mi"}, False),
        ([{"name": "a", "section": "x"}, {"name": "a"}], [{"name": "a", "section": "x"}, {"name": "a"}], True),
        ([{"name": ["no name"]}], [{"name": ["no name"], "default": True}], True),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1, "default": True}}}, True),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, False),
        ({"a": {"b": 1}}, {"a": "no map"}, False),
    ],
)
def test_the_subset(wanted: object, there: object, holds: bool) -> None:
    assert is_subset(wanted, there) is holds


def test_each_changed_field_is_named_with_both_values() -> None:
    before = {"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"replicas": 1, "paused": True}}
    after = {"metadata": {"name": "a", "resourceVersion": "2"}, "spec": {"replicas": 2}}
    assert list(changes(before, after)) == ["spec.paused: True → None", "spec.replicas: 1 → 2"]
