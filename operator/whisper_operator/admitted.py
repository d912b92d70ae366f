"""Which model the pods may serve: the one that spec names once its fetch has succeeded, until then the live one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from whisper_operator import names
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.kinds import CLAIM, DEPLOYMENT, JOB
from whisper_operator.observed import Observed
from whisper_runtime.contract import env_name, expected_sha256


@dataclass(frozen=True)
class ServedModel:
    name: str
    sha256: str | None
    """Digest that the spec gives; None: openai-whisper's own for that name."""

    @property
    def digest(self) -> str | None:
        """Digest of the checkpoint as status shows it."""
        sha256 = expected_sha256(self.name, self.sha256)
        return f"sha256:{sha256}" if sha256 else None


def wanted_model(spec: Spec) -> ServedModel:
    return ServedModel(spec.model.name, spec.model.source.sha256 if spec.model.source else None)


def live_model(service: WhisperService, observed: Observed) -> ServedModel | None:
    """The model that the live Deployment's template carries."""
    deployment = observed.get(DEPLOYMENT, service.metadata.name)
    if deployment is None:
        return None
    containers = deployment["spec"]["template"]["spec"]["containers"]
    env: dict[str, Any] = {entry["name"]: entry.get("value") for entry in containers[0].get("env", ())}
    name = env.get(env_name("model"))
    return ServedModel(name, env.get(env_name("model_sha256"))) if name else None


def admitted_model(service: WhisperService, observed: Observed) -> ServedModel | None:
    """The model that pods may be given now; None: no pod yet."""
    wanted = wanted_model(service.spec)
    if service.spec.cache.type != "PersistentVolumeClaim" or is_fetched(service, observed):
        return wanted
    return live_model(service, observed)


def is_fetched(service: WhisperService, observed: Observed) -> bool:
    """Whether the claim holds the wanted checkpoint, by the word of the Job that fetched it."""
    name = wanted_job_name(service, observed)
    job = observed.get(JOB, name) if name else None
    return job is not None and is_complete(job)


def is_complete(job: Manifest) -> bool:
    return any(
        condition["type"] == "Complete" and condition["status"] == "True"
        for condition in job.get("status", {}).get("conditions", ())
    )


def claim_name(service: WhisperService) -> str:
    return service.spec.cache.existing_claim or names.models_claim(service.metadata.name)


def wanted_job_name(service: WhisperService, observed: Observed) -> str | None:
    """Name of the Job that fetches the wanted model into the claim; None where there is no claim (yet).

    It hashes what the result depends on: the source, the digest, and the claim's identity.
    """
    if service.spec.cache.type != "PersistentVolumeClaim":
        return None
    if existing := service.spec.cache.existing_claim:
        identity = existing
    elif claim := observed.get(CLAIM, claim_name(service)):
        identity = claim["metadata"]["uid"]
    else:
        return None
    model = service.spec.model
    parts = (model.name, model.source.url if model.source else "", wanted_model(service.spec).digest or "", identity)
    return names.prefetch_job(service.metadata.name, hashlib.sha256("\n".join(parts).encode()).hexdigest())
