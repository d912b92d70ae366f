"""The claim that the cache is in: whose it is, and what its class lets it do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import claim, observed, resolved, service
from whisper_operator.resolve.claim import ClaimState

CLASSES = {
    "fixed": {"metadata": {"name": "fixed"}},
    "growing": {"metadata": {"name": "growing"}, "allowVolumeExpansion": True},
    "late": {"metadata": {"name": "late"}, "volumeBindingMode": "WaitForFirstConsumer"},
}


def state(storage_class: str = "fixed", modes: tuple[str, ...] = ("ReadWriteOnce",), **facts: Any) -> ClaimState:
    live = claim(service(), storageClassName=storage_class, accessModes=list(modes))
    return resolved(service(), observed(live, **{"storage_classes": CLASSES, **facts})).claim


@pytest.mark.parametrize(
    ("cache", "name", "is_mounted", "is_own"),
    [
        ({}, "speech-models", True, True),
        ({"existingClaim": "shared"}, "shared", True, False),
        ({"type": "EmptyDir"}, "speech-models", False, False),
    ],
)
def test_whose_claim_it_is(cache: dict[str, str], name: str, is_mounted: bool, is_own: bool) -> None:
    found = resolved(service(cache=cache), observed(claims={"shared": None})).claim
    assert (found.name, found.live, found.is_mounted, found.is_own) == (name, None, is_mounted, is_own)


@pytest.mark.parametrize(
    ("modes", "ties"),
    [
        (("ReadWriteOnce",), True),
        (("ReadWriteOncePod",), True),
        (("ReadWriteMany",), False),
        (("ReadWriteOnce", "ReadOnlyMany"), False),
    ],
)
def test_a_claim_ties_its_pods_to_one_node_by_its_modes(modes: tuple[str, ...], ties: bool) -> None:
    found = state(modes=modes)
    assert (found.ties_to_one_node, found.is_on_one_node) == (ties, ties)


def test_a_claim_that_no_pod_mounts_ties_none_of_them() -> None:
    found = resolved(service(cache={"type": "EmptyDir"}), observed(claim(service()))).claim
    assert found.ties_to_one_node
    assert not found.is_on_one_node


def test_what_a_claims_class_allows() -> None:
    assert [state(name).can_grow for name in CLASSES] == [False, True, False]
    assert [state(name).binds_at_first_use for name in CLASSES] == [False, False, True]
    assert state(storage_classes=None).can_grow, "where classes may not be read, the API server decides"
