"""Everything that a pass decides, as one value."""

from __future__ import annotations

import dataclasses

import pytest

from tests.operator.samples import ENV, deployment, observed, service
from tests.operator.statuses import all_of
from whisper_operator.objects.kinds import DEPLOYMENT, SERVICE
from whisper_operator.resolve.resolved import resolve

NEW = service(model={"name": "small"})


def test_it_cannot_be_changed() -> None:
    found = resolve(service(), observed(), ENV)
    for field in dataclasses.fields(found):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(found, field.name, None)


def test_the_rollout_is_decided_later() -> None:
    assert resolve(service(), observed(*all_of(service())), ENV).rollout is None


def test_a_live_child_is_found_by_its_kind() -> None:
    there = all_of(service())
    found = resolve(service(), observed(*there), ENV)
    assert found.live(DEPLOYMENT) == found.deployment == there[-1]
    assert found.live(SERVICE) is None


@pytest.mark.parametrize(("available", "serves"), [(1, True), (0, False)])
def test_the_old_model_serves_while_as_many_pods_as_are_wanted_are_available(available: int, serves: bool) -> None:
    old = all_of(service())
    old[-1] = deployment(service(), *old[:-1])
    assert resolve(NEW, observed(*old), ENV).serves_during_change
    rolling = deployment(service(), *old[:-1], updatedReplicas=0, availableReplicas=available)
    kept = {**rolling["metadata"]["annotations"], "whisper-operator.io/last-good-model": "base"}
    rolling["metadata"]["annotations"] = kept
    assert resolve(NEW, observed(*old[:-1], rolling), ENV).serves_during_change is serves


def test_without_a_change_of_the_model_nothing_serves_during_one() -> None:
    assert not resolve(service(), observed(*all_of(service())), ENV).serves_during_change
