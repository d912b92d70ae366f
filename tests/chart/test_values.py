"""Each value of the chart has its effect, may be null, and is kept from names and labels that others have."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from tests.fakes.web_server import FakeRequest, answering
from tests.support.chart import CHART, documents, helm, of_kind, template
from whisper_operator.cli.installation_file import read_installation
from whisper_operator.observe.defaults import Defaults

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
DIGEST = f"sha256:{'a' * 64}"
NEEDED = {"image", "image.repository", "runtimeImage", "runtimeImage.repository"}
"""Paths of values without which there is nothing to install."""
STANDARD = ("name", "instance", "version", "managed-by", "part-of")


def paths(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from paths(value, f"{prefix}{name}.")


def rendered(values: dict[str, Any], tmp_path: Path, *settings: str) -> list[dict[str, Any]]:
    """Given these values in a file, as people have them."""
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    return template("--values", str(file), *settings)


def deployment(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = of_kind(bodies, "Deployment")
    return found


def pod(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    return deployment(bodies)["spec"]["template"]


def container(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = pod(bodies)["spec"]["containers"]
    return found


def env(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in container(bodies)["env"]}


def umbrella(tmp_path: Path, values: dict[str, Any], *dependencies: dict[str, Any]) -> Path:
    """A chart `platform` with these dependencies on ours, and these values of its own."""
    found = tmp_path / "platform"
    (found / "charts").mkdir(parents=True)
    shutil.copytree(CHART, found / "charts/whisper-operator")
    version = {"version": "0.1.0", "repository": ""}
    chart = {"apiVersion": "v2", "name": "platform", **version, "dependencies": [one | version for one in dependencies]}
    (found / "Chart.yaml").write_text(yaml.safe_dump(chart))
    (found / "values.yaml").write_text(yaml.safe_dump(values))
    return found


def of_umbrella(chart: Path, *settings: str) -> list[dict[str, Any]]:
    done = helm("template", "platform", str(chart), "--namespace", "apps", *settings)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


@pytest.mark.parametrize("path", sorted(set(paths(VALUES)) - NEEDED))
def test_every_value_may_be_null(path: str) -> None:
    assert deployment(template("--set", f"{path}=null"))


@pytest.mark.parametrize("path", sorted(NEEDED))
def test_an_image_without_a_repository_is_refused_by_its_name(path: str) -> None:
    done = helm("template", str(CHART), "--set", f"{path}=null")
    assert done.returncode != 0
    assert f"{path.partition('.')[0]}.repository is empty" in done.stderr


@pytest.mark.parametrize(
    ("group", "text"), [(65532, "65532"), (0, "0"), (1000680000, "1000680000"), ("", ""), (None, "")]
)
def test_the_group_of_the_caches_is_a_number_or_the_platforms(
    tmp_path: Path, group: int | str | None, text: str
) -> None:
    assert env(rendered({"fsGroup": group}, tmp_path))["WHISPER_OPERATOR_FS_GROUP"] == text


def test_another_text_than_a_number_is_refused() -> None:
    assert "fsGroup" in helm("template", str(CHART), "--set", "fsGroup=staff").stderr


def test_images_are_pinned_by_digest(tmp_path: Path) -> None:
    bodies = rendered({"image": {"digest": DIGEST}, "runtimeImage": {"tag": "2.0.0", "digest": DIGEST}}, tmp_path)
    assert container(bodies)["image"] == f"ghcr.io/whisper-operator/whisper-operator:0.1.0@{DIGEST}"
    runtime = env(bodies)["WHISPER_OPERATOR_RUNTIME_IMAGE"]
    assert runtime == f"ghcr.io/whisper-operator/whisper-runtime:2.0.0@{DIGEST}"
    assert "digest" in helm("template", str(CHART), "--set", "image.digest=latest").stderr


@pytest.mark.parametrize(
    ("repository", "mirrored"),
    [
        ("ghcr.io/whisper-operator/whisper-runtime", "mirror.example.com/whisper-operator/whisper-runtime"),
        ("localhost:5000/whisper-runtime", "mirror.example.com/whisper-runtime"),
        ("team/whisper-runtime", "mirror.example.com/team/whisper-runtime"),
    ],
)
def test_one_registry_may_stand_in_for_those_of_all_images(tmp_path: Path, repository: str, mirrored: str) -> None:
    values = {"global": {"imageRegistry": "mirror.example.com/"}, "runtimeImage": {"repository": repository}}
    bodies = rendered(values, tmp_path)
    assert container(bodies)["image"].startswith("mirror.example.com/whisper-operator/whisper-operator:")
    assert env(bodies)["WHISPER_OPERATOR_RUNTIME_IMAGE"].startswith(f"{mirrored}:")
    assert policy(bodies)["imageRepositories"] == [mirrored], "which a spec may name in full"


DEFAULTS = {
    "imagePullSecrets": [{"name": "registry"}],
    "gpu": {"nodeSelector": {"pool": "gpu"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]},
    "storageClassName": "fast",
    "ingressClassName": "public",
    "podMetadata": {"labels": {"team": "speech"}, "annotations": {"example.com/owner": "platform"}},
    "objectMetadata": {"labels": {"team": "speech"}, "annotations": {"example.com/owner": "platform"}},
    "resources": {"requests": {"cpu": "3"}},
}


def leaves(values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path of each default, and the values that set it alone."""
    for name, value in values.items():
        if name in ("gpu", "podMetadata", "objectMetadata"):
            yield from ((f"{name}.{inner}", {name: {inner: of}}) for inner, of in value.items())
        else:
            yield name, {name: value}


def defaults(bodies: list[dict[str, Any]]) -> Any:
    """The defaults for all services as the operator gets them; None: none."""
    found = env(bodies).get("WHISPER_OPERATOR_DEFAULTS")
    return json.loads(found) if found else None


@pytest.mark.parametrize(
    ("path", "values"), list(leaves(DEFAULTS)), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_default_for_all_services_reaches_the_operator_alone(
    tmp_path: Path, path: str, values: dict[str, Any]
) -> None:
    found = defaults(rendered({"defaults": values}, tmp_path))
    assert found == values, path
    assert Defaults.model_validate(found).as_json() is not None


def test_every_default_is_one_that_the_operator_knows(tmp_path: Path) -> None:
    assert [path for path, _ in leaves(VALUES["defaults"])] == [path for path, _ in leaves(DEFAULTS)]
    assert Defaults.model_validate(defaults(rendered({"defaults": DEFAULTS}, tmp_path)))
    assert defaults(template()) is None
    assert defaults(rendered({"defaults": {"gpu": None, "podMetadata": {"labels": None}}}, tmp_path)) is None


def test_a_misspelt_default_is_refused() -> None:
    assert "storageClass" in helm("template", str(CHART), "--set", "defaults.storageClass=fast").stderr


@pytest.mark.parametrize(
    ("release", "settings", "name"),
    [
        ("whisper-operator", (), "whisper-operator"),
        ("my-whisper-operator", (), "my-whisper-operator"),
        ("speech", (), "speech-whisper-operator"),
        ("speech", ("--set", "nameOverride=asr"), "speech-asr"),
        ("speech", ("--set", "fullnameOverride=asr"), "asr"),
        ("a" * 53, (), "a" * 45),
    ],
)
def test_objects_are_named_after_release_and_chart(release: str, settings: tuple[str, ...], name: str) -> None:
    done = helm("template", release, str(CHART), "--namespace", "system", *settings)
    bodies = documents(done.stdout)
    names = {kind: {body["metadata"]["name"] for body in of_kind(bodies, kind)} for kind in ("Deployment", "Service")}
    assert names == {"Deployment": {name}, "Service": {f"{name}-metrics"}}
    assert env(bodies)["WHISPER_OPERATOR_LEASE_NAME"] == name
    (role,) = of_kind(bodies, "Role")
    assert role["rules"][0]["resourceNames"] == [name], "it may renew its Lease and no other's"


def test_what_lies_outside_its_namespace_has_the_namespace_in_its_name() -> None:
    cluster_wide = [*of_kind(template(), "ClusterRole"), *of_kind(template(), "ClusterRoleBinding")]
    watched = [body for body in of_kind(template("--set", "watchNamespaces={team-a}"), "Role")]
    outside = [body for body in (*cluster_wide, *watched) if body["metadata"].get("namespace") != "whisper-system"]
    assert len(outside) == 5
    assert all(body["metadata"]["name"].startswith("whisper-system:whisper-operator") for body in outside)
    policies = [
        *of_kind(template(), "ValidatingAdmissionPolicy"),
        *of_kind(template(), "ValidatingAdmissionPolicyBinding"),
    ]
    assert [body["metadata"]["name"] for body in policies] == ["whisper-system.whisper-operator"] * 2


def test_labels_of_all_objects_and_the_pods() -> None:
    bodies = template("--set", "commonLabels.team=speech,podLabels.mesh=off,commonLabels.app\\.kubernetes\\.io/name=x")
    for body in bodies:
        labels = body["metadata"]["labels"]
        assert labels["team"] == "speech", body["kind"]
        assert labels["app.kubernetes.io/name"] != "x", "the selector's labels are not overridden"
    labels, selector = pod(bodies)["metadata"]["labels"], deployment(bodies)["spec"]["selector"]["matchLabels"]
    assert labels["mesh"] == "off"
    assert labels.items() >= selector.items()
    assert {f"app.kubernetes.io/{name}" for name in STANDARD} < set(labels)
    assert selector == {"app.kubernetes.io/name": "whisper-operator", "app.kubernetes.io/instance": "whisper-operator"}


def policy(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """The settings of the policy as the operator gets them."""
    return json.loads(env(bodies)["WHISPER_OPERATOR_POLICY"])


def test_a_setting_of_the_policy_that_is_null_has_its_default_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    default = policy(template())
    assert default["imageRepositories"] == ["ghcr.io/whisper-operator/whisper-runtime"]
    assert policy(rendered({"policy": None}, tmp_path)) == default
    values: dict[str, Any] = {"hosts": None, "plainPaths": False, "deniedTolerations": [], "imageRepositories": ["a/b"]}
    changed = {
        "plainPaths": False,
        "deniedTolerations": [],
        "imageRepositories": ["a/b", *default["imageRepositories"]],
    }
    bodies = rendered({"policy": values}, tmp_path)
    assert policy(bodies) == default | changed
    (admission,) = of_kind(bodies, "ValidatingAdmissionPolicy")
    variables = {one["name"]: one["expression"] for one in admission["spec"]["variables"]}
    told = {name: json.loads(variables[name]) for name in default if name != "exemptNamespaces"}
    assert told == {name: value for name, value in policy(bodies).items() if name in told}


def test_the_api_server_judges_the_services_of_the_installation_alone() -> None:
    def conditions(*settings: str) -> dict[str, str]:
        (found,) = of_kind(template(*settings), "ValidatingAdmissionPolicy")
        return {one["name"]: one["expression"] for one in found["spec"]["matchConditions"]}

    assert conditions()["is-of-the-class"].endswith("== optional.none()")
    assert conditions("--set", "serviceClass=canary")["is-of-the-class"].endswith("== optional.of('canary')")
    assert conditions("--set", "watchNamespaces={a}")["namespace-is-watched"] == 'request.namespace in ["a"]'
    assert "namespace-is-not-exempt" in conditions("--set", "policy.exemptNamespaces={a}")
    assert of_kind(template("--set", "policy.admission=false"), "ValidatingAdmissionPolicy") == []


def test_a_service_account_of_anothers(tmp_path: Path) -> None:
    bodies = rendered({"serviceAccount": {"create": False, "name": "shared"}}, tmp_path)
    assert of_kind(bodies, "ServiceAccount") == []
    assert pod(bodies)["spec"]["serviceAccountName"] == "shared"
    subjects = [one for kind in ("RoleBinding", "ClusterRoleBinding") for one in of_kind(bodies, kind)[0]["subjects"]]
    assert {one["name"] for one in subjects} == {"shared"}
    nobodys = rendered({"serviceAccount": {"create": False}}, tmp_path)
    assert pod(nobodys)["spec"]["serviceAccountName"] == "default"


def test_a_service_account_with_annotations(tmp_path: Path) -> None:
    bodies = rendered({"serviceAccount": {"name": "own", "annotations": {"example.com/role": "operator"}}}, tmp_path)
    (account,) = of_kind(bodies, "ServiceAccount")
    assert account["metadata"]["name"] == "own"
    assert account["metadata"]["annotations"] == {"example.com/role": "operator"}


def test_roles_that_somebody_else_manages() -> None:
    bodies = template("--set", "rbac.create=false,rbac.aggregate=false")
    assert not {body["kind"] for body in bodies} & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


def test_the_operators_pods_take_what_platforms_add(tmp_path: Path) -> None:
    values = {
        "deploymentAnnotations": {"reloader": "on"},
        "podAnnotations": {"prometheus.io/scrape": "false", "a": "b"},
        "extraArgs": ["--dry-run"],
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/certs"}],
        "strategy": {"type": "Recreate"},
        "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
        "hostUsers": False,
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
        "podSecurityContext": {"runAsUser": 1000},
        "containerSecurityContext": {"privileged": False},
        "serviceClass": "canary",
        "revisionHistoryLimit": 0,
        "runtimeClassName": "gvisor",
        "hostAliases": [{"ip": "192.0.2.1", "hostnames": ["proxy"]}],
        "terminationGracePeriodSeconds": 60,
        "serviceAccount": {"automountToken": False},
    }
    bodies = rendered(values, tmp_path)
    spec, only = pod(bodies)["spec"], container(bodies)
    assert deployment(bodies)["metadata"]["annotations"] == {"reloader": "on"}
    assert deployment(bodies)["spec"]["strategy"] == {"type": "Recreate"}
    annotations = pod(bodies)["metadata"]["annotations"]
    assert annotations == {"prometheus.io/scrape": "false", "prometheus.io/port": "8080", "a": "b"}
    assert only["args"] == ["run", "--dry-run"]
    assert {"HTTPS_PROXY", "WHISPER_OPERATOR_LOG_LEVEL"} < set(env(bodies))
    assert env(bodies)["WHISPER_OPERATOR_SERVICE_CLASS"] == "canary"
    assert [one["name"] for one in spec["volumes"]] == ["tmp", "ca"]
    assert [one["name"] for one in only["volumeMounts"]] == ["tmp", "ca"]
    assert spec["topologySpreadConstraints"][0]["topologyKey"] == "zone"
    assert spec["dnsConfig"] == {"options": [{"name": "ndots", "value": "2"}]}
    assert spec["hostUsers"] is False
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsUser": 1000,
    }
    assert only["securityContext"]["privileged"] is False
    assert deployment(bodies)["spec"]["revisionHistoryLimit"] == 0
    assert (spec["runtimeClassName"], spec["terminationGracePeriodSeconds"]) == ("gvisor", 60)
    assert spec["hostAliases"][0]["hostnames"] == ["proxy"]
    assert spec["automountServiceAccountToken"] is False


def test_pods_in_the_nodes_network_have_ports_of_their_own_and_the_clusters_names(tmp_path: Path) -> None:
    assert not {"hostNetwork", "dnsPolicy"} & pod(template())["spec"].keys()
    bodies = rendered({"hostNetwork": True, "ports": {"metrics": 18080, "health": 18081}}, tmp_path)
    spec = pod(bodies)["spec"]
    assert (spec["hostNetwork"], spec["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")
    assert {one["name"]: one["containerPort"] for one in container(bodies)["ports"]} == {
        "metrics": 18080,
        "health": 18081,
    }
    ports = {name: value for name, value in env(bodies).items() if name.endswith("_PORT")}
    assert ports == {"WHISPER_OPERATOR_METRICS_PORT": "18080", "WHISPER_OPERATOR_HEALTH_PORT": "18081"}
    assert pod(bodies)["metadata"]["annotations"]["prometheus.io/port"] == "18080"
    assert pod(template("--set", "hostNetwork=true,dnsPolicy=Default"))["spec"]["dnsPolicy"] == "Default"


def test_probes_are_slower_where_the_platform_says_so(tmp_path: Path) -> None:
    probe = {"periodSeconds": 30, "timeoutSeconds": 5}
    only = container(rendered({"livenessProbe": probe, "readinessProbe": {"initialDelaySeconds": 3}}, tmp_path))
    request = {"path": "/healthz", "port": "health"}
    assert only["livenessProbe"] == {"httpGet": request, "failureThreshold": 6, **probe}
    assert only["readinessProbe"]["initialDelaySeconds"] == 3


class MetricsRequest(FakeRequest):
    text: ClassVar[bytes]

    def do_GET(self) -> None:
        self.answer(200, self.text)


def test_helm_test_asks_a_running_operator_for_its_metrics() -> None:
    """And belongs neither to its Service nor to its budget."""
    (found,) = of_kind(template(), "Pod")
    assert found["metadata"]["annotations"]["helm.sh/hook"] == "test"
    selector = deployment(template())["spec"]["selector"]["matchLabels"]
    assert not selector.items() <= found["metadata"]["labels"].items()
    (only,) = found["spec"]["containers"]
    script, url = only["args"]
    (metrics,) = of_kind(template(), "Service")
    assert url == f"http://{metrics['metadata']['name']}:{metrics['spec']['ports'][0]['port']}/metrics"
    for metrics_text, code in ((b"leader_election_master_status 0.0", 0), (b"of another program", 1)):
        with answering(MetricsRequest, text=metrics_text) as address:
            assert subprocess.run([sys.executable, "-c", script, address], check=False).returncode == code


def test_a_network_policy_lets_the_operator_reach_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    assert of_kind(template(), "NetworkPolicy") == []
    prometheus = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    bodies = rendered({"networkPolicy": {"enabled": True, "metricsFrom": [prometheus]}}, tmp_path)
    (policy,) = of_kind(bodies, "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    (test,) = of_kind(bodies, "Pod")
    (rule,) = policy["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "metrics"}]
    assert rule["from"][0] == prometheus
    assert rule["from"][1]["podSelector"]["matchLabels"].items() <= test["metadata"]["labels"].items()
    out = [{(one["protocol"], one["port"]) for one in rule["ports"]} for rule in policy["spec"]["egress"]]
    dns = {(protocol, port) for protocol in ("UDP", "TCP") for port in (53, 5353)}
    assert out == [{("TCP", 443), ("TCP", 6443)}, dns, {("TCP", 9000)}]


def test_a_service_monitor_and_runbooks_of_ones_own(tmp_path: Path) -> None:
    relabeling = {"targetLabel": "cluster", "replacement": "one"}
    monitoring = {
        "serviceMonitor": {"enabled": True, "scrapeTimeout": "5s", "metricRelabelings": [relabeling]},
        "alerts": {"enabled": True, "runbookUrl": "https://runbooks.example.com/"},
    }
    bodies = rendered({"monitoring": monitoring}, tmp_path)
    (endpoint,) = of_kind(bodies, "ServiceMonitor")[0]["spec"]["endpoints"]
    assert (endpoint["scrapeTimeout"], endpoint["metricRelabelings"]) == ("5s", [relabeling])
    first = of_kind(bodies, "PrometheusRule")[0]["spec"]["groups"][0]["rules"][0]
    assert first["annotations"]["runbook_url"] == "https://runbooks.example.com/WhisperOperatorNoLeader.md"


@pytest.mark.parametrize("enabled", [True, False])
def test_an_umbrella_chart_switches_it_on_and_off(tmp_path: Path, enabled: bool) -> None:
    dependency = {"name": "whisper-operator", "condition": "whisper-operator.enabled"}
    chart = umbrella(tmp_path, {"whisper-operator": {"enabled": enabled}}, dependency)
    assert [body["metadata"]["name"] for body in of_kind(of_umbrella(chart), "Deployment")] == (
        ["platform-whisper-operator"] if enabled else []
    )


@pytest.mark.parametrize("group", [None, ""])
def test_on_openshift_an_umbrella_chart_sets_no_group(tmp_path: Path, group: str | None) -> None:
    """Null by the user's values; the umbrella's own cannot say null, and have the empty text for it."""
    user = tmp_path / "user.yaml"
    user.write_text(yaml.safe_dump({"whisper-operator": {"fsGroup": group}}))
    chart = umbrella(tmp_path, {"whisper-operator": {"fsGroup": ""}}, {"name": "whisper-operator"})
    assert env(of_umbrella(chart))["WHISPER_OPERATOR_FS_GROUP"] == ""
    assert env(of_umbrella(chart, "--values", str(user)))["WHISPER_OPERATOR_FS_GROUP"] == ""


def test_an_umbrella_chart_holds_it_twice(tmp_path: Path) -> None:
    """Under two names, for two classes: no object and no pod belongs to both."""
    chart = umbrella(
        tmp_path,
        {"canary": {"serviceClass": "canary", "crds": {"install": False}}},
        {"name": "whisper-operator"},
        {"name": "whisper-operator", "alias": "canary"},
    )
    bodies = of_umbrella(chart)
    names = [(body["kind"], body["metadata"]["name"]) for body in bodies]
    assert len(names) == len(set(names))
    first, second = (body["spec"]["selector"]["matchLabels"] for body in of_kind(bodies, "Deployment"))
    assert first != second


def test_check_reads_the_installation_from_the_charts_manifests(tmp_path: Path) -> None:
    """With what the chart adds: a policy always lets in the runtime's own repository."""
    values = {"policy": {"serviceTypes": ["NodePort"]}, "runtimeImage": {"repository": "mirror.example.com/runtime"}}
    file = tmp_path / "operator.yaml"
    file.write_text(yaml.safe_dump_all(rendered(values, tmp_path)))
    found = read_installation(file)
    assert found.runtime_image.startswith("mirror.example.com/runtime")
    assert found.policy is not None
    assert found.policy.service_types == ("NodePort",)
    assert "mirror.example.com/runtime" in found.policy.image_repositories
