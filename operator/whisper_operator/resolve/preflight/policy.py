"""The installation's policy on a spec: what its author may not ask for. Pure.

One line of RULES for each field by which an author could reach what is not theirs; docs/explanation/tenancy.md goes
through all fields. The templates of pods have rules of their own in policy_pods.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight import policy_pods
from whisper_operator.resolve.preflight.policy_rules import (
    TAG_OR_DIGEST,
    Allowed,
    Denied,
    PolicyRule,
    Special,
    Subject,
    offences,
    shown,
    values_at,
)

PLAIN_PATH: Final = "^[-A-Za-z0-9._~%/]*$"
WAYS_TO_POD_FIELDS: Final = ("fieldRef", "resourceFieldRef")


def violations(spec: Manifest, name: str, namespace: str, policy: Policy) -> list[str]:
    """A sentence for each setting of `policy` that `spec` (as it is stored) violates; `name`: the service's."""
    if not policy.binds(namespace):
        return []
    subject = Subject(spec, name, namespace, policy)
    return [
        sentence(found, rule.setting, limit(policy, rule.setting), rule.remedy)
        for rule in (*RULES, policy_pods.RULE)
        if (found := offences(rule, subject))
    ]


def sentence(found: list[str], setting: str, allowed: str, remedy: str) -> str:
    return f"{', '.join(found)}: not allowed by policy.{setting} of the operator's installation ({allowed}); {remedy}"


def limit(policy: Policy, setting: str) -> str:
    """The setting's value as messages show it."""
    value = policy.value(setting)
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return value if isinstance(value, str) else shown(value)


def _host_for_all(subject: Subject) -> Iterator[str]:
    if subject.policy.wildcard_hosts:
        return
    ingress, gateway = subject.spec.get("ingress"), subject.spec.get("gateway")
    if ingress is not None and not ingress.get("host"):
        yield "spec.ingress.host ''"
    elif ingress is not None and "*" in ingress["host"]:
        yield f"spec.ingress.host {shown(ingress['host'])}"
    if gateway is not None and not gateway.get("hostnames"):
        yield "spec.gateway.hostnames ''"
    for path, host in values_at({"spec": subject.spec}, "spec.gateway.hostnames[]"):
        if "*" in host:
            yield f"{path} {shown(host)}"


def _paths(subject: Subject) -> Iterator[str]:
    for path, value in values_at({"spec": subject.spec}, "spec.ingress.path"):
        if subject.policy.plain_paths and not re.match(PLAIN_PATH, value):
            yield f"{path} {shown(value)}"


def _overwritten_certificates(subject: Subject) -> Iterator[str]:
    for path, value in values_at({"spec": subject.spec}, "spec.ingress.tls.secretName"):
        if subject.spec["ingress"]["tls"].get("clusterIssuer") and not value.startswith(f"{subject.name}-"):
            yield f"{path} {shown(value)}"


def _gateways(subject: Subject) -> Iterator[str]:
    for path, ref in values_at({"spec": subject.spec}, "spec.gateway.parentRefs[]"):
        gateway = f"{ref.get('namespace', subject.namespace)}/{ref.get('name', '')}"
        if ref.get("kind", "Gateway") != "Gateway" or ref.get("group", GATEWAY_GROUP) != GATEWAY_GROUP:
            yield f"{path} '{ref.get('kind', '')} {gateway}'"
        elif not subject.allows("gateways", gateway):
            yield f"{path} {shown(gateway)}"


def _references_of_env(subject: Subject) -> Iterator[str]:
    for path, source in values_at({"spec": subject.spec}, "spec.server.env[].valueFrom"):
        for key in source:
            if key not in WAYS_TO_POD_FIELDS:
                yield f"{path}.{key}"


def _credentials(subject: Subject) -> Iterator[str]:
    source: Any = subject.spec.get("model", {}).get("source") or {}
    if source.get("secretRef") and not subject.allows("credentialUrls", source.get("url", "")):
        name = shown(source["secretRef"].get("name", ""))
        yield f"spec.model.source.secretRef.name {name} for {shown(source['url'])}"


def _source_claim(subject: Subject) -> Iterator[str]:
    for path, url in values_at({"spec": subject.spec}, "spec.model.source.url"):
        if url.startswith("pvc://") and not subject.allows("claims", url.split("/")[2]):
            yield f"{path} {shown(url)}"


def _tolerations(subject: Subject) -> Iterator[str]:
    for path, one in values_at({"spec": subject.spec}, "spec.scheduling.tolerations[]"):
        key = str(one.get("key") or "")
        if subject.policy.denied_tolerations and (not key or subject.allows("deniedTolerations", key)):
            yield f"{path}.key {shown(key)}"


def _authentications(subject: Subject) -> Iterator[str]:
    keda = "spec.autoscaling.keda"
    for place in (f"{keda}.authenticationRef", f"{keda}.triggers[].authenticationRef"):
        for path, ref in values_at({"spec": subject.spec}, place):
            authentication = f"{ref.get('kind', 'TriggerAuthentication')}/{ref.get('name', '')}"
            if not subject.allows("kedaAuthentications", authentication):
                yield f"{path} {shown(authentication)}"


def _cel_of_authentication(references: str, field: str) -> str:
    """The same in CEL, for a list of references at `field`."""
    name = "ref.?kind.orValue('TriggerAuthentication') + '/' + ref.name"
    return (
        f"{references}.filter(ref, !variables.kedaAuthentications_re.exists(p, ({name}).matches('^' + p + '$')))"
        f".map(ref, \"{field} '\" + {name} + \"', \").join('')"
    )


GATEWAY_GROUP: Final = "gateway.networking.k8s.io"
_ASK: Final = "ask the operator's administrators to add it"
RULES: Final[tuple[PolicyRule, ...]] = (
    Allowed("spec.image.repository", "imageRepositories", f"remove the field, or {_ASK}", TAG_OR_DIGEST),
    Allowed("spec.service.type", "serviceTypes", f"remove the field, use spec.ingress, or {_ASK}"),
    Allowed("spec.service.annotations{}", "serviceAnnotations", f"remove the annotation, or {_ASK}"),
    Allowed("spec.ingress.className", "ingressClasses", f"name one of these, or {_ASK}"),
    Allowed("spec.ingress.annotations{}", "ingressAnnotations", f"remove the annotation, or {_ASK}"),
    Allowed("spec.ingress.host", "hosts", f"choose another host, or {_ASK}"),
    Allowed("spec.gateway.hostnames[]", "hosts", f"choose another host, or {_ASK}"),
    Special(
        "wildcardHosts",
        "name each host in full",
        "variables.wildcardHosts ? '' : (has(variables.spec.ingress) ? (variables.spec.ingress.?host.orValue('') == ''"
        " || variables.spec.ingress.host.contains('*') ? \"spec.ingress.host '\" +"
        " variables.spec.ingress.?host.orValue('') + \"', \" : '') : '') + (has(variables.spec.gateway) ?"
        " (variables.spec.gateway.?hostnames.orValue([]).size() == 0 ? \"spec.gateway.hostnames '', \" :"
        " variables.spec.gateway.hostnames.filter(host, host.contains('*')).map(host,"
        " \"spec.gateway.hostnames '\" + host + \"', \").join('')) : '')",
        _host_for_all,
    ),
    Special(
        "plainPaths",
        "use letters, digits and - . _ ~ % / alone",
        f"!variables.plainPaths || variables.spec.?ingress.?path.orValue('').matches('{PLAIN_PATH}') ? '' :"
        ' "spec.ingress.path \'" + variables.spec.ingress.path + "\', "',
        _paths,
    ),
    Allowed("spec.ingress.tls.clusterIssuer", "clusterIssuers", f"name one of these, or {_ASK}"),
    Special(
        "clusterIssuers",
        "the issuer writes that Secret: remove secretName, or let it begin with the service's name and a hyphen",
        "has(variables.spec.ingress) && has(variables.spec.ingress.tls) &&"
        " has(variables.spec.ingress.tls.clusterIssuer) && has(variables.spec.ingress.tls.secretName) &&"
        " !variables.spec.ingress.tls.secretName.startsWith(object.metadata.name + '-') ?"
        " \"spec.ingress.tls.secretName '\" + variables.spec.ingress.tls.secretName + \"', \" : ''",
        _overwritten_certificates,
    ),
    Special(
        "gateways",
        f"attach to one of these Gateways (namespace/name), or {_ASK}",
        "variables.spec.?gateway.?parentRefs.orValue([]).filter(ref,"
        f" ref.?kind.orValue('Gateway') != 'Gateway' || ref.?group.orValue('{GATEWAY_GROUP}') != '{GATEWAY_GROUP}' ||"
        " !variables.gateways_re.exists(p, (ref.?namespace.orValue(request.namespace) + '/' +"
        " ref.?name.orValue('')).matches('^' + p + '$'))).map(ref, \"spec.gateway.parentRefs '\" +"
        " ref.?kind.orValue('Gateway') + ' ' + ref.?namespace.orValue(request.namespace) + '/' +"
        " ref.?name.orValue('') + \"', \").join('')",
        _gateways,
    ),
    Allowed("spec.server.env[].name", "env", f"remove the variable, or {_ASK}"),
    Special(
        "env",
        "take a value from fieldRef or resourceFieldRef alone, or write it into value",
        "variables.spec.?server.?env.orValue([]).map(one, one.?valueFrom.orValue({}).filter(key,"
        f" !(key in {list(WAYS_TO_POD_FIELDS)})).map(key, 'spec.server.env[].valueFrom.' + key + ', ')"
        ".join('')).join('')",
        _references_of_env,
    ),
    Allowed("spec.auth.secretRef.name", "secrets", f"name one of these Secrets, or {_ASK}"),
    Allowed("spec.image.pullSecrets[].name", "secrets", f"name one of these Secrets, or {_ASK}"),
    Allowed("spec.ingress.tls.secretName", "secrets", f"name one of these Secrets, or {_ASK}"),
    Allowed("spec.model.source.secretRef.name", "secrets", f"name one of these Secrets, or {_ASK}"),
    Special(
        "credentialUrls",
        f"remove secretRef, or {_ASK}: whoever answers at a URL reads the credentials that it is sent",
        "has(variables.spec.model.source) && has(variables.spec.model.source.secretRef) &&"
        " !variables.credentialUrls_re.exists(p, variables.spec.model.source.url.matches('^' + p + '$')) ?"
        ' "spec.model.source.secretRef.name \'" + variables.spec.model.source.secretRef.name + "\' for \'" +'
        " variables.spec.model.source.url.split('?')[0] + \"', \" : ''",
        _credentials,
    ),
    Allowed("spec.model.source.url", "sourceUrls", f"use one of these, or {_ASK}"),
    Allowed("spec.cache.existingClaim", "claims", f"use a claim of such a name, or {_ASK}"),
    Special(
        "claims",
        f"use a claim of such a name, or {_ASK}",
        "variables.spec.model.?source.?url.orValue('').startsWith('pvc://') && !variables.claims_re.exists(p,"
        " variables.spec.model.source.url.split('/')[2].matches('^' + p + '$')) ? \"spec.model.source.url '\" +"
        " variables.spec.model.source.url + \"', \" : ''",
        _source_claim,
    ),
    Allowed("spec.gpu.resourceName", "gpuResources", f"use one of these, or {_ASK}"),
    Allowed(
        "spec.gpu.claim.resourceClaimTemplateName",
        "gpuClaimTemplates",
        f"use a template of such a name, or {_ASK}",
    ),
    Allowed("spec.gpu.runtimeClassName", "runtimeClasses", f"use one of these, or {_ASK}"),
    Denied("spec.scheduling.priorityClassName", "deniedPriorityClasses", "name another class"),
    Special(
        "deniedTolerations",
        "name the key of a taint that is not denied",
        "variables.deniedTolerations.size() == 0 ? '' : variables.spec.?scheduling.?tolerations.orValue([]).filter("
        "one, one.?key.orValue('') == '' || variables.deniedTolerations_re.exists(p, one.key.matches('^' + p + '$')))"
        ".map(one, \"spec.scheduling.tolerations[].key '\" + one.?key.orValue('') + \"', \").join('')",
        _tolerations,
    ),
    Allowed("spec.autoscaling.keda.prometheusAddress", "prometheusAddresses", f"use one of these, or {_ASK}"),
    Allowed("spec.autoscaling.keda.triggers[].type", "kedaTriggers", f"use one of these, or {_ASK}"),
    Allowed(
        "spec.autoscaling.keda.triggers[].metadata.serverAddress",
        "prometheusAddresses",
        f"use one of these, or {_ASK}",
    ),
    Special(
        "kedaAuthentications",
        f"use one of these (kind/name), or {_ASK}",
        _cel_of_authentication(
            "(has(variables.spec.autoscaling) && has(variables.spec.autoscaling.keda) && "
            "has(variables.spec.autoscaling.keda.authenticationRef) ? "
            "[variables.spec.autoscaling.keda.authenticationRef] : [])",
            "spec.autoscaling.keda.authenticationRef",
        )
        + " + "
        + _cel_of_authentication(
            "variables.spec.?autoscaling.?keda.?triggers.orValue([]).filter(one, has(one.authenticationRef))"
            ".map(one, one.authenticationRef)",
            "spec.autoscaling.keda.triggers[].authenticationRef",
        ),
        _authentications,
    ),
    Allowed("spec.serviceAccount.name", "serviceAccounts", f"remove the field, or {_ASK}"),
    Allowed("spec.serviceAccount.annotations{}", "serviceAccountAnnotations", f"remove the annotation, or {_ASK}"),
    Allowed("spec.podMetadata.annotations{}", "podAnnotations", f"remove the annotation, or {_ASK}"),
    Denied("spec.podMetadata.labels{}", "deniedPodLabels", "choose another label"),
)
