"""Surge or Replace, as the Deployment carries the decision: its strategy, and an annotation with the reason. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.manifest import annotations_of

BY_SPEC: Final = "spec.rollout.strategy says so"
AS_BEFORE: Final = "kept until the next change of the pods' template"
"""Reason for a Deployment that carries none, such as one that the first release made."""


@dataclass(frozen=True)
class Decision:
    strategy: Literal["Surge", "Replace"]
    reason: str

    @property
    def annotations(self) -> dict[str, str]:
        """The Deployment's annotations for it: none where the spec decides, or nothing was decided yet."""
        return {} if self.reason in (BY_SPEC, AS_BEFORE) else {names.ANNOTATION_ROLLOUT: self.reason}

    @property
    def as_strategy(self) -> Manifest:
        """The Deployment's `strategy`."""
        surge = {"maxSurge": 1, "maxUnavailable": 0}
        replace = {"maxSurge": 0, "maxUnavailable": 1}
        return {"type": "RollingUpdate", "rollingUpdate": surge if self.strategy == "Surge" else replace}


@dataclass(frozen=True)
class Rollout:
    """The template that pods are to have, and how they get it."""

    template: Manifest
    decision: Decision


def live_decision(service: WhisperService, deployment: Manifest | None) -> Decision | None:
    """The decision that the live Deployment carries; None where there is none."""
    if deployment is None:
        return None
    surges = deployment["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge") not in (0, "0%")
    reason = annotations_of(deployment).get(names.ANNOTATION_ROLLOUT, AS_BEFORE)
    return Decision("Surge" if surges else "Replace", reason if service.spec.rollout.strategy == "Auto" else BY_SPEC)
