"""A change of the model: the one that was proven last goes on serving until the new one is, and after it has failed.

Two annotations of the Deployment keep what has to outlive a pass: the model that all pods were last ready with, and
the model that pods did not become ready with. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Self

from pydantic import TypeAdapter, ValidationError

from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.objects import names
from whisper_operator.objects.manifest import annotations_of, condition
from whisper_operator.observe import pod_status
from whisper_operator.observe.pod_status import Cause, Warnings
from whisper_operator.resolve.model import ModelRef, model_of

SHAPES_PODS: Final = {
    "model",
    "diarization",
    "device",
    "compute_type",
    "image",
    "gpu",
    "resources",
    "server",
    "cache",
    "jobs",
    "scheduling",
    "verification",
    "prefetch",
    "service_account",
    "pod_metadata",
    "pod_template",
}
"""Parts of the spec whose change is worth another attempt with a model that has failed."""


@dataclass(frozen=True)
class FailedModel:
    """The model that pods did not become ready with, as the Deployment's annotation keeps it."""

    model: str
    spec: str
    """Hash of the spec under which it failed."""
    reason: str
    message: str

    @classmethod
    def parse(cls, annotation: str) -> Self | None:
        """None where somebody has made something else of the annotation."""
        try:
            return TypeAdapter(cls).validate_json(annotation)
        except ValidationError:
            return None

    @property
    def annotation(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class ModelChange:
    """The change from the model that serves to the one that the spec wants."""

    served: ModelRef
    wanted: ModelRef
    failure: Cause | None
    """None while it goes on."""


def failed_model(
    spec: Spec,
    deployment: Manifest | None,
    last_good: ModelRef | None,
    stuck: str | None,
    pods: Sequence[Manifest],
    warnings: Warnings,
) -> FailedModel | None:
    """The model that pods did not become ready with under this spec; the spec's next change is another attempt.

    `stuck`: Kubernetes' message where waiting is in vain (`stuck_message`); `pods`: those that serve, newest first.
    """
    if deployment is None:
        return None
    kept = annotations_of(deployment).get(names.ANNOTATION_FAILED_MODEL)
    before = FailedModel.parse(kept) if kept else None
    if before and before.model != str(last_good) and before.spec == _fingerprint(spec):
        return before
    model = model_of(deployment["spec"]["template"])
    if model is None or last_good is None or model == last_good:
        return None
    cause = _does_not_start(model, stuck, pods, warnings)
    return FailedModel(str(model), _fingerprint(spec), cause.reason, cause.message) if cause else None


def change_in_progress(
    wanted: ModelRef,
    last_good: ModelRef | None,
    failed: FailedModel | None,
    fetch_failure: Cause | None,
    is_available: bool,
) -> ModelChange | None:
    """The change that is under way or has failed; None where the wanted model serves, or no model does yet.

    A model that serves is fetched again where its source or its claim is another than before.
    """
    if last_good is None or (last_good == wanted and is_available):
        return None
    if failed and failed.model == str(wanted):
        return ModelChange(last_good, wanted, Cause(failed.reason, failed.message))
    return ModelChange(last_good, wanted, None if is_available else fetch_failure)


def stuck_message(deployment: Manifest | None, pods: Sequence[Manifest], warnings: Warnings) -> str | None:
    """Kubernetes' message where it has seen no progress for ten minutes and no pod is on its way; else None.

    `pods`: those that serve.
    """
    progressing = condition(deployment, "Progressing") or {}
    is_late = progressing.get("reason") == "ProgressDeadlineExceeded"
    return progressing.get("message", "") if is_late and not pod_status.is_on_its_way(pods, warnings) else None


def _does_not_start(model: ModelRef, stuck: str | None, pods: Sequence[Manifest], warnings: Warnings) -> Cause | None:
    """Why pods do not become ready: one has failed twice, or none is on its way when Kubernetes gives up.

    None as well where a sidecar does not run: another model would have it too.
    """
    of_model = [pod for pod in pods if model_of(pod) == model]
    twice = next((found for pod in of_model if (found := pod_status.failed_twice(pod))), None)
    if twice or stuck is None:
        return twice
    cause = pod_status.cause_of(pods, warnings)
    if cause and cause.is_sidecars:
        return None
    return cause or Cause(c.NOT_READY_IN_TIME, stuck)


def _fingerprint(spec: Spec) -> str:
    """Without defaults: a field that a later version adds is no change of the user's."""
    shape = spec.model_dump(include=SHAPES_PODS, mode="json", exclude_defaults=True)
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]
