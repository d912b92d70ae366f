"""The ConfigMaps that a spec names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import OWN_CLIP, assert_found


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        ({"prefetch": {"caConfigMapKeyRef": {"name": "ca", "key": "a.pem"}}, "cache": {"type": "EmptyDir"}},
         {"config_maps": {"ca": None}},
         "SourceCaInvalid", "ConfigMap team/ca, named in spec.prefetch.caConfigMapKeyRef, does not exist", True),
        (OWN_CLIP, {"config_maps": {"clips": None}},
         "VerificationAudioInvalid", "ConfigMap team/clips, named in spec.verification.audio.configMapKeyRef", True),
        (OWN_CLIP, {"config_maps": {"clips": frozenset({"bye.wav"})}},
         "VerificationAudioInvalid", "ConfigMap team/clips has no key hello.wav", True),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool
) -> None:
    assert_found(spec, facts, reason, says, holds)
