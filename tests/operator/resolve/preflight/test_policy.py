"""What a spec asks for and its author may not have is found by its field, under the policy that the chart sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART
from tests.support.hostile.schema import SCHEMA, resolved
from tests.support.services import service
from tests.support.tenancy import ATTEMPTS, HARMLESS, Attempt
from whisper_operator.api.crd import Schema
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight.policy import RULES, violations
from whisper_operator.resolve.preflight.policy_rules import Special

GATEWAY = {"parentRefs": [{"name": "own"}], "hostnames": ["a.example.com"]}


def found(spec: Manifest, policy: Policy | None = None, namespace: str = "team") -> list[str]:
    return violations(service("speech", **spec)["spec"], "speech", namespace, policy or Policy())


def fetched(url: str, **more: str) -> Manifest:
    """A spec whose model comes from there, with credentials."""
    return {"model": {"name": "m", "source": {"url": url, "secretRef": {"name": "t"}, **more}}}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt[0])
def test_an_attempt_is_found_by_its_field(attempt: Attempt) -> None:
    field, spec = attempt
    (sentence,) = found(spec)
    assert sentence.startswith(field)
    assert ": not allowed by policy." in sentence


@pytest.mark.parametrize("spec", HARMLESS, ids=str)
def test_what_gives_no_power_is_allowed(spec: dict[str, Any]) -> None:
    assert found(spec) == []


@pytest.mark.parametrize("spec", [spec for _, spec in ATTEMPTS], ids=str)
def test_an_exempt_namespace_may_do_all(spec: dict[str, Any]) -> None:
    assert found(spec, Policy(exempt_namespaces=("platform", "te*"))) == []


@pytest.mark.parametrize("part", ["prefetch", "verification"])
def test_the_templates_of_jobs_are_judged_as_well(part: str) -> None:
    (sentence,) = found({part: {"podTemplate": {"spec": {"hostPID": True}}}})
    assert sentence.startswith(f"spec.{part}.podTemplate.spec.hostPID true: not allowed by policy.podTemplate")


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec.serviceAccount.name 'powerful'", {"serviceAccount": {"name": "powerful"}}),
        ("spec.serviceAccount.annotations 'eks.amazonaws.com/role-arn'",
         {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "admin"}}}),
        ("spec.podMetadata.annotations 'iam.amazonaws.com/role'",
         {"podMetadata": {"annotations": {"iam.amazonaws.com/role": "admin"}}}),
        ("spec.podMetadata.labels 'app'", {"podMetadata": {"labels": {"app": "payments"}}}),
        ("spec.objectMetadata.labels 'app'", {"objectMetadata": {"labels": {"app": "payments"}}}),
        ("spec.objectMetadata.annotations 'external-dns.alpha.kubernetes.io/hostname'",
         {"objectMetadata": {"annotations": {"external-dns.alpha.kubernetes.io/hostname": "login.example.com"}}}),
    ],
)  # fmt: skip
def test_the_account_and_the_metadata_of_all_pods_and_objects_are_limited(field: str, spec: dict[str, Any]) -> None:
    (sentence,) = found(spec)
    assert sentence.startswith(field)


@pytest.mark.parametrize(
    ("policy", "spec"),
    [
        ({"podTemplate": "Full"}, {"podTemplate": {"spec": {"hostPID": True, "containers": [{"name": "a"}]}}}),
        ({"imageRepositories": ["registry.example.com/*"]},
         {"image": {"repository": "registry.example.com/whisper-runtime", "tag": "1"}}),
        ({"imageRepositories": ["envoyproxy/envoy"]},
         {"podTemplate": {"spec": {"containers": [{"name": "proxy", "image": "envoyproxy/envoy:v1"}]}}}),
        ({"serviceTypes": ["LoadBalancer"]}, {"service": {"type": "LoadBalancer"}}),
        ({"wildcardHosts": True}, {"ingress": {}, "gateway": {"parentRefs": [{"name": "own"}]}}),
        ({"serviceTypes": ["NodePort"], "nodePorts": ["300*"]}, {"service": {"type": "NodePort", "nodePort": 30080}}),
        ({"pathTypes": ["*"]}, {"ingress": {"host": "a.example.com", "pathType": "ImplementationSpecific"}}),
        ({"issuers": ["*.example.com/*"]},
         {"ingress": {"host": "a.io", "tls": {"issuerRef": {"name": "a", "kind": "B", "group": "example.com"}}}}),
        ({"routeFilters": ["ExtensionRef"]},
         {"gateway": {**GATEWAY, "filters": [{"type": "ExtensionRef", "extensionRef": {}}]}}),
        ({"deniedRelabelTargets": []}, {"monitoring": {"serviceMonitor": {"relabelings": [{"action": "labelmap"}]}}}),
        ({}, {"model": {"name": "m", "source": {"urlSecretKeyRef": {"name": "presigned", "key": "url"}}}}),
        ({"sourceUrls": ["s3://*", "https://minio.*"]},
         {"model": {"name": "m", "source": {"url": "s3://models/a.pt", "endpoint": "https://minio.example.com"}}}),
        ({"gateways": ["gateways/public"]},
         {"gateway": {"parentRefs": [{"name": "public", "namespace": "gateways"}], "hostnames": ["a.example.com"]}}),
        ({"credentialUrls": ["https://models.example.com/*"]}, fetched("https://models.example.com/m.pt")),
        ({}, {"server": {"audioUrls": {"allowedHosts": ["files.example.com", "*.cdn.example.com"]}}}),
        ({}, {"jobs": {"webhooks": {"allowedHosts": ["hooks.example.com"], "secretRef": {"name": "hooks"}}}}),
        ({"webhookNetworks": ["10.30.*"]},
         {"jobs": {"webhooks": {"allowedHosts": ["http://api:80"], "privateNetworks": ["10.30.0.0/16"],
                                "secretRef": {"name": "hooks"}}}}),
        ({"audioUrlNetworks": ["10.20.*"]},
         {"server": {"audioUrls": {"allowedHosts": ["http://minio:9000"], "privateNetworks": ["10.20.0.0/16"]}}}),
        ({"credentialUrls": ["hf://team/*"]}, fetched("hf://team/m@main")),
        ({"credentialUrls": ["https://hub.example.com"]}, fetched("hf://o/m@main", endpoint="https://hub.example.com")),
        ({"credentialUrls": ["oci://r.io/team/*"]}, fetched(f"oci://r.io/team/m:v1@sha256:{'a' * 64}")),
        ({"credentialUrls": ["https://r.example.com"]}, fetched("oci://r.io/m:v1", endpoint="https://r.example.com")),
        ({"sourceUrls": ["oci://r.io/team/*"]},
         {"model": {"name": "m", "source": {"url": f"oci://r.io/team/m:v1@sha256:{'a' * 64}"}}}),
        ({"hosts": ["*.{namespace}.example.com"]}, {"ingress": {"host": "speech.team.example.com"}}),
        ({"kedaTriggers": ["kafka"], "kedaAuthentications": ["TriggerAuthentication/whisper-*"]},
         {"autoscaling": {"keda": {"triggers": [{"name": "a", "type": "kafka", "metadata": {},
                                                 "authenticationRef": {"name": "whisper-kafka"}}]}}}),
        ({"deniedTolerations": []}, {"scheduling": {"tolerations": [{"operator": "Exists"}]}}),
    ],
)  # fmt: skip
def test_a_setting_allows_what_it_names(policy: dict[str, Any], spec: dict[str, Any]) -> None:
    assert found(spec, Policy.model_validate(policy)) == []


@pytest.mark.parametrize(
    ("policy", "spec", "says"),
    [
        ({"podTemplate": "Off"}, {"podTemplate": {"metadata": {"labels": {"team": "a"}}}},
         "spec.podTemplate: not allowed by policy.podTemplate of the operator's installation (Off)"),
        ({"hosts": ["*.{namespace}.example.com"]}, {"ingress": {"host": "speech.other.example.com"}},
         "spec.ingress.host 'speech.other.example.com': not allowed by policy.hosts"),
        ({"credentialUrls": ["https://models.example.com/*"]}, fetched("https://models.example.com@evil.net/m"),
         "spec.model.source.secretRef.name 't' for 'https://models.example.com@evil.net/m': not allowed"),
        ({"sourceUrls": ["hf://team/*"]}, {"model": {"name": "m", "source": {"url": "hf://other/m@main"}}},
         "spec.model.source.url 'hf://other/m@main': not allowed by policy.sourceUrls"),
        ({"credentialUrls": ["hf://team/*"]}, fetched("hf://other/team@main"),
         "spec.model.source.secretRef.name 't' for 'hf://other/team': not allowed by policy.credentialUrls"),
        ({"credentialUrls": ["hf://*"]}, fetched("hf://team/m@main", endpoint="https://evil.example.com"),
         "spec.model.source.secretRef.name 't' for 'https://evil.example.com': not allowed by policy.credentialUrls"),
        ({"credentialUrls": ["oci://r.io/*"]}, fetched("oci://r.io/m:v1", endpoint="https://evil.example.com"),
         "spec.model.source.secretRef.name 't' for 'https://evil.example.com': not allowed by policy.credentialUrls"),
        ({"credentialUrls": ["oci://r.io/team/*"]}, fetched("oci://r.io/other/m:v1@sha256:abc"),
         "spec.model.source.secretRef.name 't' for 'oci://r.io/other/m:v1': not allowed by policy.credentialUrls"),
        ({"sourceUrls": ["oci://r.io/team/*"]}, {"model": {"name": "m", "source": {"url": "oci://r.io.evil.net/team/m:v1"}}},
         "spec.model.source.url 'oci://r.io.evil.net/team/m:v1': not allowed by policy.sourceUrls"),
        ({"imageRepositories": ["registry.example.com/whisper"]},
         {"image": {"repository": "registry.example.com/whisper-evil"}},
         "spec.image.repository 'registry.example.com/whisper-evil': not allowed by policy.imageRepositories"),
        ({"secrets": ["speech-*"]}, {"auth": {"secretRef": {"name": "database-admin"}}},
         "spec.auth.secretRef.name 'database-admin': not allowed by policy.secrets of the operator's installation "
         "(speech-*); name one of these Secrets, or ask the operator's administrators to add it"),
        ({"secrets": ["speech-*"]}, {"redis": {"secretKeyRef": {"name": "database-admin", "key": "url"}}},
         "spec.redis.secretKeyRef.name 'database-admin': not allowed by policy.secrets"),
        ({"secrets": ["speech-*"]},
         {"redis": {"secretKeyRef": {"name": "speech-store", "key": "url"}},
          "jobs": {"storage": {"type": "S3", "s3": {"bucket": "a", "secretRef": {"name": "database-admin"}}}}},
         "spec.jobs.storage.s3.secretRef.name 'database-admin': not allowed by policy.secrets"),
        ({"serviceTypes": ["NodePort"]}, {"service": {"type": "NodePort", "nodePort": 30443}},
         "spec.service.nodePort 30443: not allowed by policy.nodePorts of the operator's installation (none)"),
        ({"loadBalancerClasses": ["internal"]}, {"service": {"loadBalancerClass": "public"}},
         "spec.service.loadBalancerClass 'public': not allowed by policy.loadBalancerClasses"),
        ({"hosts": ["*.{namespace}.example.com"]},
         {"ingress": {"host": "a.team.example.com", "additionalHosts": ["a.other.example.com"]}},
         "spec.ingress.additionalHosts[0] 'a.other.example.com': not allowed by policy.hosts"),
        ({"sourceUrls": ["https://models.example.com/*"]},
         {"model": {"name": "m", "source": {"urlSecretKeyRef": {"name": "presigned", "key": "url"}}}},
         "spec.model.source.urlSecretKeyRef.name 'presigned': not allowed by policy.sourceUrls of the operator's "
         "installation (https://models.example.com/*); write one of these into spec.model.source.url, for a Secret "
         "hides which it is"),
        ({"sourceUrls": ["s3://models/*"]},
         {"model": {"name": "m", "source": {"url": "s3://models/a.pt", "endpoint": "https://evil.example.com"}}},
         "spec.model.source.endpoint 'https://evil.example.com': not allowed by policy.sourceUrls"),
        ({}, {"server": {"audioUrls": {"allowedHosts": ["http://minio:9000"], "privateNetworks": ["10.20.0.0/16"]}}},
         "spec.server.audioUrls.privateNetworks[0] '10.20.0.0/16': not allowed by policy.audioUrlNetworks"),
        ({}, {"jobs": {"webhooks": {"allowedHosts": ["http://api:80"], "privateNetworks": ["10.30.0.0/16"],
                                    "secretRef": {"name": "hooks"}}}},
         "spec.jobs.webhooks.privateNetworks[0] '10.30.0.0/16': not allowed by policy.webhookNetworks"),
        ({"webhookHosts": ["*.example.com"]},
         {"jobs": {"webhooks": {"allowedHosts": ["hooks.example.org"], "secretRef": {"name": "hooks"}}}},
         "spec.jobs.webhooks.allowedHosts[0] 'hooks.example.org': not allowed by policy.webhookHosts"),
        ({"secrets": ["speech-*"]},
         {"jobs": {"webhooks": {"allowedHosts": ["hooks.example.com"], "secretRef": {"name": "payroll"}}}},
         "spec.jobs.webhooks.secretRef.name 'payroll': not allowed by policy.secrets"),
        ({"audioUrlHosts": ["*.example.com"]},
         {"server": {"audioUrls": {"allowedHosts": ["files.example.com", "http://files.example.com:1"]}}},
         "spec.server.audioUrls.allowedHosts[1] 'http://files.example.com:1': not allowed by policy.audioUrlHosts"),
        ({"secrets": ["speech-*"]},
         {"model": {"name": "m", "source": {"urlSecretKeyRef": {"name": "payroll", "key": "url"}}}},
         "spec.model.source.urlSecretKeyRef.name 'payroll': not allowed by policy.secrets"),
        ({}, fetched("https://a.example.com/m?signature=x"),
         "for 'https://a.example.com/m': not allowed by policy.credentialUrls"),
    ],
)  # fmt: skip
def test_a_setting_refuses_what_it_does_not_name(policy: dict[str, Any], spec: dict[str, Any], says: str) -> None:
    assert says in ". ".join(found(spec, Policy.model_validate(policy)))


def test_an_issuer_writes_a_secret_of_the_services_own_name() -> None:
    spec = {"ingress": {"host": "a.example.com", "tls": {"clusterIssuer": "letsencrypt", "secretName": "speech-tls"}}}
    assert found(spec) == []
    assert violations(spec, "payroll", "team", Policy())[0].startswith("spec.ingress.tls.secretName 'speech-tls'")


def test_every_violation_is_told() -> None:
    spec = {"service": {"type": "NodePort"}, "podTemplate": {"spec": {"hostPID": True, "hostIPC": True}}}
    first, second = found(spec)
    assert first.startswith("spec.service.type 'NodePort'")
    assert second.startswith("spec.podTemplate.spec.hostPID true, spec.podTemplate.spec.hostIPC true: not allowed")


@pytest.mark.parametrize("template", ["x", [], {"spec": []}, {"spec": {"containers": [None, 1, {"name": 2}]}},
                                      {"spec": {"volumes": {"a": 1}}}, {"metadata": {"labels": []}}])  # fmt: skip
def test_a_template_of_another_shape_is_no_puzzle(template: Any) -> None:
    assert isinstance(found({"podTemplate": template}), list)


def test_the_charts_values_are_the_defaults() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())["policy"]
    assert values.pop("admission") is True
    assert Policy.model_validate(values) == Policy()


OWN = (
    "autoscaling.behavior", "autoscaling.keda.advanced", "autoscaling.keda.authModes",
    "autoscaling.keda.cooldownPeriod", "autoscaling.keda.fallback", "autoscaling.keda.onDemand",
    "autoscaling.keda.pollingInterval",
    "autoscaling.keda.triggers[].metricType", "autoscaling.keda.triggers[].name",
    "autoscaling.keda.triggers[].useCachedMetrics", "autoscaling.maxReplicas", "autoscaling.metrics",
    "autoscaling.minReplicas", "autoscaling.scaleToZeroAfter",
    "cache.accessMode", "cache.retention", "cache.size", "cache.storageClassName", "cache.type", "computeType",
    "device",
    "diarization.model.name", "diarization.model.source.region", "diarization.model.source.sha256",
    "diarization.model.source.urlSecretKeyRef.key", "disruption", "front", "gpu.count", "image.digest",
    "image.pullPolicy", "image.tag", "jobs", "language",
    "logging",
    "model.aliases", "model.name", "model.source.region", "model.source.sha256", "model.source.urlSecretKeyRef.key",
    "monitoring.alerts",
    "monitoring.serviceMonitor.interval", "monitoring.serviceMonitor.labels",
    "monitoring.serviceMonitor.scrapeTimeout", "networkPolicy", "paused", "prefetch.resources", "rateLimit",
    "redis.secretKeyRef.key", "replicas", "resources", "resultCache", "rollout",
    "gateway.timeouts", "service.externalTrafficPolicy", "service.ipFamilies", "service.ipFamilyPolicy",
    "service.loadBalancerSourceRanges",
    "scheduling.affinity", "scheduling.nodeSelector", "scheduling.topologySpreadConstraints",
    "server.conditionOnPreviousText", "server.cors", "server.ui", "server.env[].value", "server.maxAudioDuration",
    "server.maxBatchSize", "server.maxQueuedAudio", "server.maxUploadSize", "server.requestTimeout",
    "server.trustedProxies", "service.port", "serviceAccount.create", "suspend", "verification.enabled",
    "verification.expect", "verification.resources",
    # Names of ConfigMaps, for which the API server asks.
    "diarization.model.source.caConfigMapKeyRef",
    "model.source.caConfigMapKeyRef", "prefetch.caConfigMapKeyRef", "redis.caConfigMapKeyRef", "verification.audio",
)  # fmt: skip
"""Fields that reach nothing beyond the service's own pods, with all below them."""
LIMITED_OTHERWISE = (
    "podTemplate",
    "prefetch.podTemplate",
    "verification.podTemplate",
    "gateway.filters",
    "gateway.matches",
    "gateway.parentRefs",
    "gateway.path",
    "ingress.additionalPaths[].path",
    "ingress.path",
    "ingress.tls.issuerRef",
    "monitoring.serviceMonitor.metricRelabelings",
    "monitoring.serviceMonitor.relabelings",
    "service.nodePort",
    "scheduling.tolerations",
    "server.env[].valueFrom",
    "autoscaling.keda.authenticationRef",
    "autoscaling.keda.triggers[].authenticationRef",
    "autoscaling.keda.triggers[].metadata",
)


def fields(schema: Schema, path: str = "") -> Iterator[str]:
    """The paths of the spec's leaves."""
    schema = resolved(schema)
    if "properties" in schema:
        for name, part in schema["properties"].items():
            yield from fields(part, f"{path}.{name}".lstrip("."))
    elif "items" in schema:
        yield from fields(schema["items"], f"{path}[]")
    else:
        yield path


def test_of_every_field_of_the_api_it_is_decided_what_it_reaches() -> None:
    """A new field either has a rule, or is listed as harmless; docs/explanation/tenancy.md says why."""
    ruled = {rule.path.removeprefix("spec.").rstrip("{}") for rule in RULES if not isinstance(rule, Special)}
    decided = (*OWN, *LIMITED_OTHERWISE, *ruled)
    undecided = [path for path in fields(SCHEMA) if not any(is_below(path, one) for one in decided)]
    assert undecided == []


def is_below(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))
