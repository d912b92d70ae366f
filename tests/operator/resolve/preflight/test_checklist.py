"""The checks together: their order, their outcomes, and the ones that have to be run again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import (
    DEFAULT,
    GPU,
    OWN_CLIP,
    PRIVATE,
    QUOTA,
    SOURCE,
    TAINT,
    TLS,
    checked,
)
from tests.operator.samples import deployment, node, observed, resolved, service
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.observe.observed import Observed
from whisper_operator.status.blocking import preflight_passed


def passed(of: WhisperService, there: Observed) -> ConditionUpdate:
    return preflight_passed(resolved(of, there))


@pytest.mark.parametrize(
    ("spec", "facts"),
    [
        (TLS, {"secrets": {"cert": None}}),
        (TLS, {"secrets": {"cert": frozenset({"tls.crt"})}}),
        ({"auth": {"secretRef": {"name": "keys"}}}, {"secrets": {"keys": frozenset()}}),
        ({"image": {"pullSecrets": [{"name": "pull"}]}}, {"secrets": {"pull": frozenset({"password"})}}),
        ({"model": {"name": "mine", "source": SOURCE}}, {"secrets": {"token": None}}),
        ({"cache": {"existingClaim": "shared"}}, {"claims": {"shared": None}}),
        (OWN_CLIP, {"config_maps": {"clips": None}}),
        ({"model": {"name": "mine", "source": PRIVATE}}, {"config_maps": {"ca": frozenset()}}),
        ({"model": {"name": "mine", "source": {"url": "pvc://weights/a.pt"}}}, {"claims": {"weights": None}}),
    ],
)
def test_what_no_watch_shows_is_looked_for_again_until_it_is_right(spec: dict[str, Any], facts: dict[str, Any]) -> None:
    assert checked(service(**spec), observed(**facts)).lacks_lookup
    assert not checked(service(), observed()).lacks_lookup


def test_all_that_is_wrong_is_told_at_once_and_what_holds_comes_first() -> None:
    wanted = service(auth={"secretRef": {"name": "keys"}}, **GPU)
    told = passed(wanted, observed(secrets={"keys": None}, nodes=(node(),)))
    assert told.reason == "SecretNotFound"
    assert "no node offers nvidia.com/gpu" in told.message


@pytest.mark.parametrize(
    ("spec", "facts"),
    [
        (GPU, {"nodes": (node(gpu="1", taints=({"key": "nvidia.com/gpu", "effect": "NoSchedule"},)),)}),
        (GPU | {"scheduling": {"tolerations": [{"operator": "Exists"}]}}, {"nodes": (node(gpu="1", taints=(TAINT,)),)}),
        (GPU, {"nodes": None}),
        ({}, {"storage_classes": {"std": DEFAULT}}),
        (
            {
                "networkPolicy": {},
                "cache": {"type": "EmptyDir"},
                "model": {"name": "m", "source": {"url": "pvc://c/m.pt", "sha256": "a" * 64}},
            },
            {},
        ),
        (GPU | {"suspend": True}, {"nodes": (node(),), "quotas": (QUOTA,)}),
        (TLS, {"secrets": {"cert": frozenset({"tls.crt", "tls.key"})}}),
    ],
)
def test_what_is_right_passes(spec: dict[str, Any], facts: dict[str, Any]) -> None:
    assert passed(service(**spec), observed(**facts)).status == "True"


def test_what_runs_has_shown_that_it_fits() -> None:
    """Given a service that runs, when its GPU node is cordoned or the quota is used up by itself, it still passes."""
    wanted = service(**GPU)
    running = deployment(wanted)
    assert checked(wanted, observed(running, nodes=(node(),), quotas=(QUOTA,))).findings == []


def test_what_cannot_be_read_is_said() -> None:
    assert "only namespaces may be read" in passed(service(), observed()).message
