"""The URL of the store that the pods share, mounted from its Secret, and what the runtime is told of it."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_runtime.contract.files import REDIS_CA_FILE, REDIS_URL_FILE

URL_DIR, _, URL_NAME = REDIS_URL_FILE.rpartition("/")
CA_DIR, _, CA_NAME = REDIS_CA_FILE.rpartition("/")


def url_file(service: WhisperService) -> str | None:
    """None: the pods share nothing."""
    return REDIS_URL_FILE if service.spec.redis else None


def ca_file(service: WhisperService) -> str | None:
    """None: the system's authorities do."""
    return REDIS_CA_FILE if service.spec.redis and service.spec.redis.ca_config_map_key_ref else None


def prefix(service: WhisperService) -> str:
    """Name that the service's keys begin with."""
    return f"{service.metadata.namespace}/{service.metadata.name}"


def parts(service: WhisperService) -> list[tuple[Manifest, Manifest]]:
    """Each mount with its volume.

    They are optional: a pod that finds no file counts for itself, and one that does not start would serve nobody.
    """
    redis = service.spec.redis
    if redis is None:
        return []
    items = [{"key": redis.secret_key_ref.key, "path": URL_NAME}]
    secret = {"secretName": redis.secret_key_ref.name, "defaultMode": 0o440, "optional": True, "items": items}
    found = [_part("shared-store", URL_DIR, {"secret": secret})]
    if trusted := redis.ca_config_map_key_ref:
        authority = {"name": trusted.name, "optional": True, "items": [{"key": trusted.key, "path": CA_NAME}]}
        found.append(_part("shared-store-ca", CA_DIR, {"configMap": authority}))
    return found


def _part(name: str, directory: str, volume: Manifest) -> tuple[Manifest, Manifest]:
    return {"name": name, "mountPath": directory, "readOnly": True}, {"name": name, **volume}
