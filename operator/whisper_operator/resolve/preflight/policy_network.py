"""The installation's policy on the network: Services, Ingresses, HTTPRoutes and monitors. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, cast

from whisper_operator.objects.kinds import GATEWAY
from whisper_operator.resolve.preflight.policy_rules import (
    ASK,
    Allowed,
    Denied,
    PolicyRule,
    Special,
    Subject,
    shown,
    values_at,
)

PLAIN_PATH: Final = "^[-A-Za-z0-9._~%/]*$"
PLAIN_VALUE: Final = "^[-A-Za-z0-9._~%/:,=+@ ]*$"
WRITES_ITS_VALUES: Final = "^(nginx[.]|haproxy)[^/]*/"
"""Names of annotations whose values controllers write into a proxy's configuration, some releases as they are."""
MEANT_AS_CODE: Final = "snippet"
"""A part of the names of those whose values are to be code."""
PATHS: Final = (
    "spec.ingress.path",
    "spec.ingress.additionalPaths[].path",
    "spec.gateway.path",
    "spec.gateway.matches[].path.value",
)
HOSTS: Final = ("spec.ingress.host", "spec.ingress.additionalHosts[]", "spec.gateway.hostnames[]")
RELABELINGS: Final = (
    "spec.monitoring.serviceMonitor.relabelings[]",
    "spec.monitoring.serviceMonitor.metricRelabelings[]",
)


def _node_ports(subject: Subject) -> Iterator[str]:
    for path, port in values_at({"spec": subject.spec}, "spec.service.nodePort"):
        if not subject.allows("nodePorts", str(port)):
            yield f"{path} {shown(port)}"


def _host_for_all(subject: Subject) -> Iterator[str]:
    if subject.policy.wildcard_hosts:
        return
    ingress, gateway = subject.spec.get("ingress"), subject.spec.get("gateway")
    if ingress is not None and not ingress.get("host"):
        yield "spec.ingress.host ''"
    if gateway is not None and not gateway.get("hostnames"):
        yield "spec.gateway.hostnames ''"
    for path, host in _all_values(subject, HOSTS):
        if "*" in host:
            yield f"{path} {shown(host)}"


def _paths(subject: Subject) -> Iterator[str]:
    for path, value in _all_values(subject, PATHS):
        if subject.policy.plain_paths and not (isinstance(value, str) and re.match(PLAIN_PATH, value)):
            yield f"{path} {shown(value)}"


def _values_of_annotations(subject: Subject) -> Iterator[str]:
    if not subject.policy.plain_paths:
        return
    for _, given in values_at({"spec": subject.spec}, "spec.ingress.annotations"):
        for name, value in cast(dict[str, str], given).items():
            is_written = re.match(WRITES_ITS_VALUES, name) and MEANT_AS_CODE not in name
            if is_written and not re.fullmatch(PLAIN_VALUE, value):
                yield f"spec.ingress.annotations {shown(name)}"


def _issuers(subject: Subject) -> Iterator[str]:
    for path, ref in values_at({"spec": subject.spec}, "spec.ingress.tls.issuerRef"):
        issuer = f"{ref.get('kind', 'Issuer')}.{ref.get('group', 'cert-manager.io')}/{ref['name']}"
        if not subject.allows("issuers", issuer):
            yield f"{path} {shown(issuer)}"


def _overwritten_certificates(subject: Subject) -> Iterator[str]:
    for path, value in values_at({"spec": subject.spec}, "spec.ingress.tls.secretName"):
        tls = subject.spec["ingress"]["tls"]
        if (tls.get("clusterIssuer") or tls.get("issuerRef")) and not value.startswith(f"{subject.name}-"):
            yield f"{path} {shown(value)}"


def _gateways(subject: Subject) -> Iterator[str]:
    for path, ref in values_at({"spec": subject.spec}, "spec.gateway.parentRefs[]"):
        gateway = f"{ref.get('namespace', subject.namespace)}/{ref.get('name', '')}"
        if ref.get("kind", "Gateway") != "Gateway" or ref.get("group", GATEWAY.group) != GATEWAY.group:
            yield f"{path} '{ref.get('kind', '')} {gateway}'"
        elif not subject.allows("gateways", gateway):
            yield f"{path} {shown(gateway)}"


def _filters(subject: Subject) -> Iterator[str]:
    """Each filter's type and content: a Gateway may heed a content that is not of the type."""
    for path, one in values_at({"spec": subject.spec}, "spec.gateway.filters[]"):
        of = str(one.get("type", ""))
        if not subject.allows("routeFilters", of):
            yield f"{path}.type {shown(of)}"
        yield from (f"{path}.{key}" for key in one if key.lower() not in ("type", of.lower()))


def _relabelings(subject: Subject) -> Iterator[str]:
    if not subject.policy.denied_relabel_targets:
        return
    for path, one in _all_values(subject, RELABELINGS):
        if str(one.get("action", "")).lower() == "labelmap":
            yield f"{path}.action {shown(one['action'])}"
        target = str(one.get("targetLabel", ""))
        if "$" in target or subject.allows("deniedRelabelTargets", target):
            yield f"{path}.targetLabel {shown(target)}"


def _all_values(subject: Subject, paths: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for path in paths:
        yield from values_at({"spec": subject.spec}, path)


def _texts(paths: tuple[str, ...], condition: str) -> str:
    """In CEL: the fields at those paths, with their values, for which `condition` on `one` holds."""
    return " + ".join(
        f"{_list(path)}.filter(one, {condition}).map(one, \"{path} '\" + string(one) + \"', \").join('')"
        for path in paths
    )


def _list(path: str) -> str:
    """In CEL: the values at a path, which has at most one list in it."""
    chain, of_list, below = path.removeprefix("spec.").partition("[]")
    holder = "variables.spec" + _optional(chain)
    if not of_list:
        return f"({holder}.hasValue() ? [{holder}.value()] : [])"
    items = f"{holder}.orValue([])"
    return f"{items}.map(item, item{_optional(below.lstrip('.'))}.orValue(''))" if below else items


def _optional(chain: str) -> str:
    return "".join(f".?{name}" for name in chain.split("."))


def _matching(setting: str) -> str:
    """In CEL: whether a pattern of the setting matches `one`."""
    return f"variables.{setting}_re.exists(p, string(one).matches('^' + p + '$'))"


RULES: Final[tuple[PolicyRule, ...]] = (
    Allowed("spec.service.type", "serviceTypes", f"remove the field, use spec.ingress, or {ASK}"),
    Special(
        "nodePorts",
        f"remove the field, so that Kubernetes chooses a port, or {ASK}",
        _texts(("spec.service.nodePort",), f"!{_matching('nodePorts')}"),
        _node_ports,
    ),
    Allowed("spec.service.loadBalancerClass", "loadBalancerClasses", f"name one of these, or {ASK}"),
    Allowed("spec.service.annotations{}", "serviceAnnotations", f"remove the annotation, or {ASK}"),
    Denied("spec.service.labels{}", "deniedLabels", "choose another label"),
    Allowed("spec.ingress.className", "ingressClasses", f"name one of these, or {ASK}"),
    Allowed("spec.ingress.annotations{}", "ingressAnnotations", f"remove the annotation, or {ASK}"),
    Denied("spec.ingress.labels{}", "deniedLabels", "choose another label"),
    *(Allowed(path, "hosts", f"choose another host, or {ASK}") for path in HOSTS),
    Special(
        "wildcardHosts",
        "name each host in full",
        "variables.wildcardHosts ? '' : (has(variables.spec.ingress) &&"
        " variables.spec.ingress.?host.orValue('') == '' ? \"spec.ingress.host '', \" : '') +"
        " (has(variables.spec.gateway) && variables.spec.gateway.?hostnames.orValue([]).size() == 0 ?"
        " \"spec.gateway.hostnames '', \" : '') + " + _texts(HOSTS, "one.contains('*')"),
        _host_for_all,
    ),
    Special(
        "plainPaths",
        "use letters, digits and - . _ ~ % / alone",
        "variables.plainPaths ? " + _texts(PATHS, f"!string(one).matches('{PLAIN_PATH}')") + " : ''",
        _paths,
    ),
    Special(
        "plainPaths",
        "write letters, digits, spaces and - . _ ~ % / : , = + @ alone into that annotation",
        "variables.plainPaths ? variables.spec.?ingress.?annotations.orValue({}).filter(one,"
        f" one.matches('{WRITES_ITS_VALUES}') && !one.contains('{MEANT_AS_CODE}') &&"
        f" !variables.spec.ingress.annotations[one].matches('{PLAIN_VALUE}'))"
        ".map(one, \"spec.ingress.annotations '\" + one + \"', \").join('') : ''",
        _values_of_annotations,
    ),
    *(
        Allowed(path, "pathTypes", f"write one of these, or {ASK}")
        for path in ("spec.ingress.pathType", "spec.ingress.additionalPaths[].pathType")
    ),
    Allowed("spec.ingress.tls.clusterIssuer", "clusterIssuers", f"name one of these, or {ASK}"),
    Special(
        "issuers",
        f"name one of these (Kind.group/name), or {ASK}",
        "(variables.spec.?ingress.?tls.?issuerRef.hasValue() ? [variables.spec.ingress.tls.issuerRef] : []).map(ref,"
        " ref.?kind.orValue('Issuer') + '.' + ref.?group.orValue('cert-manager.io') + '/' + ref.name).filter(one,"
        " !variables.issuers_re.exists(p, one.matches('^' + p + '$'))).map(one,"
        " \"spec.ingress.tls.issuerRef '\" + one + \"', \").join('')",
        _issuers,
    ),
    Special(
        "clusterIssuers",
        "the issuer writes that Secret: remove secretName, or let it begin with the service's name and a hyphen",
        "has(variables.spec.ingress) && has(variables.spec.ingress.tls) &&"
        " (has(variables.spec.ingress.tls.clusterIssuer) || has(variables.spec.ingress.tls.issuerRef)) &&"
        " has(variables.spec.ingress.tls.secretName) &&"
        " !variables.spec.ingress.tls.secretName.startsWith(object.metadata.name + '-') ?"
        " \"spec.ingress.tls.secretName '\" + variables.spec.ingress.tls.secretName + \"', \" : ''",
        _overwritten_certificates,
    ),
    Special(
        "gateways",
        f"attach to one of these Gateways (namespace/name), or {ASK}",
        "variables.spec.?gateway.?parentRefs.orValue([]).filter(ref,"
        f" ref.?kind.orValue('Gateway') != 'Gateway' || ref.?group.orValue('{GATEWAY.group}') != '{GATEWAY.group}' ||"
        " !variables.gateways_re.exists(p, (ref.?namespace.orValue(request.namespace) + '/' +"
        " ref.?name.orValue('')).matches('^' + p + '$'))).map(ref, \"spec.gateway.parentRefs '\" +"
        " ref.?kind.orValue('Gateway') + ' ' + ref.?namespace.orValue(request.namespace) + '/' +"
        " ref.?name.orValue('') + \"', \").join('')",
        _gateways,
    ),
    Special(
        "routeFilters",
        f"use one of these types, with its own fields alone, or {ASK}",
        _texts(("spec.gateway.filters[].type",), f"!{_matching('routeFilters')}")
        + " + variables.spec.?gateway.?filters.orValue([]).map(one,"
        " one.filter(key, !(key.lowerAscii() in ['type', string(one.?type.orValue('')).lowerAscii()])).map(key,"
        " 'spec.gateway.filters[].' + key + ', ').join('')).join('')",
        _filters,
    ),
    Allowed("spec.gateway.annotations{}", "routeAnnotations", f"remove the annotation, or {ASK}"),
    Denied("spec.gateway.labels{}", "deniedLabels", "choose another label"),
    Special(
        "deniedRelabelTargets",
        "name the label to set in full, and none of these",
        "variables.deniedRelabelTargets.size() == 0 ? '' : "
        + _texts(tuple(f"{one}.action" for one in RELABELINGS), "string(one).lowerAscii() == 'labelmap'")
        + " + "
        + _texts(
            tuple(f"{one}.targetLabel" for one in RELABELINGS),
            f"string(one).contains('$') || {_matching('deniedRelabelTargets')}",
        ),
        _relabelings,
    ),
    Denied("spec.monitoring.alerts.alertLabels{}", "deniedRelabelTargets", "choose another label"),
)
