"""The claim that the cache is in: whose it is, and what its class lets it do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import claim, observed, resolved, service
from whisper_operator.api.v1alpha1 import Manifest
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
    assert (found.name, found.live, found.wanted.is_mounted, found.is_own) == (name, None, is_mounted, is_own)


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


def pending(**cache: Any) -> Manifest:
    return {**claim(service(cache=cache)), "status": {"phase": "Pending"}}


def from_an_earlier_release(body: Manifest, **spec: Any) -> Manifest:
    return {**body, "metadata": {**body["metadata"], "annotations": {}}, "spec": {**body["spec"], **spec}}


@pytest.mark.parametrize(
    ("live", "makes_way"),
    [
        (pending(), False),
        (pending(storageClassName="broken"), True),
        (pending(accessMode="ReadWriteMany"), True),
        (pending(size="1Ti"), True),
        (pending(size="10240Mi"), False),
        ({**pending(), "spec": {**pending()["spec"], "storageClassName": "by-policy"}}, False),
        ({**pending(size="1Ti"), "status": {"phase": "Bound"}}, False),
        ({**pending(size="1Ti"), "status": {"phase": "Lost"}}, False),
        ({**pending(size="1Ti"), "spec": {**pending()["spec"], "volumeName": "mine"}}, False),
        (from_an_earlier_release(pending(), storageClassName="default"), False),
        (from_an_earlier_release(pending(), accessModes=["ReadWriteMany"]), True),
    ],
)
def test_a_claim_without_a_volume_makes_way_for_what_the_spec_asks(live: Manifest, makes_way: bool) -> None:
    assert resolved(service(), observed(live)).claim.makes_way is makes_way


def test_a_claim_of_an_earlier_release_makes_way_for_another_class_alone() -> None:
    live = from_an_earlier_release(pending(), storageClassName="broken")
    assert resolved(service(cache={"storageClassName": "fast"}), observed(live)).claim.makes_way
    assert not resolved(service(cache={"storageClassName": "broken"}), observed(live)).claim.makes_way


def test_a_claim_of_the_users_own_never_makes_way() -> None:
    wanted = service(cache={"existingClaim": "shared"})
    assert not resolved(wanted, observed(claims={"shared": pending(size="1Ti")})).claim.makes_way
