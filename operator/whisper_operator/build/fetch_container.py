"""The containers that fetch: of the Job that fills the claim, or the first of each pod without a claim."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.build import pod, source
from whisper_operator.resolve.fetches import Fetch, fetches
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


def containers(resolved: Resolved) -> list[Manifest]:
    """One for each checkpoint, in the order in which they run: the model's is the last."""
    return [_container(resolved, fetch) for fetch in fetches(resolved.service.spec)]


def _container(resolved: Resolved, fetch: Fetch) -> Manifest:
    service = resolved.service
    return {
        "name": fetch.container,
        "image": resolved.image.to_run,
        "imagePullPolicy": service.spec.image.pull_policy,
        "args": ["fetch", "--encoder"] if fetch.is_encoder else ["fetch"],
        "env": pod.variables(_config(service.spec, fetch)) + source.proxies(service),
        "resources": fetch_resources(service.spec),
        "securityContext": pod.HARDENED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH_DIR},
            {"name": "models", "mountPath": DEFAULT_MODEL_DIR},
            *source.mounts(fetch),
        ],
    }


def _config(spec: Spec, fetch: Fetch) -> RuntimeConfig:
    given = fetch.source
    return RuntimeConfig(
        model=fetch.name,
        model_sha256=given.sha256 if given else None,
        model_url=given.url if given else None,
        model_url_file=SOURCE_URL_FILE if given and given.url_secret_key_ref else None,
        model_s3_region=given.region if given else None,
        model_s3_endpoint=given.endpoint if given and given.scheme == "s3" else None,
        model_hub_endpoint=given.endpoint if given and given.scheme == "hf" else None,
        model_registry_endpoint=given.endpoint if given and given.scheme == "oci" else None,
        model_credentials_dir=SOURCE_CREDENTIALS_DIR if given and given.secret_ref else None,
        model_ca_file=SOURCE_CA_FILE if fetch.authorities else None,
        log_level=spec.logging.level,
        log_format=spec.logging.format,
    )
