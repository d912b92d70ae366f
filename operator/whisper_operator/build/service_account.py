"""The account of the pods: Kubernetes gives it no rights, and its token is mounted nowhere."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import child
from whisper_operator.objects.kinds import SERVICE_ACCOUNT
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.service_account import account_name


def build(resolved: Resolved) -> Manifest | None:
    """None where the spec names an account that exists."""
    service = resolved.service
    return _account(service, account_name(service)) if service.spec.service_account.create else None


def former(resolved: Resolved) -> Manifest | None:
    """The account of ours that the live pods run as and the spec no longer wants: without it none of them could be
    replaced while the change is held back. None where it is the wanted one, or not ours."""
    service, deployment = resolved.service, resolved.deployment
    name = deployment["spec"]["template"]["spec"].get("serviceAccountName") if deployment else None
    is_wanted = service.spec.service_account.create and name == account_name(service)
    if name is None or is_wanted or resolved.observed.get(SERVICE_ACCOUNT, name) is None:
        return None
    return _account(service, name)


def _account(service: WhisperService, name: str) -> Manifest:
    annotations = service.spec.service_account.annotations
    return child(service, SERVICE_ACCOUNT, name, annotations=annotations, automountServiceAccountToken=False)
