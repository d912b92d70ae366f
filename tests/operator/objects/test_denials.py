"""The remedy for a denial."""

from __future__ import annotations

import pytest

from whisper_operator.objects.denials import metadata_remedy

BY_POLICY = "services \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "
BY_WEBHOOK = 'admission webhook "validate.kyverno.svc-fail" denied the request: '


@pytest.mark.parametrize(
    "message",
    [
        f"{BY_POLICY}failed expression: 'team' in object.metadata.labels",
        f"{BY_POLICY}every object carries the Label team",
        f'{BY_WEBHOOK}you must provide annotations: {{"owner"}}',
    ],
)
def test_a_rule_on_labels_or_annotations_has_a_field(message: str) -> None:
    told = metadata_remedy(message, "spec.objectMetadata", "spec.podMetadata")
    assert told == ". A label or an annotation that the rule asks for is set in spec.objectMetadata or spec.podMetadata"


@pytest.mark.parametrize(
    "message",
    [
        f"{BY_POLICY}no Service of type LoadBalancer",
        "metadata.labels: Invalid value: a label value is at most 63 characters",
        "exceeded quota: annotations",
    ],
)
def test_any_other_has_none(message: str) -> None:
    assert metadata_remedy(message, "spec.objectMetadata") == ""
