"""The chart as helm sees it, and its manifests as an API server does."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from testbed.paths import REPOSITORY
from tests.support.chart import CHART, helm, of_kind, template

FORBIDDEN_ON_SECRETS = {"list", "watch", "create", "update", "patch", "delete"}


def rules(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for kind in ("Role", "ClusterRole") for body in of_kind(bodies, kind) for rule in body["rules"]]


def test_helm_finds_nothing_wrong() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


def test_a_misspelt_value_is_refused() -> None:
    done = helm("template", str(CHART), "--set", "replica=3")
    assert done.returncode != 0
    assert "replica" in done.stderr


@pytest.mark.parametrize("settings", [(), ("--set", "watchNamespaces={team-a,team-b}")])
def test_rbac_is_exact(settings: tuple[str, ...]) -> None:
    for rule in rules(template(*settings)):
        assert "*" not in json.dumps(rule)
        if "secrets" in rule["resources"]:
            assert not FORBIDDEN_ON_SECRETS & set(rule["verbs"])


def test_in_namespaced_mode_nothing_is_cluster_wide() -> None:
    bodies = template("--set", "watchNamespaces={team-a,team-b}")
    assert of_kind(bodies, "ClusterRole") == []
    assert {body["metadata"]["namespace"] for body in of_kind(bodies, "Role")} == {"whisper-system", "team-a", "team-b"}


def test_the_operators_pods_are_restricted_and_probed() -> None:
    (deployment,) = of_kind(template(), "Deployment")
    assert deployment["spec"]["replicas"] == 2
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"livenessProbe", "readinessProbe"} <= set(container)


def test_the_crd_is_the_generated_one_and_outlives_the_release() -> None:
    (crd,) = of_kind(template(), "CustomResourceDefinition")
    wanted = yaml.safe_load((REPOSITORY / "crds/whisperservices.yaml").read_text())
    assert crd["spec"] == wanted["spec"]
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert of_kind(template("--set", "crds.install=false"), "CustomResourceDefinition") == []


def test_on_openshift_no_group_is_set() -> None:
    (deployment,) = of_kind(template("--set", "fsGroup=null"), "Deployment")
    (operator,) = deployment["spec"]["template"]["spec"]["containers"]
    env = {one["name"]: one.get("value") for one in operator["env"]}
    assert env["WHISPER_OPERATOR_FS_GROUP"] == ""


def test_every_kind_that_is_built_may_be_applied() -> None:
    """What the operator applies and deletes is what its role allows, and no more: it makes claims anew, too."""
    from whisper_operator.objects.kinds import CHILD_KINDS, DEPLOYMENT

    verbs = {
        (group, resource): set(rule["verbs"])
        for rule in rules(template())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    for kind in CHILD_KINDS:
        wanted = {"get", "list", "watch", "create", "patch"} | ({"delete"} if kind != DEPLOYMENT else set[str]())
        assert verbs[kind.group, kind.plural] == wanted, kind
    assert verbs["apps", "deployments/scale"] == {"patch"}
