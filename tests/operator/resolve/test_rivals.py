"""Other autoscalers of a service's Deployment: where they are looked for, and who they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import UID, deployment, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.resolve.rivals import may_have_rivals, rivals_of

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}
REPLICAS = {"f:spec": {"f:replicas": {}}}
OURS = {"manager": "whisper-operator", "fieldsV1": REPLICAS}
CONTROLLER = {"manager": "kube-controller-manager", "subresource": "scale", "fieldsV1": REPLICAS}
ANNOTATOR = {"manager": "kubectl", "fieldsV1": {"f:metadata": {}}}
CONTESTED = {"conditions": [{"type": "ReplicasContested", "status": "True", "reason": "OtherAutoscaler"}]}


def written_by(*managers: Manifest) -> Manifest:
    body = deployment(service(**EMPTY_DIR))
    return {**body, "metadata": {**body["metadata"], "managedFields": list(managers)}}


def test_they_are_looked_for_where_somebody_has_scaled() -> None:
    assert may_have_rivals(service(), written_by(CONTROLLER))
    assert not may_have_rivals(service(), written_by(OURS, ANNOTATOR))
    assert not may_have_rivals(service(), None)


def test_they_are_looked_for_until_they_are_gone() -> None:
    assert may_have_rivals(service(CONTESTED), written_by(OURS))


@pytest.mark.parametrize("spec", [{"autoscaling": {}}, {"suspend": True}], ids=str)
def test_where_the_spec_sets_no_number_nobody_fights_it(spec: dict[str, Any]) -> None:
    """Of two autoscalers Kubernetes says so itself: AmbiguousSelector."""
    assert not may_have_rivals(service(**spec), written_by(CONTROLLER))


def autoscaler(its_name: str, owner: Manifest | None = None, **target: str) -> Manifest:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "speech", **target}
    metadata = {"name": its_name, "ownerReferences": [{**owner, "controller": True}] if owner else []}
    return {"kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": {"scaleTargetRef": ref}}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (autoscaler("mine"), ("HorizontalPodAutoscaler/mine",)),
        (autoscaler("keda-hpa-mine", {"kind": "ScaledObject", "name": "mine", "uid": "1"}), ("ScaledObject/mine",)),
        (autoscaler("speech", {"kind": "WhisperService", "name": "speech", "uid": UID}), ()),
        (autoscaler("other", name="another"), ()),
        (autoscaler("right", apiVersion="whisper-operator.io/v1alpha1", kind="WhisperService"), ()),
        (autoscaler("strange", apiVersion="example.com/v1"), ()),
    ],
    ids=["one by hand", "KEDA's", "our own", "of another Deployment", "of the WhisperService", "of another API"],
)
def test_an_autoscaler_of_the_deployment_is_a_rival(found: Manifest, told: tuple[str, ...]) -> None:
    assert rivals_of(service(), "speech", [found]) == told
