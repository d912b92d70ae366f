"""The rules among the fields of each part that keeps files on a claim are the same, and name the part's own fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, refused, setting

PARTS = {"cache": "Retain", "jobs.storage": "Delete"}
"""Each part, with the retention that is not its default."""
of_each_part = pytest.mark.parametrize("part", PARTS)


def said_by(part: str, **storage: Any) -> str:
    return refused(**setting(part, storage))


@of_each_part
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("existingClaim", "mine"),
        ("storageClassName", "fast"),
        ("accessMode", "ReadWriteOnce"),
        ("labels", {"a": "b"}),
        ("annotations", {"a": "b"}),
    ],
)
def test_a_field_of_a_claim_needs_that_type(part: str, field: str, value: Any) -> None:
    accepted(**setting(part, {field: value}))
    accepted(**setting(part, {"type": "EmptyDir", "labels": {}, "annotations": {}}))
    assert said_by(part, type="EmptyDir", **{field: value}) == (
        f"spec.{part}.{field} needs spec.{part}.type PersistentVolumeClaim: set that type, or remove "
        f"spec.{part}.{field}"
    )


@of_each_part
def test_only_a_claim_has_another_retention_than_the_default(part: str) -> None:
    other = PARTS[part]
    accepted(**setting(part, {"retention": other}))
    assert said_by(part, type="EmptyDir", retention=other) == (
        f"spec.{part}.retention {other} needs spec.{part}.type PersistentVolumeClaim: set that type, or remove "
        f"spec.{part}.retention"
    )


@of_each_part
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("storageClassName", "fast"),
        ("labels", {"a": "b"}),
        ("annotations", {"a": "b"}),
        ("size", "5Gi"),
    ],
)
def test_a_claim_of_somebody_else_is_as_its_owner_made_it(part: str, field: str, value: Any) -> None:
    accepted(**setting(part, {"existingClaim": "mine", "size": "auto"}))
    assert said_by(part, existingClaim="mine", **{field: value}) == (
        f"spec.{part}.{field} has no use beside spec.{part}.existingClaim, which is as its owner made it: remove one "
        "of the two"
    )


@pytest.mark.parametrize(
    ("part", "told"), [("cache", "accessMode"), ("jobs.storage", "accessMode ReadWriteOnce")], ids=["cache", "jobs"]
)
def test_a_claim_of_somebody_else_has_its_own_access_mode(part: str, told: str) -> None:
    """Of a claim for jobs ReadWriteMany says that several pods may share it."""
    assert said_by(part, existingClaim="mine", accessMode="ReadWriteOnce") == (
        f"spec.{part}.{told} has no use beside spec.{part}.existingClaim, which is as its owner made it: remove one "
        "of the two"
    )


@of_each_part
@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_what_the_operator_sets_on_a_claim_is_its_own(part: str, field: str) -> None:
    accepted(**setting(part, {field: {"velero.io/exclude-from-backup": "true"}}))
    assert said_by(part, **{field: {"whisper-operator.io/asked": "a"}}).startswith(
        f"spec.{part}.{field} must not set one of the operator's"
    )


@of_each_part
def test_the_empty_class_is_that_of_a_volume_made_by_hand(part: str) -> None:
    accepted(**setting(part, {"storageClassName": ""}))
    assert said_by(part, storageClassName="Fast").startswith(f"spec.{part}.storageClassName: 'Fast' is not a valid")
