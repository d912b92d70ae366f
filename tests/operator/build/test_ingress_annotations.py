"""Each Ingress controller's words for the same limits."""

from __future__ import annotations

import pytest

from whisper_operator.build.ingress_annotations import BY_CLASS, annotations_for
from whisper_operator.build.proxy_limits import ProxyLimits

LIMITS = ProxyLimits(silent_seconds=615, whole_seconds=1215, body_bytes=1024, health_path="/speech/healthz")


@pytest.mark.parametrize(
    ("class_name", "words"),
    [
        (
            "nginx",
            {
                "nginx.ingress.kubernetes.io/proxy-body-size": "1024",
                "nginx.ingress.kubernetes.io/proxy-read-timeout": "615",
                "nginx.ingress.kubernetes.io/proxy-send-timeout": "615",
                "nginx.org/client-max-body-size": "1024",
                "nginx.org/proxy-read-timeout": "615s",
                "nginx.org/proxy-send-timeout": "615s",
            },
        ),
        (
            "haproxy-internal",
            {
                "haproxy.org/timeout-server": "615s",
                "haproxy-ingress.github.io/proxy-body-size": "1024",
                "haproxy-ingress.github.io/timeout-server": "615s",
            },
        ),
        ("openshift-default", {"haproxy.router.openshift.io/timeout": "615s"}),
        (
            "alb",
            {
                "alb.ingress.kubernetes.io/load-balancer-attributes": "idle_timeout.timeout_seconds=615",
                "alb.ingress.kubernetes.io/healthcheck-path": "/speech/healthz",
            },
        ),
        ("contour", {"projectcontour.io/response-timeout": "1215s"}),
        (
            "azure-application-gateway",
            {
                "appgw.ingress.kubernetes.io/request-timeout": "1215",
                "appgw.ingress.kubernetes.io/health-probe-path": "/speech/healthz",
            },
        ),
        ("traefik", {}),
        ("gce-internal", {}),
        ("kong", {}),
    ],
)
def test_a_controller_is_known_by_its_class(class_name: str, words: dict[str, str]) -> None:
    assert annotations_for(class_name, LIMITS) == words


@pytest.mark.parametrize("class_name", ["", "public"])
def test_a_class_that_tells_nothing_gets_the_words_of_all(class_name: str) -> None:
    found = annotations_for(class_name, LIMITS)
    assert all(annotations_for(known, LIMITS).items() <= found.items() for known in BY_CLASS)


def test_an_application_load_balancer_waits_for_as_long_as_it_can() -> None:
    day = ProxyLimits(86_400, 172_800, 1, "/healthz")
    attributes = annotations_for("alb", day)["alb.ingress.kubernetes.io/load-balancer-attributes"]
    assert attributes == "idle_timeout.timeout_seconds=4000"
