"""The Job that fetches: where it runs, so that a volume binds where the pods can be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, claim, container, live, node, observed, one, resolved, service
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.facts import Node

HOST = "kubernetes.io/hostname"
ON_GPU = service(gpu={"runtimeClassName": "nvidia"})


def on(name: str, zone: str = "a", **offered: Any) -> Node:
    return node(name, labels={HOST: name, "zone": zone}, **offered)


MODES = {"late": "WaitForFirstConsumer", "soon": "Immediate"}
MIXED = (on("cpu"), on("gpu-b", gpu="1"), on("gpu-a", gpu="1", zone="b"))


def pending(of: WhisperService, storage_class: str = "late") -> Manifest:
    return {**claim(of, storageClassName=storage_class), "status": {"phase": "Pending"}}


def job(of: WhisperService, its_claim: Manifest, *there: Manifest, nodes: tuple[Node, ...] | None = MIXED) -> Manifest:
    classes = {name: {"metadata": {"name": name}, "volumeBindingMode": mode} for name, mode in MODES.items()}
    seen = observed(its_claim, *there, nodes=nodes, storage_classes=classes)
    return one(children(of, seen), "Job", resolved(of, seen).prefetch.job_name or "")


def hosts(found: Manifest) -> list[list[str]]:
    """What each term of the Job's node affinity says of the host."""
    affinity = found["spec"]["template"]["spec"].get("affinity", {}).get("nodeAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])
    return [rule["values"] for term in terms for rule in term["matchExpressions"] if rule["key"] == HOST]


def test_a_volume_that_binds_at_its_first_use_binds_where_a_gpu_is() -> None:
    assert hosts(job(ON_GPU, pending(ON_GPU))) == [["gpu-a", "gpu-b"]]


@pytest.mark.parametrize(
    ("of", "its_claim", "nodes"),
    [
        (ON_GPU, claim(ON_GPU), MIXED),
        (ON_GPU, pending(ON_GPU, "soon"), MIXED),
        (service(), pending(service()), MIXED),
        (ON_GPU, pending(ON_GPU), (on("cpu"),)),
        (ON_GPU, pending(ON_GPU), None),
    ],
    ids=[
        "a volume is there",
        "a volume comes by itself",
        "no GPU is asked for",
        "no node offers one",
        "nodes may not be read",
    ],
)
def test_any_node_will_do(of: WhisperService, its_claim: Manifest, nodes: tuple[Node, ...] | None) -> None:
    assert hosts(job(of, its_claim, nodes=nodes)) == []


def test_the_users_own_rules_hold_beside() -> None:
    zone = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    wanted = service(
        gpu={},
        scheduling={
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [zone]}}
            }
        },
    )
    found = job(wanted, pending(wanted))
    assert hosts(found) == [["gpu-b"]]
    required = found["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    assert (
        required["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]["matchExpressions"][0]
        == (zone["matchExpressions"][0])
    )


@pytest.mark.parametrize("affinity", [{"nodeAffinity": "x"}, {"nodeAffinity": None}])
def test_rules_that_no_api_server_takes_are_passed_on_to_it(affinity: dict[str, Any]) -> None:
    wanted = service(gpu={}, scheduling={"affinity": affinity})
    job(wanted, pending(wanted))


def test_a_job_that_is_there_keeps_its_hosts_while_one_of_them_will_do() -> None:
    """Its template is fixed: another one would end a download that is under way."""
    begun = live(job(ON_GPU, pending(ON_GPU)))
    more = (*MIXED, on("gpu-c", gpu="1"))
    assert hosts(job(ON_GPU, pending(ON_GPU), begun, nodes=more)) == [["gpu-a", "gpu-b"]]
    assert hosts(job(ON_GPU, claim(ON_GPU), begun, nodes=more)) == [["gpu-a", "gpu-b"]]
    assert hosts(job(ON_GPU, pending(ON_GPU), begun, nodes=(on("gpu-c", gpu="1"),))) == [["gpu-c"]]
    assert hosts(job(ON_GPU, pending(ON_GPU), begun, nodes=(on("cpu"),))) == [["gpu-a", "gpu-b"]]


def test_it_may_run_on_a_node_that_is_kept_for_gpus_and_needs_no_gpus_runtime() -> None:
    spec = job(ON_GPU, claim(ON_GPU))["spec"]["template"]["spec"]
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert "runtimeClassName" not in spec
    assert "nvidia.com/gpu" not in container(spec, "fetch")["resources"].get("limits", {})


def test_it_follows_the_live_pods_to_the_node_of_the_volume_whatever_the_users_affinity_says() -> None:
    zone = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": []}]}}
    wanted = service(scheduling={"affinity": {"nodeAffinity": zone}}, cache={"accessMode": "ReadWriteOnce"})
    affinity = job(wanted, claim(wanted))["spec"]["template"]["spec"]["affinity"]
    (near,) = affinity["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert near["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    assert affinity["nodeAffinity"] == zone
