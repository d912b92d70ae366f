"""A change of the model: the one that was proven last goes on serving until the new one is, and after it has failed.

What has to outlive a pass is in two annotations of the Deployment: the model that all pods were last ready with, and
the one that pods did not become ready with. Pure.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.observe import pod_status
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve import fetch
from whisper_operator.resolve.model import ServedModel, is_there, last_good, live_model, model_of, wanted_model

SHAPES_PODS: Final = {
    "model",
    "device",
    "compute_type",
    "image",
    "gpu",
    "resources",
    "server",
    "cache",
    "scheduling",
    "verification",
    "pod_template",
}
"""Parts of the spec whose change is worth another attempt with a model that has failed."""


@dataclass(frozen=True)
class Failed:
    model: str
    spec: str
    """Hash of the spec under which it failed."""
    reason: str
    message: str


@dataclass(frozen=True)
class Admission:
    model: ServedModel | None
    """What pods may be given now; None: no pod yet."""
    last_good: ServedModel | None
    failed: Failed | None

    @property
    def annotations(self) -> dict[str, str]:
        """What the Deployment keeps."""
        good = {names.ANNOTATION_LAST_GOOD_MODEL: str(self.last_good)} if self.last_good else {}
        failed = {names.ANNOTATION_FAILED_MODEL: json.dumps(asdict(self.failed))} if self.failed else {}
        return good | failed


@dataclass(frozen=True)
class Change:
    served: ServedModel
    wanted: ServedModel
    failure: tuple[str, str] | None
    """Reason and message; None while it goes on."""


def admit(service: WhisperService, observed: Observed) -> Admission:
    """The wanted model once it is there; until then the live one, and the last good one in place of one that failed.

    Only a claim holds both: elsewhere a pod fetches, or its image has, the wanted one alone.
    """
    good, failed = last_good(service, observed), _failed(service, observed)
    model = wanted_model(service, observed) if is_there(service, observed) else live_model(service, observed)
    has_both = service.spec.cache.type == "PersistentVolumeClaim"
    if failed and model and str(model) == failed.model and has_both:
        model = good
    return Admission(model, good, failed)


def in_progress(service: WhisperService, observed: Observed) -> Change | None:
    """The change that is under way or has failed; None where the wanted model serves, or no model does yet.

    A model that serves is fetched again where its source or its claim is another than before.
    """
    served, wanted = last_good(service, observed), wanted_model(service, observed)
    if served is None or (served == wanted and is_there(service, observed)):
        return None
    failed = _failed(service, observed)
    if failed and failed.model == str(wanted):
        return Change(served, wanted, (failed.reason, failed.message))
    missing = None if is_there(service, observed) else fetch.trouble(service, observed)
    return Change(served, wanted, missing)


def gave_up(deployment: Manifest, observed: Observed) -> str | None:
    """Kubernetes' words where it sees no progress for ten minutes and no pod is on its way: waiting is in vain."""
    progressing = pod_status.condition(deployment, "Progressing") or {}
    is_late = progressing.get("reason") == "ProgressDeadlineExceeded"
    return progressing.get("message", "") if is_late and not pod_status.is_on_its_way(observed, names.SERVER) else None


def _failed(service: WhisperService, observed: Observed) -> Failed | None:
    """The model that pods did not become ready with under this spec; the spec's next change is another attempt."""
    live = observed.get(DEPLOYMENT, service.metadata.name)
    if live is None:
        return None
    spec = _fingerprint(service.spec)
    model, good = model_of(live["spec"]["template"]), last_good(service, observed)
    kept = live["metadata"].get("annotations", {}).get(names.ANNOTATION_FAILED_MODEL)
    if kept and (before := Failed(**json.loads(kept))).spec == spec and before.model != str(good):
        return before
    if model is None or good is None or model == good:
        return None
    cause = _does_not_start(observed, live, model)
    return Failed(str(model), spec, *cause) if cause else None


def _does_not_start(observed: Observed, live: Manifest, model: ServedModel) -> tuple[str, str] | None:
    """Why pods do not become ready: one has failed twice, or none is on its way when Kubernetes gives up."""
    there = [pod for pod in pod_status.of(observed, names.SERVER) if model_of(pod) == model]
    twice = next((found for pod in there if (found := pod_status.failed_twice(pod))), None)
    if twice:
        return twice
    late = gave_up(live, observed)
    if late is None:
        return None
    return pod_status.trouble(observed, names.SERVER) or (c.NOT_READY_IN_TIME, late)


def _fingerprint(spec: Spec) -> str:
    shape = spec.model_dump(include=SHAPES_PODS, mode="json")
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]
