"""The spec's part about the front: the pods that take requests in the place of those that serve."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from whisper_operator.api.base import ApiModel
from whisper_operator.api.maps import Labels
from whisper_operator.api.scalars import ByteSize
from whisper_operator.api.spec.jobs import JobResourcesSpec


class FrontSpec(ApiModel):
    replicas: Annotated[int, Field(ge=1, le=10)] = 2
    """Number of pods of the front."""
    resources: JobResourcesSpec | None = None
    """Resources of the front's container. Absent: 100m of a processor, and 128Mi to 512Mi of memory."""
    spool: ByteSize = "10Gi"
    """Disk of each pod of the front for recordings that wait or are under way; beyond it requests get 503."""
    node_selector: Labels | None = None
    """Labels of the nodes that the front may run on, in the place of `scheduling.nodeSelector` and
    `scheduling.affinity`: beside pods with a GPU it would keep their nodes. Absent: those."""
