"""The Job that verifies a rollout: one for each."""

from __future__ import annotations

from tests.operator.samples import (
    rolled_out,
    service,
    verifying,
)

BAKED = {"cache": {"type": "Image"}}
ON = service(verification={}, **BAKED)


def test_each_rollout_has_one_of_its_own() -> None:
    first, second = (verifying(ON, rolled_out(ON, revision))["metadata"]["name"] for revision in (1, 2))
    assert first != second
    assert first.startswith("speech-verify-")
