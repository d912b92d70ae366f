"""The fields of the spec that are passed on to pods unvalidated: no schema of this API describes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api.v1alpha1 import Spec

OPEN: Final[tuple[tuple[str, Callable[[Spec], object]], ...]] = (
    ("spec.podTemplate", lambda spec: spec.pod_template),
    ("spec.prefetch.podTemplate", lambda spec: spec.prefetch.pod_template),
    ("spec.verification.podTemplate", lambda spec: spec.verification and spec.verification.pod_template),
    ("spec.scheduling.tolerations", lambda spec: spec.scheduling.tolerations),
    ("spec.scheduling.affinity", lambda spec: spec.scheduling.affinity),
    ("spec.scheduling.topologySpreadConstraints", lambda spec: spec.scheduling.topology_spread_constraints),
    ("spec.server.env", lambda spec: any(one.value_from for one in spec.server.env)),
)


def open_parts(spec: Spec) -> list[str]:
    """Paths of the fields of OPEN that `spec` sets; an API server's error that names no field is about one of them."""
    return [path for path, is_set in OPEN if is_set(spec)]
