"""The parts that all pods of a service share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, claim, fetched, jobs, observed, rolled_out, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build import pod
from whisper_operator.objects import names
from whisper_operator.observe.installation import Installation
from whisper_runtime.contract.config import RuntimeConfig


@pytest.mark.parametrize(("group", "fields"), [(1000, {"fsGroup", "fsGroupChangePolicy"}), (None, set[str]())])
def test_the_group_is_the_installations_or_the_platforms(group: int | None, fields: set[str]) -> None:
    context = pod.common(service(), Installation("runtime:1", fs_group=group))["securityContext"]
    assert {name for name in context if name.startswith("fsGroup")} == fields
    assert context["runAsNonRoot"] is True


def test_scheduling_and_pull_secrets_are_passed_on() -> None:
    wanted = service(
        image={"pullSecrets": [{"name": "pull"}]},
        scheduling={"nodeSelector": {"zone": "a"}, "priorityClassName": "speech"},
    )
    found = pod.common(wanted, Installation("runtime:1"))
    assert found["imagePullSecrets"] == [{"name": "pull"}]
    assert (found["nodeSelector"], found["priorityClassName"]) == ({"zone": "a"}, "speech")
    assert "tolerations" not in found


@pytest.mark.parametrize(
    ("cache", "volumes"),
    [
        ({}, [{"name": "models", "persistentVolumeClaim": {"claimName": "speech-models"}}]),
        ({"existingClaim": "shared"}, [{"name": "models", "persistentVolumeClaim": {"claimName": "shared"}}]),
        ({"type": "EmptyDir", "size": "2048Mi"}, [{"name": "models", "emptyDir": {"sizeLimit": "2Gi"}}]),
        ({"type": "Image"}, []),
    ],
)
def test_where_the_models_are(cache: dict[str, Any], volumes: list[dict[str, Any]]) -> None:
    assert pod.models_volume(service(cache=cache)) == volumes


def test_the_image_of_a_model_is_pulled_as_those_of_the_pods() -> None:
    model = {"name": "mine", "source": {"url": f"oci://r:5000/team/m:v1@sha256:{'a' * 64}", "sha256": "a" * 64}}
    wanted = service(model=model, cache={"type": "ImageVolume"}, image={"pullPolicy": "Always"})
    image = {"reference": f"r:5000/team/m:v1@sha256:{'a' * 64}", "pullPolicy": "Always"}
    assert pod.models_volume(wanted) == [{"name": "models", "image": image}]


def test_variables_are_sorted_by_name() -> None:
    names = [one["name"] for one in pod.variables(RuntimeConfig(model="base", language="en", device="cpu"))]
    assert names == sorted(names)


def templates(**spec: Any) -> dict[str, Manifest]:
    """The template of each kind of pod, by its component."""
    baked = service(verification={}, cache={"type": "Image"}, **spec)
    cached = service(**spec)
    there = [claim(cached), fetched(cached, claim(cached))]
    bodies = [
        *(one for one in children(cached, observed(*there)) if one["kind"] in ("Deployment", "Job")),
        *jobs(baked, rolled_out(baked)),
    ]
    made = [body["spec"]["template"] for body in bodies]
    return {one["metadata"]["labels"][names.LABEL_COMPONENT]: one for one in made}


def test_there_are_three_kinds_of_pods() -> None:
    assert sorted(templates()) == ["prefetch", "server", "verify"]


@pytest.mark.parametrize("component", ["server", "prefetch", "verify"])
def test_every_pod_has_the_specs_metadata_and_the_operators_labels(component: str) -> None:
    metadata = {
        "labels": {"team": "a"},
        "annotations": {"prometheus.io/scrape": "false", "linkerd.io/inject": "disabled"},
    }
    found = templates(podMetadata=metadata)[component]["metadata"]
    assert found["labels"] == {"team": "a", **names.labels("speech", component)}
    assert found["annotations"].items() >= metadata["annotations"].items()


OF_NAMESPACE = {
    "securityContext": {"runAsUser": 1000, "supplementalGroups": [3000]},
    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["models.example.com"]}],
    "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
    "priorityClassName": "speech",
    "nodeSelector": {"zone": "a"},
    "schedulerName": "mine",
}


@pytest.mark.parametrize("component", ["server", "prefetch", "verify"])
def test_what_the_template_says_of_every_pod_reaches_every_pod(component: str) -> None:
    template = {"metadata": {"labels": {"team": "a"}, "annotations": {"a": "b"}}, "spec": OF_NAMESPACE}
    found = templates(podTemplate=template)[component]
    assert (found["metadata"]["labels"]["team"], found["metadata"]["annotations"]["a"]) == ("a", "b")
    assert found["spec"]["securityContext"].items() >= OF_NAMESPACE["securityContext"].items()
    assert all(found["spec"][field] == OF_NAMESPACE[field] for field in OF_NAMESPACE if field != "securityContext")


@pytest.mark.parametrize("component", ["prefetch", "verify"])
def test_what_it_says_of_the_pods_that_serve_reaches_no_job(component: str) -> None:
    of_servers = {
        "containers": [{"name": "server", "env": []}, {"name": "sidecar"}],
        "initContainers": [{"name": "first"}],
        "volumes": [{"name": "more", "emptyDir": {}}],
        "affinity": {"podAntiAffinity": {}},
        "runtimeClassName": "nvidia",
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 1,
    }
    assert templates(podTemplate={"spec": of_servers})[component] == templates()[component]


@pytest.mark.parametrize(("part", "component"), [("prefetch", "prefetch"), ("verification", "verify")])
def test_a_jobs_own_template_comes_last(part: str, component: str) -> None:
    own = {
        "metadata": {"annotations": {"sidecar.istio.io/inject": "false"}, "labels": names.labels("mine", "mine")},
        "spec": {"securityContext": {"fsGroup": {"$patch": "delete"}, "runAsUser": 0}, "hostUsers": False},
    }
    spec = {part: {"podTemplate": own}, "podTemplate": {"spec": {"securityContext": {"runAsUser": 1000}}}}
    wanted = service(**({"cache": {"type": "Image"}} if part == "verification" else {}), **spec)
    bodies = jobs(wanted, rolled_out(wanted)) if part == "verification" else jobs(wanted, claim(wanted))
    (found,) = (body["spec"]["template"] for body in bodies)
    assert found["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
    assert found["metadata"]["labels"] == names.labels("speech", component)
    assert found["spec"]["securityContext"]["runAsUser"] == 0
    assert "fsGroup" not in found["spec"]["securityContext"]
    assert found["spec"]["hostUsers"] is False


@pytest.mark.parametrize("template", [{"metadata": "x", "spec": "y"}, {"metadata": None}, {"spec": {"hostAliases": 1}}])
def test_a_malformed_template_is_left_to_the_api_server(template: Manifest) -> None:
    wanted = service(podTemplate=template)
    (found,) = jobs(wanted, claim(wanted))
    assert found["spec"]["template"]["metadata"]["labels"] == names.labels("speech", names.PREFETCH)


def test_a_jobs_container_has_the_resources_that_its_part_of_the_spec_gives() -> None:
    given = {"resources": {"limits": {"cpu": "1"}}}
    baked = service(verification=given, cache={"type": "Image"})
    for job in (*jobs(service(prefetch=given), claim(service())), *jobs(baked, rolled_out(baked))):
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["resources"]["limits"]["cpu"] == "1"


ZONE = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
NEAR = {"topologyKey": "zone", "labelSelector": {}}
RULE = "requiredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    ("affinity", "terms"),
    [
        (None, [{"a": 1}]),
        (ZONE, [{"a": 1}]),
        ({"podAffinity": {RULE: [NEAR]}}, [NEAR, {"a": 1}]),
        ({"podAffinity": None}, [{"a": 1}]),
    ],
    ids=["none", "another kind", "the same list", "null"],
)
def test_a_term_comes_beside_what_an_affinity_says(affinity: Manifest | None, terms: list[Manifest]) -> None:
    found = pod.beside(affinity, RULE, {"a": 1})
    assert found["podAffinity"][RULE] == terms
    assert found.get("nodeAffinity") == (affinity or {}).get("nodeAffinity")


@pytest.mark.parametrize("affinity", [{"podAffinity": "x"}, {"podAffinity": {RULE: "x"}}])
def test_an_affinity_that_no_api_server_takes_stays_as_it_is(affinity: Manifest) -> None:
    assert pod.beside(affinity, RULE, {"a": 1}) == affinity
