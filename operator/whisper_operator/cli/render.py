"""Renders the children of a service without a cluster: pure."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import desired
from whisper_operator.build.server_pod import wanted_template
from whisper_operator.objects.kinds import CLAIM, JOB, SCALED_OBJECT
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.resolved import resolve
from whisper_operator.resolve.rollout import with_rollout


def rendered(service: WhisperService, installation: Installation) -> list[Manifest]:
    """Every child, as if the claims existed, the fetch had succeeded, and the Deployment existed."""
    return wanted(service, settled(service, installation), installation)


def wanted(service: WhisperService, observed: Observed, installation: Installation) -> list[Manifest]:
    """Every child that is wanted beside `observed`, no pod of others having a GPU."""
    resolved = resolve(service, observed, installation)
    return desired(with_rollout(resolved, wanted_template(resolved)))


def settled(service: WhisperService, installation: Installation) -> Observed:
    """The claims as they would be, a complete fetching Job, and KEDA's object, which follows the Deployment."""
    made = [body for body in wanted(service, Observed(), installation) if body["kind"] == CLAIM.kind]
    objects: dict[tuple[str, str], Manifest] = {
        (CLAIM.kind, claim["metadata"]["name"]): {**claim, "metadata": {**claim["metadata"], "uid": ""}}
        for claim in made
    }
    existing = service.spec.cache.existing_claim
    found = {"metadata": {"name": existing, "uid": ""}, "spec": {"accessModes": ["ReadWriteMany"]}}
    facts = Facts(claims={existing: found} if existing else {})
    if job := resolve(service, Observed(objects, facts), installation).prefetch.job_name:
        complete = {"conditions": [{"type": "Complete", "status": "True"}]}
        objects[JOB.kind, job] = {"metadata": {"name": job}, "status": complete}
    objects[SCALED_OBJECT.kind, service.metadata.name] = {"metadata": {"name": service.metadata.name}}
    return Observed(objects, facts)
