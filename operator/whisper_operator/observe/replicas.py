"""The numbers of pods that a Deployment has and wants, as its controller counts them: pure."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.manifest import status_of


@dataclass(frozen=True)
class ReplicaCounts:
    wanted: int = 0
    existing: int = 0
    updated: int = 0
    """Pods of the newest template."""
    ready: int = 0
    available: int = 0
    is_current: bool = False
    """Whether the counts are those of the Deployment's newest generation, which an annotation moves, too."""

    @property
    def is_of_one_template(self) -> bool:
        """Whether no pod of an older template exists."""
        return self.existing == self.updated

    @property
    def is_complete(self) -> bool:
        """Whether every pod that is wanted is available and of the newest template counted; true of none, too."""
        return self.existing == self.updated == self.available == self.wanted


def count_replicas(deployment: Manifest | None) -> ReplicaCounts:
    """The counts of a live Deployment; zeros where there is none."""
    if deployment is None:
        return ReplicaCounts()
    status = status_of(deployment)
    return ReplicaCounts(
        wanted=deployment["spec"].get("replicas", 1),
        existing=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        is_current=status.get("observedGeneration", 0) >= deployment["metadata"]["generation"],
    )
