"""The Job that proves a rollout by real requests against the Service: one for each attempt at a Deployment's revision.

The Job stays until the next rollout, or the next attempt, as its own record; deleting it verifies the service again.
"""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import golden_clip, job_store, network_policy, pod
from whisper_operator.build.ended_job import KEPT_SECONDS, ended
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import JOB
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.sizing import verify_resources
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import API_KEY_FILE, SCRATCH_DIR
from whisper_runtime.contract.network import METRICS_PORT

RETRIES: Final = 1
"""A pod that was evicted, or that met a busy server, is forgiven once."""
DEADLINE_SECONDS: Final = 1800
RESERVED_CLIENT: Final = "verification"
"""The client whose key and whose limits verification uses, where the Secret of API keys has it."""


def build(resolved: Resolved) -> Manifest | None:
    """None where it is off, and before the promised pods have the rollout's template alone; what has begun goes on."""
    name, job, attempt = resolved.verification.job_name, resolved.verification.job, resolved.verification.attempt
    if name is None or (job is None and not resolved.promise.proves_model):
        return None
    manifest = child(
        resolved.service,
        JOB,
        name,
        component=names.VERIFY,
        annotations={names.ANNOTATION_ATTEMPT: str(attempt)} if attempt > 1 else None,
        spec={
            "backoffLimit": RETRIES,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": _template(resolved),
        },
    )
    return ended(manifest, job, resolved.verification.outlived)


def _template(resolved: Resolved) -> Manifest:
    """The template of the pod that sends real requests at the Service."""
    service, keys = resolved.service, _one_key(resolved)
    name, where = service.metadata.name, service.metadata.namespace
    port = service.spec.service.port
    arguments = [
        "verify",
        "--json",
        f"--url=http://{name}.{where}.svc:{port}",
        f"--metrics-url=http://{names.metrics_service(name)}.{where}.svc:{METRICS_PORT}",
        *([f"--api-key-file={API_KEY_FILE}"] if keys else []),
    ]
    own = golden_clip.parts(service)
    template = {
        "metadata": pod.metadata(service, names.VERIFY, golden_clip.pod_annotations(service)),
        "spec": {
            **pod.common(service, resolved.installation),
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "verify",
                    "image": resolved.image.to_run,
                    "imagePullPolicy": service.spec.image.pull_policy,
                    "args": arguments,
                    "env": pod.variables(_config(service)),
                    "resources": verify_resources(service.spec),
                    "securityContext": pod.HARDENED,
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "volumeMounts": [
                        {"name": "scratch", "mountPath": SCRATCH_DIR},
                        *(mount for mount, _ in (*keys, *own)),
                    ],
                }
            ],
            "volumes": [pod.scratch(), *(volume for _, volume in (*keys, *own))],
        },
    }
    return pod.of_job(template, service, service.spec.verification.pod_template if service.spec.verification else None)


def _one_key(resolved: Resolved) -> list[tuple[Manifest, Manifest]]:
    """Mount and volume of one client's API key, and of no other."""
    auth = resolved.service.spec.auth
    keys = resolved.observed.facts.secrets.get(auth.secret_ref.name) if auth else None
    if auth is None or not keys:
        return []
    directory, _, file = API_KEY_FILE.rpartition("/")
    items = [{"key": _client(resolved, keys), "path": file}]
    volume = {"secretName": auth.secret_ref.name, "defaultMode": 0o440, "items": items}
    return [({"name": "api-key", "mountPath": directory, "readOnly": True}, {"name": "api-key", "secret": volume})]


def _client(resolved: Resolved, keys: frozenset[str]) -> str:
    """The client whose key is used: the one reserved for it, that of the Job that runs, else the first by name.

    A new client makes no Job that runs begin anew.
    """
    if RESERVED_CLIENT in keys:
        return RESERVED_CLIENT
    job = resolved.verification.job
    volumes: list[Manifest] = job["spec"]["template"]["spec"].get("volumes", []) if job else []
    used = {item["key"] for volume in volumes for item in volume.get("secret", {}).get("items", ())}
    return min(used & keys or keys)


def _config(service: WhisperService) -> RuntimeConfig:
    """The configuration of a verifying pod."""
    spec = service.spec
    return RuntimeConfig(
        model=spec.model.name,
        diarization_model=spec.diarization.model.name if spec.diarization else None,
        golden_dir=golden_clip.directory(service),
        golden_max_word_error_rate=golden_clip.max_word_error_rate(service),
        golden_language=golden_clip.language(service),
        language=spec.language,
        no_egress=network_policy.shuts_in(service),
        jobs_dir=job_store.directory(service),
        jobs_store=job_store.kept_in(service),
        log_level=spec.logging.level,
        log_format=spec.logging.format,
    )
