"""The container that fetches the model: of the Job that fills the claim, or the first of each pod without a claim."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import pod, source
from whisper_operator.resolve.references import authorities
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.sizing import fetch_resources
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import (
    DEFAULT_MODEL_DIR,
    SCRATCH_DIR,
    SOURCE_CA_FILE,
    SOURCE_CREDENTIALS_DIR,
    SOURCE_URL_FILE,
)


def container(resolved: Resolved) -> Manifest:
    service = resolved.service
    return {
        "name": "fetch",
        "image": resolved.image.to_run,
        "imagePullPolicy": service.spec.image.pull_policy,
        "args": ["fetch"],
        "env": pod.variables(_config(service)) + source.proxies(service),
        "resources": fetch_resources(service.spec),
        "securityContext": pod.HARDENED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH_DIR},
            {"name": "models", "mountPath": DEFAULT_MODEL_DIR},
            *source.mounts(service),
        ],
    }


def _config(service: WhisperService) -> RuntimeConfig:
    spec, given = service.spec, service.spec.model.source
    return RuntimeConfig(
        model=spec.model.name,
        model_sha256=given.sha256 if given else None,
        model_url=given.url if given else None,
        model_url_file=SOURCE_URL_FILE if given and given.url_secret_key_ref else None,
        model_s3_region=given.region if given else None,
        model_s3_endpoint=given.endpoint if given and given.scheme == "s3" else None,
        model_hub_endpoint=given.endpoint if given and given.scheme == "hf" else None,
        model_registry_endpoint=given.endpoint if given and given.scheme == "oci" else None,
        model_credentials_dir=SOURCE_CREDENTIALS_DIR if given and given.secret_ref else None,
        model_ca_file=SOURCE_CA_FILE if authorities(spec) else None,
        log_level=spec.logging.level,
        log_format=spec.logging.format,
    )
