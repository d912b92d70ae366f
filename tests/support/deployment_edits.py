"""Edits of the Deployment that a service `speech` has, as somebody makes them beside the operator."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.kubectl import Kubectl
from whisper_operator.api.v1alpha1 import Manifest


def pod(namespace: Kubectl) -> Manifest:
    return (namespace.get("deployment", "speech") or {})["spec"]["template"]["spec"]


def server(namespace: Kubectl) -> Manifest:
    return server_of(pod(namespace))


def server_of(spec: Manifest) -> Manifest:
    return next(one for one in spec["containers"] if one["name"] == "server")


def names(items: list[Manifest]) -> set[str]:
    return {one["name"] for one in items}


def edit(namespace: Kubectl, change: Callable[[Manifest], None], kind: str = "deployment") -> None:
    """As `kubectl edit` does: a patch, under a field manager that is not ours."""
    spec = (namespace.get(kind, "speech") or {})["spec"]
    change(spec["template"]["spec"] if kind == "deployment" else spec)
    namespace.patch(kind, "speech", {"spec": spec})


def rename_container(spec: Manifest) -> None:
    server_of(spec)["name"] = "server2"


def rename_volume(spec: Manifest) -> None:
    containers = (*spec["containers"], *spec["initContainers"])
    for item in (*spec["volumes"], *(mount for one in containers for mount in one["volumeMounts"])):
        item["name"] = f"{item['name']}-2"


def move_mount(spec: Manifest) -> None:
    spec["containers"][0]["volumeMounts"][0]["mountPath"] = "/elsewhere"


def rename_variable(spec: Manifest) -> None:
    spec["containers"][0]["env"][0]["name"] += "_2"


def point_variable_elsewhere(spec: Manifest) -> None:
    variable = next(one for one in spec["containers"][0]["env"] if "value" in one)
    del variable["value"]
    variable["valueFrom"] = {"fieldRef": {"fieldPath": "metadata.name"}}


def renumber_port(spec: Manifest) -> None:
    spec["containers"][0]["ports"][0]["containerPort"] += 1


def mount_the_node(spec: Manifest) -> None:
    volume = spec["volumes"][0]
    name = volume["name"]
    volume.clear()
    volume.update({"name": name, "hostPath": {"path": "/tmp"}})


def add_container(spec: Manifest) -> None:
    spec["containers"].append({"name": "miner", "image": "miner"})


def add_init_container(spec: Manifest) -> None:
    spec["initContainers"] = [*spec.get("initContainers", ()), {"name": "miner", "image": "miner"}]


def run_something_else(spec: Manifest) -> None:
    server_of(spec)["command"] = ["sleep", "1000"]


def take_rights(spec: Manifest) -> None:
    spec["containers"][0]["securityContext"]["capabilities"]["add"] = ["SYS_ADMIN"]


def become_root(spec: Manifest) -> None:
    """The container's word goes before the pod's, which says runAsNonRoot."""
    spec["containers"][0]["securityContext"].update({"runAsNonRoot": False, "runAsUser": 0})


def share_processes(spec: Manifest) -> None:
    spec["shareProcessNamespace"] = True


def rename_hosts(spec: Manifest) -> None:
    spec["hostAliases"] = [{"ip": "192.0.2.1", "hostnames": ["huggingface.co"]}]


def go_elsewhere(spec: Manifest) -> None:
    spec["nodeSelector"] = {"pool": "other"}
    spec["tolerations"] = [{"operator": "Exists"}]


def probe_differently(spec: Manifest) -> None:
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        spec["containers"][0][probe] = {"tcpSocket": {"port": 1}, "periodSeconds": 7}


def probe_what_first_runs(spec: Manifest) -> None:
    """A field that ours does not have, in a container that is one of ours."""
    spec["initContainers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError"


def resolve_names_elsewhere(spec: Manifest) -> None:
    spec["dnsPolicy"] = "Default"


def take_more(spec: Manifest) -> None:
    resources = spec["containers"][0]["resources"]
    resources["limits"] = {**resources.get("limits", {}), "ephemeral-storage": "1Mi"}
    resources["requests"]["cpu"] = "31"


def end_at_once(spec: Manifest) -> None:
    spec["terminationGracePeriodSeconds"] = 1


def argue(spec: Manifest) -> None:
    spec["containers"][0]["args"] = ["--help"]
    spec["containers"][0]["workingDir"] = "/tmp"


def hook(spec: Manifest) -> None:
    spec["containers"][0]["lifecycle"] = {"postStart": {"exec": {"command": ["true"]}}}


def read_variables_from_elsewhere(spec: Manifest) -> None:
    spec["containers"][0]["envFrom"] = [{"configMapRef": {"name": "theirs"}}]


def set_what_the_api_server_would(spec: Manifest) -> None:
    """Fields to which the API server gives values when they are absent."""
    spec.update({"schedulerName": "theirs", "enableServiceLinks": True, "hostname": "theirs", "subdomain": "theirs"})
    spec["containers"][0].update({"imagePullPolicy": "Never", "terminationMessagePath": "/tmp/message"})


def keep_a_volume(spec: Manifest) -> None:
    spec["volumes"].append({"name": "more", "emptyDir": {}})
    spec["containers"][0]["volumeMounts"].append({"name": "more", "mountPath": "/more"})


EDITS = [
    probe_differently,
    probe_what_first_runs,
    resolve_names_elsewhere,
    take_more,
    end_at_once,
    argue,
    hook,
    read_variables_from_elsewhere,
    set_what_the_api_server_would,
    keep_a_volume,
    rename_container,
    rename_volume,
    move_mount,
    rename_variable,
    point_variable_elsewhere,
    renumber_port,
    mount_the_node,
    add_container,
    add_init_container,
    run_something_else,
    take_rights,
    become_root,
    share_processes,
    rename_hosts,
    go_elsewhere,
]
