"""What a service becomes, without a cluster: pure."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import desired
from whisper_operator.objects.kinds import CLAIM, JOB, SCALED_OBJECT
from whisper_operator.objects.names import models_claim
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.model import wanted_job_name


def rendered(service: WhisperService, env: Env) -> list[Manifest]:
    """Every child once the model's claim is there, its fetch has succeeded, and the Deployment is there."""
    return desired(service, settled(service, env), env)


def settled(service: WhisperService, env: Env) -> Observed:
    """The claim as it would be, the fetching Job as complete, and KEDA's object as there: it follows the Deployment."""
    first = Observed()
    claim = next((body for body in desired(service, first, env) if body["kind"] == CLAIM.kind), None)
    objects: dict[tuple[str, str], Manifest] = {}
    if claim:
        name = models_claim(service.metadata.name)
        objects[CLAIM.kind, name] = {**claim, "metadata": {**claim["metadata"], "uid": ""}}
    existing = service.spec.cache.existing_claim
    found = {"metadata": {"name": existing, "uid": ""}, "spec": {"accessModes": ["ReadWriteMany"]}}
    facts = Facts(claims={existing: found} if existing else {})
    if job := wanted_job_name(service, Observed(objects, facts)):
        complete = {"conditions": [{"type": "Complete", "status": "True"}]}
        objects[JOB.kind, job] = {"metadata": {"name": job}, "status": complete}
    objects[SCALED_OBJECT.kind, service.metadata.name] = {"metadata": {"name": service.metadata.name}}
    return Observed(objects, facts)
