"""The Secret that signs the events of jobs, in the pods that serve, and what the runtime is told of their receivers."""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.spec.webhooks import WebhooksSpec
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_runtime.contract.files import WEBHOOK_SECRETS_DIR

VOLUME: Final = "webhook-secrets"


def parts(service: WhisperService) -> list[tuple[Manifest, Manifest]]:
    """Mount and volume; none where the spec has no webhooks."""
    webhooks = _wanted(service)
    if webhooks is None:
        return []
    volume = {"name": VOLUME, "secret": {"secretName": webhooks.secret_ref.name, "defaultMode": 0o440}}
    return [({"name": VOLUME, "mountPath": WEBHOOK_SECRETS_DIR, "readOnly": True}, volume)]


def settings(service: WhisperService) -> dict[str, Any]:
    """Fields of RuntimeConfig; none where the spec has no webhooks."""
    webhooks = _wanted(service)
    if webhooks is None:
        return {}
    return {
        "webhook_allowed_hosts": webhooks.allowed_hosts,
        "webhook_private_networks": webhooks.private_networks,
        "webhook_secrets_dir": WEBHOOK_SECRETS_DIR,
    }


def _wanted(service: WhisperService) -> WebhooksSpec | None:
    return service.spec.jobs.webhooks if service.spec.jobs else None
