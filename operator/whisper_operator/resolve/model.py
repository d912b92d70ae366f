"""The model that the spec wants, the one that the live pods carry, and whether the cache holds the wanted one: pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT, JOB
from whisper_operator.observe import pod_status
from whisper_operator.observe.observed import Observed
from whisper_runtime.contract.config import env_name
from whisper_runtime.contract.models import expected_sha256

DIGEST_PREFIX = "sha256:"


@dataclass(frozen=True)
class ServedModel:
    name: str
    sha256: str | None
    """Digest that the spec gives; None: openai-whisper's own for that name."""

    @property
    def digest(self) -> str | None:
        """Digest of the checkpoint as status shows it."""
        sha256 = expected_sha256(self.name, self.sha256)
        return f"{DIGEST_PREFIX}{sha256}" if sha256 else None

    def __str__(self) -> str:
        """The model as an annotation keeps it."""
        return f"{self.name}@{self.sha256}" if self.sha256 else self.name

    @classmethod
    def parse(cls, text: str) -> Self:
        name, _, sha256 = text.partition("@")
        return cls(name, sha256 or None)


def wanted_model(service: WhisperService, observed: Observed) -> ServedModel:
    """The model that the spec names; a pvc:// source's digest is known once it has been fetched."""
    name, sha256 = service.spec.model.name, _given_sha256(service.spec)
    return ServedModel(name, sha256 if expected_sha256(name, sha256) else _found_sha256(service, observed))


def live_model(service: WhisperService, observed: Observed) -> ServedModel | None:
    """The model that the live Deployment's template carries."""
    deployment = observed.get(DEPLOYMENT, service.metadata.name)
    return model_of(deployment["spec"]["template"]) if deployment else None


def last_good(service: WhisperService, observed: Observed) -> ServedModel | None:
    """The model that all pods were last ready with, each proven by the golden clip; None: none yet."""
    live = observed.get(DEPLOYMENT, service.metadata.name)
    if live is None:
        return None
    if is_rolled_out(live):
        return model_of(live["spec"]["template"])
    kept = live["metadata"].get("annotations", {}).get(names.ANNOTATION_LAST_GOOD_MODEL)
    return ServedModel.parse(kept) if kept else None


def is_rolled_out(deployment: Manifest) -> bool:
    """Whether every pod has the template of now, and is available."""
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = (status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas"))
    return bool(seen and wanted and all(count == wanted for count in counts))


def model_of(pod: Manifest) -> ServedModel | None:
    """The model that a pod, or a template of pods, carries."""
    env: dict[str, Any] = {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0].get("env", ())}
    name = env.get(env_name("model"))
    return ServedModel(name, env.get(env_name("model_sha256"))) if name else None


def is_there(service: WhisperService, observed: Observed) -> bool:
    """Whether pods that want the wanted model would find it: in the claim, in the image, or by their own fetch."""
    return service.spec.cache.type != "PersistentVolumeClaim" or is_fetched(service, observed)


def is_fetched(service: WhisperService, observed: Observed) -> bool:
    """Whether the claim holds the wanted checkpoint, by the word of the Job that fetched it."""
    name = wanted_job_name(service, observed)
    job = observed.get(JOB, name) if name else None
    return job is not None and is_complete(job) and wanted_model(service, observed).digest is not None


def needs_source(service: WhisperService, observed: Observed) -> bool:
    """Whether the model's source is still to be read: by the Job that fills the claim, or by each pod."""
    match service.spec.cache.type:
        case "PersistentVolumeClaim":
            return not is_fetched(service, observed)
        case "EmptyDir":
            return True
        case "Image":
            return False


def is_complete(job: Manifest) -> bool:
    return pod_status.holds(job, "Complete")


def claim_name(service: WhisperService) -> str:
    return service.spec.cache.existing_claim or names.models_claim(service.metadata.name)


def live_claim(service: WhisperService, observed: Observed) -> Manifest | None:
    """That claim, once it is there: the service's own, or the one that its spec names."""
    if existing := service.spec.cache.existing_claim:
        return observed.facts.claims.get(existing)
    return observed.get(CLAIM, claim_name(service))


def ties_to_one_node(access_modes: Sequence[str]) -> bool:
    """Whether only the pods of one node can mount a claim of these modes."""
    return not {"ReadWriteMany", "ReadOnlyMany"} & set(access_modes)


def wanted_job_name(service: WhisperService, observed: Observed) -> str | None:
    """Name of the Job that fetches the wanted model into the claim; None where there is no claim (yet).

    It hashes what the result depends on: the source, the digest, and the claim's identity.
    """
    if service.spec.cache.type != "PersistentVolumeClaim":
        return None
    claim = live_claim(service, observed)
    if claim is None:
        return None
    model = service.spec.model
    digest = ServedModel(model.name, _given_sha256(service.spec)).digest
    parts = (model.name, model.source.url if model.source else "", digest or "", claim["metadata"]["uid"])
    return names.prefetch_job(service.metadata.name, hashlib.sha256("\n".join(parts).encode()).hexdigest())


def fetching_pods(service: WhisperService, observed: Observed) -> list[Manifest]:
    """The pods of the Job that fetches the wanted model, newest first."""
    return pod_status.of_job(observed, names.PREFETCH, wanted_job_name(service, observed))


def _given_sha256(spec: Spec) -> str | None:
    return spec.model.source.sha256 if spec.model.source else None


def _found_sha256(service: WhisperService, observed: Observed) -> str | None:
    """What the fetch found the digest to be: by its report, or as it was seen before its pod went."""
    for pod in fetching_pods(service, observed):
        if (report := pod_status.fetch_report(pod)) and report.succeeded:
            return report.digest
    before, name = service.status.model, service.spec.model.name
    if before is None or name not in (before.name, before.wanted):
        return None
    seen = before.wanted_digest if before.wanted == name else before.digest
    return seen.removeprefix(DIGEST_PREFIX) if seen else None
