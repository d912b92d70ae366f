"""An installation's defaults."""

from __future__ import annotations

from whisper_operator.objects.kinds import CHILD_KINDS
from whisper_operator.observe.installation import Installation


def test_without_a_cluster_every_kind_is_served() -> None:
    assert Installation("runtime:1").kinds == frozenset(CHILD_KINDS)
