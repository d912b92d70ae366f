"""The namespace's quotas and limit ranges."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import FLOOR, GPU, QUOTA, RANGE, assert_found


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        (GPU | {"replicas": 2}, {"quotas": (QUOTA,)},
         "QuotaExceeded", "2 more pods need 2 of requests.nvidia.com/gpu, and ResourceQuota team leaves 1", False),
        ({}, {"limit_ranges": (RANGE,)}, "LimitRangeViolated", "more memory than LimitRange small allows", False),
        ({}, {"limit_ranges": (FLOOR,)}, "LimitRangeViolated", "less cpu than LimitRange floor allows", False),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool
) -> None:
    assert_found(spec, facts, reason, says, holds)
