"""The parts of a spec that reach a pod as the user wrote them, unread by any schema of ours: pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api.v1alpha1 import Spec

OPEN: Final[tuple[tuple[str, Callable[[Spec], object]], ...]] = (
    ("spec.podTemplate", lambda spec: spec.pod_template),
    ("spec.scheduling.tolerations", lambda spec: spec.scheduling.tolerations),
    ("spec.scheduling.affinity", lambda spec: spec.scheduling.affinity),
    ("spec.scheduling.topologySpreadConstraints", lambda spec: spec.scheduling.topology_spread_constraints),
    ("spec.server.env", lambda spec: any(one.value_from for one in spec.server.env)),
)


def open_parts(spec: Spec) -> list[str]:
    """Paths of those that `spec` has: where the API server names no field, the fault is in one of them."""
    return [path for path, there in OPEN if there(spec)]
