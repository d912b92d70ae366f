"""The installation's policy: what the authors of WhisperServices may ask for, as the chart's value `policy` sets it.

The defaults are the chart's. docs/explanation/tenancy.md says what each setting is equal to.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel

Pattern = Annotated[str, Field(pattern=r"^([-A-Za-z0-9_./:*]|\{namespace\})+$")]
"""* stands for any characters but @, {namespace} for the service's own."""
Patterns = Annotated[tuple[Pattern, ...], Field(strict=False)]


class Policy(ApiModel):
    exempt_namespaces: Patterns = ()
    """Namespaces in which every spec is accepted."""
    pod_template: Literal["Off", "Restricted", "Full"] = "Restricted"
    """Whether templates of pods may be patched: not at all, in what gives no power, or in everything."""
    image_repositories: Patterns = ()
    """Repositories of images, beside the runtime's own."""
    service_types: Patterns = ("ClusterIP",)
    node_ports: Patterns = ()
    """Ports on every node that a spec may choose: the firewall may let one pass that another program is to have."""
    load_balancer_classes: Patterns = ("*",)
    service_annotations: Patterns = ("cloud.google.com/backend-config", "konghq.com/*-timeout")
    """Names with a prefix; a name without one is for its author's own use, and free."""
    ingress_classes: Patterns = ("*",)
    ingress_annotations: Patterns = (
        "nginx.ingress.kubernetes.io/proxy-body-size",
        "nginx.ingress.kubernetes.io/proxy-buffering",
        "nginx.ingress.kubernetes.io/proxy-request-buffering",
        "nginx.ingress.kubernetes.io/proxy-*-timeout",
        "nginx.ingress.kubernetes.io/ssl-redirect",
        "nginx.ingress.kubernetes.io/force-ssl-redirect",
        "nginx.ingress.kubernetes.io/limit-rps",
        "nginx.ingress.kubernetes.io/limit-rpm",
        "nginx.ingress.kubernetes.io/limit-connections",
        "nginx.ingress.kubernetes.io/whitelist-source-range",
        "nginx.ingress.kubernetes.io/canary",
        "nginx.ingress.kubernetes.io/canary-weight*",
        "nginx.ingress.kubernetes.io/canary-by-header",
        "nginx.ingress.kubernetes.io/canary-by-header-value",
        "nginx.ingress.kubernetes.io/canary-by-cookie",
        "nginx.org/client-max-body-size",
        "nginx.org/proxy-*-timeout",
        "haproxy.org/timeout-*",
        "haproxy-ingress.github.io/proxy-body-size",
        "haproxy-ingress.github.io/timeout-*",
        "haproxy.router.openshift.io/timeout",
        "alb.ingress.kubernetes.io/healthcheck-path",
        "projectcontour.io/response-timeout",
        "appgw.ingress.kubernetes.io/request-timeout",
        "appgw.ingress.kubernetes.io/health-probe-path",
    )
    """Names with a prefix, as `service_annotations`."""
    plain_paths: bool = True
    """Whether paths of Ingresses and HTTPRoutes are limited to letters, digits and - . _ ~ % /, and values of those
    annotations that nginx and HAProxy read to these, spaces and : , = + @ : no controller reads them as code."""
    path_types: Patterns = ("Prefix", "Exact")
    """Types of paths: of another one, the operator does not know which paths of others it takes."""
    hosts: Patterns = ("*",)
    """Hosts of Ingresses and HTTPRoutes."""
    wildcard_hosts: bool = False
    """Whether a host may be a wildcard, or absent, which stands for all."""
    shared_hosts: Patterns = ()
    """Hosts of which namespaces may have different paths, one below the other's included."""
    cluster_issuers: Patterns = ("letsencrypt*",)
    issuers: Patterns = ("Issuer.cert-manager.io/letsencrypt*",)
    """Kind.group/name of other issuers."""
    gateways: Patterns = ("{namespace}/*",)
    """Namespace/name of Gateways."""
    route_filters: Patterns = ("RequestHeaderModifier", "RequestRedirect", "URLRewrite")
    """Types of filters: others send requests to other Services, set cookies of other hosts, or are any controller's."""
    route_annotations: Patterns = ()
    """Names with a prefix, as `service_annotations`."""
    object_annotations: Patterns = ()
    """Names with a prefix, as `service_annotations`, of every object: Services and Ingresses among them."""
    denied_labels: Patterns = ("app", "k8s-app", "run", "io.cilium/*", "*kubernetes.io/*", "*k8s.io/*")
    """Labels of Services, Ingresses, HTTPRoutes, claims and all other objects by which others select them."""
    denied_relabel_targets: Patterns = (
        "__*",
        "cluster",
        "container",
        "endpoint",
        "exported_*",
        "instance",
        "job",
        "namespace",
        "node",
        "pod",
        "service",
        "whisperservice",
    )
    """Labels that relabelings may not set: the address that is scraped, and what tells whose a series is."""
    env: Patterns = (
        "TZ",
        "LANG",
        "LC_*",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OMP_WAIT_POLICY",
        "GOMP_SPINCOUNT",
        "PYTORCH_CUDA_ALLOC_CONF",
    )
    """Names of environment variables: others make programs load code, or name devices."""
    secrets: Patterns = ("*",)
    """Names of Secrets for API keys, pull credentials, certificates, sources and the URL of a shared store."""
    source_urls: Patterns = ("*",)
    """URLs of models, of mirrors and of buckets."""
    denied_source_urls: Patterns = (
        "*://169.254.*",
        "*://metadata.google.internal*",
        "*://2852039166*",
        "*://0x*",
        "*://025*",
    )
    """URLs at which clouds tell nodes who they are, in each spelling of 169.254.169.254."""
    credential_urls: Patterns = ("s3://*",)
    """URLs of models that are sent the Secret of `spec.model.source.secretRef`; s3 is only sent a signature by it."""
    audio_url_hosts: Patterns = ("*",)
    """Hosts that clients' recordings may be fetched from, as `spec.server.audioUrls.allowedHosts` has them."""
    audio_url_networks: Patterns = ()
    """Networks that are not public and may have such a host."""
    webhook_hosts: Patterns = ("*",)
    """Hosts that events of jobs may be sent to, as `spec.jobs.webhooks.allowedHosts` has them."""
    webhook_networks: Patterns = ()
    """Networks that are not public and may have such a host."""
    claims: Patterns = ("*model*", "*whisper*")
    """Names of existing claims that are mounted."""
    claim_annotations: Patterns = ("velero.io/*", "backup.velero.io/*", "k8up.io/*")
    """Names with a prefix, as `service_annotations`: others fill a claim, or bind it to a volume."""
    gpu_resources: Patterns = ("nvidia.com/*", "amd.com/gpu*", "gpu.intel.com/*")
    """Extended resources: others give devices of the node."""
    gpu_claim_templates: Patterns = ("*gpu*", "*whisper*")
    """Names of ResourceClaimTemplates by which pods claim a GPU: others give other devices of the node."""
    runtime_classes: Patterns = ("nvidia*",)
    denied_priority_classes: Patterns = ("system-*",)
    denied_tolerations: Patterns = ("node-role.kubernetes.io/*",)
    """Keys of taints; where there is one, tolerating every taint is refused, too."""
    pod_annotations: Patterns = (
        "prometheus.io/*",
        "sidecar.istio.io/inject",
        "linkerd.io/inject",
        "kubectl.kubernetes.io/restartedAt",
    )
    """Names with a prefix, as `service_annotations`."""
    denied_pod_labels: Patterns = (
        "app",
        "k8s-app",
        "run",
        "aadpodidbinding",
        "azure.workload.identity/*",
        "istio",
        "security.istio.io/*",
        "*kubernetes.io/*",
        "*k8s.io/*",
    )
    """Labels by which others' Services and NetworkPolicies may select pods, and clouds give them an identity."""
    service_accounts: Patterns = ()
    """Names of accounts beside the one that the operator makes for each service."""
    service_account_annotations: Patterns = ()
    """Names with a prefix, as `service_annotations`."""
    prometheus_addresses: Patterns = ("http://prometheus*", "https://prometheus*")
    """URLs that KEDA asks in the tenant's name."""
    keda_triggers: Patterns = ("cron", "cpu", "memory")
    """Types of KEDA's triggers: others send requests from KEDA's pods, some with an identity of its own."""
    keda_authentications: Patterns = ()
    """Kind/name of the objects that give triggers their credentials."""

    def binds(self, namespace: str) -> bool:
        return not any_matches(self.exempt_namespaces, namespace)

    def shares(self, host: str, namespace: str) -> bool:
        """Whether that namespace may have a path of a host of which another has an overlapping one."""
        return not self.binds(namespace) or any_matches(self.shared_hosts, host, namespace)

    def allows(self, setting: str, value: str, namespace: str, *, after: str = "") -> bool:
        """Whether a pattern of that setting matches `value`; `after`: a regular expression of what may follow it."""
        return any_matches(self.patterns(setting), value, namespace, after)

    def patterns(self, setting: str) -> tuple[str, ...]:
        """The patterns of a setting by its name in the chart; raises TypeError for one that has none."""
        found = self.value(setting)
        if not isinstance(found, tuple):
            raise TypeError(f"{setting} has no patterns")
        return found

    def value(self, setting: str) -> tuple[str, ...] | str | bool:
        """The value of a setting by its name in the chart."""
        return getattr(self, FIELDS[setting])


FIELDS = {field.alias or name: name for name, field in Policy.model_fields.items()}
"""Attribute by the setting's name in the chart."""


def any_matches(patterns: tuple[str, ...], value: str, namespace: str = "", after: str = "") -> bool:
    return any(_compiled(pattern, namespace, after).fullmatch(value) for pattern in patterns)


@lru_cache(4096)
def _compiled(pattern: str, namespace: str, after: str) -> re.Pattern[str]:
    return re.compile(regex(pattern, namespace) + after)


def regex(pattern: str, namespace: str) -> str:
    """The regular expression of a pattern; the admission policy computes the same in CEL."""
    return pattern.replace("{namespace}", namespace).replace(".", "[.]").replace("*", "[^@]*")
