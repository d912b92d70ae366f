"""Children that others keep from being as they were applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.operator.samples import resolved, service
from whisper_operator.observe.observed import ChildName
from whisper_operator.status.mutations import children_mutated

DEPLOYMENT = ("Deployment", "speech")
INGRESS = ("Ingress", "speech")


@pytest.mark.parametrize(
    ("mutated", "named"),
    [
        (
            {INGRESS: ["spec.a"], DEPLOYMENT: ["spec.b", "spec.c"]},
            "Deployment/speech in spec.b, spec.c; Ingress/speech in spec.a:",
        ),
        (
            {INGRESS: [f"spec.f{number}" for number in range(7)]},
            "in spec.f0, spec.f1, spec.f2, spec.f3, spec.f4, 2 more:",
        ),
    ],
)
def test_each_object_and_field_is_named(mutated: Mapping[ChildName, Sequence[str]], named: str) -> None:
    found = children_mutated(replace(resolved(service()), mutated=mutated))
    assert found is not None
    assert (found.type, found.status, found.reason) == ("ChildrenMutated", "True", "LetBe")
    assert named in found.message


def test_nothing_is_told_of_children_that_are_as_applied() -> None:
    assert children_mutated(resolved(service())) is None
