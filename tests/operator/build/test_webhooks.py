"""The Secret that signs events is mounted by the server alone, which is told where they may go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.operator.samples import ENV, children, container, one, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import WEBHOOK_SECRETS_DIR

WEBHOOKS: dict[str, Any] = {
    "allowedHosts": ["hooks.example.com"],
    "privateNetworks": ["10.30.0.0/16"],
    "secretRef": {"name": "hooks"},
}


def pod(**jobs: Any) -> Manifest:
    made = children(service(cache={"type": "EmptyDir"}, jobs=jobs))
    return one(made, "Deployment")["spec"]["template"]["spec"]


def config(template: Manifest) -> RuntimeConfig:
    variables = container(template, "server")["env"]
    return RuntimeConfig.from_env({one["name"]: one["value"] for one in variables})


def test_the_server_signs_by_a_secret_that_it_mounts() -> None:
    template = pod(webhooks=WEBHOOKS)
    volume = {"name": "webhook-secrets", "secret": {"secretName": "hooks", "defaultMode": 0o440}}
    mount = {"name": "webhook-secrets", "mountPath": WEBHOOK_SECRETS_DIR, "readOnly": True}
    assert volume in template["volumes"]
    assert mount in container(template, "server")["volumeMounts"]
    assert all(mount not in one.get("volumeMounts", []) for one in template.get("initContainers", []))
    read = config(template)
    assert (read.webhook_allowed_hosts, read.webhook_private_networks, read.webhook_secrets_dir) == (
        ("hooks.example.com",),
        ("10.30.0.0/16",),
        WEBHOOK_SECRETS_DIR,
    )


def test_the_pods_that_connect_for_clients_know_the_clusters_networks_and_no_others_do() -> None:
    own = replace(ENV, cluster_networks=("20.1.0.0/16",))
    found = {
        name: config(one(children(service(**spec), installation=own), "Deployment")["spec"]["template"]["spec"])
        for name, spec in {
            "webhooks": {"cache": {"type": "EmptyDir"}, "jobs": {"webhooks": WEBHOOKS}},
            "urls": {"cache": {"type": "EmptyDir"}, "server": {"audioUrls": {"allowedHosts": ["a.example.com"]}}},
            "neither": {"cache": {"type": "EmptyDir"}, "jobs": {}},
        }.items()
    }
    assert {name: one.cluster_networks for name, one in found.items()} == {
        "webhooks": ("20.1.0.0/16",),
        "urls": ("20.1.0.0/16",),
        "neither": (),
    }


def test_without_webhooks_there_is_none() -> None:
    template = pod()
    assert "webhook-secrets" not in [volume["name"] for volume in template["volumes"]]
    assert config(template).webhook_secrets_dir is None
