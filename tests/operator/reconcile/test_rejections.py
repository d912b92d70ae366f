"""What is said of a child that the API server refuses."""

from __future__ import annotations

import pytest

from tests.operator.samples import service
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import AUTOSCALER, CLAIM, DEPLOYMENT, INGRESS, SCALED_OBJECT, Kind
from whisper_operator.reconcile.rejections import told_rejection

BACKLOG = {"type": "External", "external": {"metricName": "backlog", "value": 1}}
NOT_ZERO = ApiError("apply", 422, "Invalid", "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1")


def test_the_answer_is_repeated() -> None:
    error = ApiError("apply", 422, "Invalid", "spec.rules: Required value")
    assert (
        told_rejection(INGRESS, "Ingress/speech", error, service().spec) == "Ingress/speech: spec.rules: Required value"
    )


def test_an_answer_without_a_field_is_about_what_is_passed_on_as_it_is() -> None:
    error = ApiError("apply", 500, "", "failed to convert new object: x")
    spec = service(podTemplate={"spec": {}}).spec
    assert told_rejection(INGRESS, "Ingress/speech", error, spec).endswith(" (in spec.podTemplate)")


def test_a_cluster_whose_autoscaler_needs_a_pod_is_told_by_the_field() -> None:
    spec = service(autoscaling={"minReplicas": 0, "metrics": [BACKLOG]}).spec
    told = told_rejection(AUTOSCALER, "HorizontalPodAutoscaler/speech", NOT_ZERO, spec)
    assert "spec.autoscaling.minReplicas is 0, which this cluster does not take" in told
    assert told.endswith("write 1 or more, or use spec.autoscaling.keda")


def test_other_refusals_of_an_autoscaler_stay_as_they_are() -> None:
    spec = service(autoscaling={"minReplicas": 0, "metrics": [BACKLOG]}).spec
    error = ApiError("apply", 403, "Forbidden", "exceeded quota")
    assert told_rejection(AUTOSCALER, "it", error, spec) == "it: exceeded quota"


def test_a_deployment_with_another_selector_is_to_be_deleted() -> None:
    error = ApiError("apply", 422, "Invalid", "spec.selector: Invalid value: {}: field is immutable")
    told = told_rejection(DEPLOYMENT, "Deployment/speech", error, service().spec)
    assert told.endswith("delete it, and the operator makes it as it was")
    other = ApiError("apply", 422, "Invalid", "spec.template: Invalid value: {}: field is immutable")
    assert told_rejection(DEPLOYMENT, "it", other, service().spec) == f"it: {other.message}"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [(INGRESS, "spec.objectMetadata"), (DEPLOYMENT, "spec.objectMetadata or spec.podMetadata")],
)
def test_a_rule_that_asks_for_a_label_is_kept_by_a_field(kind: Kind, fields: str) -> None:
    error = ApiError("apply", 403, "Forbidden", "ValidatingAdmissionPolicy 'p' denied request: needs the label team")
    assert told_rejection(kind, "it", error, service().spec).endswith(f"the rule asks for is set in {fields}")


@pytest.mark.parametrize(
    ("claim", "field"), [("speech-models", "spec.cache.size"), ("speech-jobs", "spec.jobs.storage.size")]
)
@pytest.mark.parametrize(
    "answer",
    [
        "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 10Gi",
        "exceeded quota: team, requested: requests.storage=10Gi, used: requests.storage=0, limited: requests.storage=1",
    ],
)
def test_a_claim_of_a_size_that_is_refused_names_the_field(claim: str, field: str, answer: str) -> None:
    error = ApiError("apply", 403, "Forbidden", answer)
    told = told_rejection(CLAIM, f"PersistentVolumeClaim/{claim}", error, service().spec)
    assert told.endswith(f". The size of the claim is {field}")


@pytest.mark.parametrize(
    ("answer", "mends"),
    [
        ("the workload 'speech' of type 'apps/v1.Deployment' is already managed by the hpa 'mine'", "delete that one"),
        (
            "the scaledobject has a cpu trigger but the container server doesn't have the cpu request defined",
            "requests",
        ),
        ("error ScalingModifiers.Formula is mandatory", "spec.autoscaling.keda.advanced.scalingModifiers"),
    ],
)
def test_what_kedas_webhook_refuses_is_mended_by_a_field(answer: str, mends: str) -> None:
    """tests/neighbours/test_keda_admission.py has it refuse."""
    denied = f'admission webhook "vscaledobject.kb.io" denied the request: {answer}'
    error = ApiError("apply", 403, "Forbidden", denied)
    told = told_rejection(SCALED_OBJECT, "ScaledObject/speech", error, service().spec)
    assert told.startswith(f"ScaledObject/speech: {denied}. ")
    assert mends in told.removeprefix(f"ScaledObject/speech: {denied}")
