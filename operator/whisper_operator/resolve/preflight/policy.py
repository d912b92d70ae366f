"""The installation's policy on a spec: what its author may not ask for. Pure.

One line of RULES for each field by which an author could reach what is not theirs; docs/explanation/tenancy.md goes
through all fields. Those about the network lie in policy_network.py, those about sources of checkpoints in
policy_sources.py, those about templates of pods in policy_pods.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight import policy_network, policy_pods, policy_sources
from whisper_operator.resolve.preflight.policy_rules import (
    ASK,
    TAG_OR_DIGEST,
    Allowed,
    Denied,
    PolicyRule,
    Special,
    Subject,
    is_about,
    offences,
    shown,
    values_at,
)

WAYS_TO_POD_FIELDS: Final = ("fieldRef", "resourceFieldRef")


def violations(spec: Manifest, name: str, namespace: str, policy: Policy) -> list[str]:
    """A sentence for each setting of `policy` that `spec` (as it is stored) violates; `name`: the service's."""
    if not policy.binds(namespace):
        return []
    subject = Subject(spec, name, namespace, policy)
    return [
        sentence(found, rule.setting, limit(policy, rule.setting), rule.remedy)
        for rule in (*RULES, *policy_pods.RULES)
        if is_about(rule, spec) and (found := offences(rule, subject))
    ]


def sentence(found: list[str], setting: str, allowed: str, remedy: str) -> str:
    return f"{', '.join(found)}: not allowed by policy.{setting} of the operator's installation ({allowed}); {remedy}"


def limit(policy: Policy, setting: str) -> str:
    """The setting's value as messages show it."""
    value = policy.value(setting)
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return value if isinstance(value, str) else shown(value)


def _references_of_env(subject: Subject) -> Iterator[str]:
    for path, source in values_at({"spec": subject.spec}, "spec.server.env[].valueFrom"):
        for key in source:
            if key not in WAYS_TO_POD_FIELDS:
                yield f"{path}.{key}"


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


RULES: Final[tuple[PolicyRule, ...]] = (
    Allowed("spec.image.repository", "imageRepositories", f"remove the field, or {ASK}", TAG_OR_DIGEST),
    *policy_network.RULES,
    Allowed("spec.server.env[].name", "env", f"remove the variable, or {ASK}"),
    Special(
        "env",
        "take a value from fieldRef or resourceFieldRef alone, or write it into value",
        "variables.spec.?server.?env.orValue([]).map(one, one.?valueFrom.orValue({}).filter(key,"
        f" !(key in {list(WAYS_TO_POD_FIELDS)})).map(key, 'spec.server.env[].valueFrom.' + key + ', ')"
        ".join('')).join('')",
        _references_of_env,
    ),
    Allowed("spec.server.audioUrls.allowedHosts[]", "audioUrlHosts", f"use one of these, or {ASK}"),
    Allowed("spec.server.audioUrls.privateNetworks[]", "audioUrlNetworks", f"remove the network, or {ASK}"),
    Allowed("spec.jobs.webhooks.allowedHosts[]", "webhookHosts", f"use one of these, or {ASK}"),
    Allowed("spec.jobs.webhooks.privateNetworks[]", "webhookNetworks", f"remove the network, or {ASK}"),
    Allowed("spec.jobs.webhooks.secretRef.name", "secrets", f"name one of these Secrets, or {ASK}"),
    Allowed("spec.auth.secretRef.name", "secrets", f"name one of these Secrets, or {ASK}"),
    Allowed("spec.image.pullSecrets[].name", "secrets", f"name one of these Secrets, or {ASK}"),
    Allowed("spec.jobs.storage.s3.secretRef.name", "secrets", f"name one of these Secrets, or {ASK}"),
    Allowed("spec.redis.secretKeyRef.name", "secrets", f"name one of these Secrets, or {ASK}"),
    Allowed("spec.ingress.tls.secretName", "secrets", f"name one of these Secrets, or {ASK}"),
    *policy_sources.RULES,
    Allowed("spec.jobs.storage.s3.endpoint", "sourceUrls", f"use one of these, or {ASK}"),
    Denied("spec.jobs.storage.s3.endpoint", "deniedSourceUrls", "use another host"),
    Allowed("spec.cache.annotations{}", "claimAnnotations", f"remove the annotation, or {ASK}"),
    Denied("spec.cache.labels{}", "deniedLabels", "choose another label"),
    Allowed("spec.cache.existingClaim", "claims", f"use a claim of such a name, or {ASK}"),
    Allowed("spec.jobs.storage.annotations{}", "claimAnnotations", f"remove the annotation, or {ASK}"),
    Denied("spec.jobs.storage.labels{}", "deniedLabels", "choose another label"),
    Allowed("spec.jobs.storage.existingClaim", "claims", f"use a claim of such a name, or {ASK}"),
    Allowed("spec.gpu.resourceName", "gpuResources", f"use one of these, or {ASK}"),
    Allowed(
        "spec.gpu.claim.resourceClaimTemplateName",
        "gpuClaimTemplates",
        f"use a template of such a name, or {ASK}",
    ),
    Allowed("spec.gpu.runtimeClassName", "runtimeClasses", f"use one of these, or {ASK}"),
    Denied("spec.scheduling.priorityClassName", "deniedPriorityClasses", "name another class"),
    Special(
        "deniedTolerations",
        "name the key of a taint that is not denied",
        "variables.deniedTolerations.size() == 0 ? '' : variables.spec.?scheduling.?tolerations.orValue([]).filter("
        "one, one.?key.orValue('') == '' || variables.deniedTolerations_re.exists(p, one.key.matches('^' + p + '$')))"
        ".map(one, \"spec.scheduling.tolerations[].key '\" + one.?key.orValue('') + \"', \").join('')",
        _tolerations,
    ),
    Allowed("spec.autoscaling.keda.prometheusAddress", "prometheusAddresses", f"use one of these, or {ASK}"),
    Allowed("spec.autoscaling.keda.triggers[].type", "kedaTriggers", f"use one of these, or {ASK}"),
    Allowed(
        "spec.autoscaling.keda.triggers[].metadata.serverAddress",
        "prometheusAddresses",
        f"use one of these, or {ASK}",
    ),
    Special(
        "kedaAuthentications",
        f"use one of these (kind/name), or {ASK}",
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
    Allowed("spec.serviceAccount.name", "serviceAccounts", f"remove the field, or {ASK}"),
    Allowed("spec.serviceAccount.annotations{}", "serviceAccountAnnotations", f"remove the annotation, or {ASK}"),
    Allowed("spec.podMetadata.annotations{}", "podAnnotations", f"remove the annotation, or {ASK}"),
    Denied("spec.podMetadata.labels{}", "deniedPodLabels", "choose another label"),
    Allowed("spec.objectMetadata.annotations{}", "objectAnnotations", f"remove the annotation, or {ASK}"),
    Denied("spec.objectMetadata.labels{}", "deniedLabels", "choose another label"),
)
