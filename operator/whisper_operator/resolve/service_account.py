"""The account that pods run as: pure."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import WhisperService


def account_name(service: WhisperService) -> str:
    """Name of the account that all pods run as, whoever creates it."""
    return service.spec.service_account.name or service.metadata.name
