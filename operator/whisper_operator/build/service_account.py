"""The account of the pods: it can do nothing, and its token is mounted nowhere."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.meta import child
from whisper_operator.objects.kinds import SERVICE_ACCOUNT
from whisper_operator.resolve.resolved import Resolved


def build(resolved: Resolved) -> Manifest:
    service = resolved.service
    return child(service, SERVICE_ACCOUNT, service.metadata.name, automountServiceAccountToken=False)
