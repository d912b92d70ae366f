"""The number of pods, handed over to an autoscaler."""

from __future__ import annotations

from tests.operator.samples import children, deployment, one, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.handover import as_created, before_handover, handover_replicas
from whisper_operator.objects.diff import deviations
from whisper_operator.reconcile.plan import HASH_PATH

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def test_an_autoscaled_deployment_is_born_with_the_smallest_number() -> None:
    scaled = service(autoscaling={"minReplicas": 3}, **EMPTY_DIR)
    wanted = one(children(scaled), "Deployment")
    born = as_created(scaled, wanted)
    assert born["spec"]["replicas"] == 3
    assert born["metadata"] == wanted["metadata"]  # the next pass finds what it wants, and applies nothing


def test_where_the_smallest_number_is_the_default_nobody_holds_it() -> None:
    scaled = service(autoscaling={"minReplicas": 1}, **EMPTY_DIR)
    wanted = one(children(scaled), "Deployment")
    assert as_created(scaled, wanted) == wanted


def held_by(manager: str, there: Manifest) -> Manifest:
    """`there`, its number of replicas applied by `manager`."""
    entry = {"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    return {**there, "metadata": {**there["metadata"], "managedFields": [entry]}}


def test_the_hand_over_of_the_number() -> None:
    """Where our own apply holds the number, another manager takes it over; where none does, nothing is written."""
    scaled, fixed = service(autoscaling={}, **EMPTY_DIR), service(replicas=3, **EMPTY_DIR)
    there = held_by("whisper-operator", deployment(fixed))
    assert handover_replicas(fixed, there) is None
    assert handover_replicas(scaled, there) == 3
    assert handover_replicas(scaled, held_by("whisper-operator-handover", there)) is None
    asleep = held_by("whisper-operator", deployment(service(suspend=True, **EMPTY_DIR)))
    assert handover_replicas(scaled, asleep) == 2


def test_a_hand_over_that_was_broken_off_shows_by_the_hash_that_is_missing() -> None:
    scaled = service(autoscaling={"minReplicas": 2, "maxReplicas": 4}, **EMPTY_DIR)
    wanted = one(children(scaled), "Deployment")
    begun = before_handover(wanted, 3)
    assert begun["spec"] == {**wanted["spec"], "replicas": 3}
    (missing,) = deviations(wanted, {**begun, "status": {}})
    assert missing.path == HASH_PATH
