"""The words by which each Ingress controller takes body size, time-outs and health path. Pure.

Traefik, GKE's and Kong's take none from an Ingress: docs/how-to/ingress.md says where theirs are set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from whisper_operator.build.proxy_limits import ProxyLimits

ProxyAnnotations = dict[str, str]

LONGEST_ALB_SECONDS: Final = 4000
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html"""


def annotations_for(class_name: str, limits: ProxyLimits) -> ProxyAnnotations:
    """For the class's controller, known by a part of the class's name; for every controller where none is.

    They do not disturb each other, and the default class of a cluster may be any.
    """
    known = [words for part, words in BY_CLASS.items() if part in class_name]
    found: ProxyAnnotations = {}
    for words in known or BY_CLASS.values():
        found |= words(limits)
    return found


def _nginx(limits: ProxyLimits) -> ProxyAnnotations:
    """Two controllers' class has this name, the community's and the vendor's."""
    size, seconds = str(limits.body_bytes), limits.silent_seconds
    return {
        "nginx.ingress.kubernetes.io/proxy-body-size": size,
        "nginx.ingress.kubernetes.io/proxy-read-timeout": str(seconds),
        "nginx.ingress.kubernetes.io/proxy-send-timeout": str(seconds),
        "nginx.org/client-max-body-size": size,
        "nginx.org/proxy-read-timeout": f"{seconds}s",
        "nginx.org/proxy-send-timeout": f"{seconds}s",
    }


def _haproxy(limits: ProxyLimits) -> ProxyAnnotations:
    """Two controllers' class, too: HAProxy Technologies' and the community's."""
    return {
        "haproxy.org/timeout-server": f"{limits.silent_seconds}s",
        "haproxy-ingress.github.io/proxy-body-size": str(limits.body_bytes),
        "haproxy-ingress.github.io/timeout-server": f"{limits.silent_seconds}s",
    }


def _openshift(limits: ProxyLimits) -> ProxyAnnotations:
    """The Route that OpenShift makes of the Ingress gets its annotations."""
    return {"haproxy.router.openshift.io/timeout": f"{limits.silent_seconds}s"}


def _alb(limits: ProxyLimits) -> ProxyAnnotations:
    """The controller probes the port for clients, whose answer 200 opens a pod's readiness gate."""
    seconds = min(limits.silent_seconds, LONGEST_ALB_SECONDS)
    return {
        "alb.ingress.kubernetes.io/load-balancer-attributes": f"idle_timeout.timeout_seconds={seconds}",
        "alb.ingress.kubernetes.io/healthcheck-path": limits.health_path,
    }


def _contour(limits: ProxyLimits) -> ProxyAnnotations:
    """Envoy's time-out of a route, which ends with the answer's last byte."""
    return {"projectcontour.io/response-timeout": f"{limits.whole_seconds}s"}


def _azure(limits: ProxyLimits) -> ProxyAnnotations:
    return {
        "appgw.ingress.kubernetes.io/request-timeout": str(limits.whole_seconds),
        "appgw.ingress.kubernetes.io/health-probe-path": limits.health_path,
    }


def _none(_: ProxyLimits) -> ProxyAnnotations:
    return {}


BY_CLASS: Final[Mapping[str, Callable[[ProxyLimits], ProxyAnnotations]]] = {
    "nginx": _nginx,
    "haproxy": _haproxy,
    "openshift": _openshift,
    "alb": _alb,
    "contour": _contour,
    "application-gateway": _azure,
    "traefik": _none,
    "gce": _none,
    "kong": _none,
}
"""By a part of the class's name."""
