"""What a pod needs to let requests in or refuse them, whether it serves or stands before those that do."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from whisper_operator.api.units import duration_seconds, size_bytes
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import shared_store
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import API_KEYS_DIR

DEFAULTS: Final = RuntimeConfig()


def settings(service: WhisperService) -> dict[str, Any]:
    """The fields of RuntimeConfig by which a request is let in, limited, refused, or ended, and logged."""
    spec = service.spec
    return {
        "base_path": spec.base_path,
        "probes_on_http": False,
        "ui": spec.server.ui,
        "max_upload_bytes": size_bytes(spec.server.max_upload_size),
        "request_timeout_seconds": duration_seconds(spec.server.request_timeout),
        "cors_allow_origins": spec.server.cors.allow_origins,
        "trusted_proxies": spec.server.trusted_proxies,
        "api_keys_dir": API_KEYS_DIR if spec.auth else None,
        "drain_seconds": duration_seconds(spec.rollout.drain_timeout),
        "log_level": spec.logging.level,
        "log_format": spec.logging.format,
        "requests_per_minute": spec.rate_limit.requests_per_minute if spec.rate_limit else None,
        "audio_minutes_per_hour": spec.rate_limit.audio_minutes_per_hour if spec.rate_limit else None,
        "redis_url_file": shared_store.url_file(service),
        "redis_ca_file": shared_store.ca_file(service),
        "redis_prefix": shared_store.prefix(service) if spec.redis else DEFAULTS.redis_prefix,
    }


def front_token(service: WhisperService) -> str | None:
    """By which servers know a front of the service; None where keys tell clients apart.

    It follows from the uid, which whoever may read the service's pods can see, too (ADR 88).
    """
    if service.spec.auth:
        return None
    return hashlib.sha256(f"front of {service.metadata.uid}".encode()).hexdigest()


def keys(service: WhisperService) -> list[tuple[Manifest, Manifest]]:
    """Mount and volume of the clients' API keys; none where the service does not authenticate."""
    auth = service.spec.auth
    if auth is None:
        return []
    mount = {"name": "api-keys", "mountPath": API_KEYS_DIR, "readOnly": True}
    return [(mount, {"name": "api-keys", "secret": {"secretName": auth.secret_ref.name, "defaultMode": 0o440}})]
