"""What the tests of single checks share."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import children, claim, fetched, observed, resolved, service
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.preflight.checklist import PreflightResult
from whisper_operator.status.blocking import preflight_passed

GPU = {"gpu": {}, "cache": {"type": "EmptyDir"}}
CLASSES = {"fast": {"metadata": {"name": "fast"}}}
DEFAULT = {"metadata": {"name": "std", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
SOURCE = {"url": "https://models.example.com/mine.pt", "sha256": "a" * 64, "secretRef": {"name": "token"}}
PRIVATE = {
    "url": "https://models.example.com/mine.pt",
    "sha256": "a" * 64,
    "caConfigMapKeyRef": {"name": "ca", "key": "root.pem"},
}
TLS = {"ingress": {"host": "a.example.com", "tls": {"secretName": "cert"}}}
RANGE = {"metadata": {"name": "small"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]}}
FLOOR = {"metadata": {"name": "floor"}, "spec": {"limits": [{"type": "Container", "min": {"cpu": "2"}}]}}
QUOTA = {
    "metadata": {"name": "team"},
    "spec": {"hard": {"requests.nvidia.com/gpu": "2"}},
    "status": {"hard": {"requests.nvidia.com/gpu": "2"}, "used": {"requests.nvidia.com/gpu": "1"}},
}
OWN_CLIP = {
    "verification": {
        "audio": {"configMapKeyRef": {"name": "clips", "key": "hello.wav"}},
        "expect": {"text": "Hello there."},
    }
}
TAINT = {"key": "team", "value": "vision", "effect": "NoSchedule"}


def checked(of: WhisperService, there: Observed) -> PreflightResult:
    return resolved(of, there).preflight


def assert_found(spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool) -> None:
    """One check finds that, and no other finds anything; the pods are held back where `holds`."""
    wanted = service(**spec)
    (found,) = checked(wanted, observed(**facts)).findings
    assert (found.reason, found.holds) == (reason, holds)
    assert says in found.message
    assert ("Deployment" in [one["kind"] for one in children(wanted, there(wanted, **facts))]) is not holds
    assert preflight_passed(resolved(wanted, observed(**facts))).status == "False"


def there(wanted: Any, **facts: Any) -> Any:
    """A claim whose model is fetched, where the service has one of its own, among `facts`."""
    if wanted.spec.cache.type != "PersistentVolumeClaim" or wanted.spec.cache.existing_claim:
        return observed(**facts)
    its_claim = claim(service())
    if "storage_classes" in facts or wanted.spec.cache.access_mode:
        return observed(**facts)
    return observed(its_claim, fetched(wanted, its_claim), **facts)
