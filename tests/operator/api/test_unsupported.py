"""A part of the spec that is not implemented is named by its path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.conftest import NOT_IMPLEMENTED
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import Spec


@pytest.mark.parametrize(
    ("parts", "paths"),
    [
        ({}, []),
        ({"resultCache": {}}, []),
        (NOT_IMPLEMENTED, ["spec.redis"]),
    ],
)
@pytest.mark.usefixtures("redis_not_implemented")
def test_a_part_that_is_not_implemented_is_named(parts: dict[str, Any], paths: list[str]) -> None:
    assert unsupported(Spec.model_validate({"model": {"name": "base"}, **parts})) == paths
