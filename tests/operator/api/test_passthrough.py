"""The fields that no schema of this API describes are named by their paths."""

from __future__ import annotations

from whisper_operator.api.passthrough import open_parts
from whisper_operator.api.v1alpha1 import Spec


def test_the_unvalidated_fields_that_a_spec_sets_are_named() -> None:
    env = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "proxy", "key": "token"}}}]
    spec = Spec.model_validate({"model": {"name": "base"}, "server": {"env": env}, "podTemplate": {"spec": {}}})
    assert open_parts(spec) == ["spec.podTemplate", "spec.server.env"]


def test_a_plain_spec_has_none() -> None:
    assert open_parts(Spec.model_validate({"model": {"name": "base"}})) == []
