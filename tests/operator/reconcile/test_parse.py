"""A spec that only its user can mend is refused by its fields; one that was parsed is kept."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.reconcile.parse import KEPT, Parser, RefusedSpec


def body(version: int = 1, uid: str = "1", **spec: Any) -> dict[str, Any]:
    metadata = {"name": "speech", "namespace": "team", "uid": uid, "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {"model": {"name": "base"}, **spec}}


@pytest.mark.parametrize(
    ("spec", "reason", "says"),
    [
        ({"replicas": -1}, "InvalidSpec", "spec.replicas"),
        ({"jobs": {}}, "NotImplemented", "spec.jobs is not implemented in this version: remove it to continue"),
    ],
)
def test_a_refused_spec_names_its_field(spec: dict[str, Any], reason: str, says: str) -> None:
    with pytest.raises(RefusedSpec, match=says) as refused:
        Parser().parse(body(**spec))
    assert refused.value.reason == reason


def test_the_same_version_is_parsed_once_and_another_one_again() -> None:
    parser = Parser()
    first = parser.parse(body())
    assert parser.parse(body()) is first
    assert parser.parse(body(version=2)) is not first
    assert parser.parse(body(uid="2")) is not first


def test_the_one_that_was_asked_for_longest_ago_is_forgotten() -> None:
    parser = Parser()
    first, second = parser.parse(body(version=0)), parser.parse(body(version=1))
    parser.parse(body(version=0))
    others: list[WhisperService] = [parser.parse(body(version=2 + number)) for number in range(KEPT - 1)]
    assert len(others) == KEPT - 1
    assert parser.parse(body(version=0)) is first
    assert parser.parse(body(version=1)) is not second
