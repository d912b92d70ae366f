"""The objects that a spec names, and until when its source's are needed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import claim, fetched, observed, resolved, service
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.resolve.references import references

SHA = "a" * 64
CA = {"name": "ca", "key": "root.pem"}


def from_source(url: str, name: str = "mine", **source: Any) -> WhisperService:
    given = {} if url.startswith("pvc://") else {"sha256": SHA}
    return service(model={"name": name, "source": {"url": url, **given, **source}})


@pytest.mark.parametrize(
    ("url", "source", "facts", "reason", "says"),
    [
        ("https://m/a.pt", {"caConfigMapKeyRef": CA}, {"config_maps": {"ca": None}},
         "SourceCaInvalid", "ConfigMap team/ca, named in spec.model.source.caConfigMapKeyRef, does not exist: create"),
        ("https://m/a.pt", {"caConfigMapKeyRef": CA}, {"config_maps": {"ca": frozenset({"x"})}},
         "SourceCaInvalid", "ConfigMap team/ca has no key root.pem"),
        ("pvc://weights/a.pt", {}, {"claims": {"weights": None}},
         "SourceClaimNotFound", "PersistentVolumeClaim team/weights, named in spec.model.source.url, does not exist"),
    ],
)  # fmt: skip
def test_a_source_that_lacks_something_holds_the_fetch(
    url: str, source: dict[str, Any], facts: dict[str, Any], reason: str, says: str
) -> None:
    wanted = from_source(url, **source)
    (found,) = resolved(wanted, observed(**facts)).preflight.findings
    assert (found.reason, found.holds) == (reason, True)
    assert says in found.message
    looked_up = references(wanted.spec)
    assert (looked_up.secrets | looked_up.config_maps | looked_up.claims) == {
        name for one in facts.values() for name in one
    }


def test_a_source_is_needed_no_more_once_the_model_is_there() -> None:
    """Credentials and claims that were lent for the fetch may go, unless each pod fetches for itself."""
    wanted = from_source("https://m/a.pt", secretRef={"name": "s"}, caConfigMapKeyRef={"name": "ca", "key": "root.pem"})
    gone = {"secrets": {"s": None}, "config_maps": {"ca": None}}
    cache = claim(wanted)
    assert resolved(wanted, observed(cache, fetched(wanted, cache), **gone)).preflight.findings == []
    each = service(model=wanted.spec.model.model_dump(by_alias=True), cache={"type": "EmptyDir"})
    assert len(resolved(each, observed(**gone)).preflight.findings) == 2


def test_the_gateways_of_a_route_are_named_with_their_namespaces() -> None:
    refs = [{"name": "own"}, {"name": "public", "namespace": "gateways"}, {"kind": "Service", "name": "web"}]
    wanted = service(gateway={"parentRefs": refs})
    assert references(wanted.spec).gateways == {("", "own"), ("gateways", "public")}


def test_a_certificate_that_cert_manager_issues_is_not_looked_for() -> None:
    """Its Secret comes once it is issued: until then nothing is wrong with the spec."""
    tls = {"secretName": "cert"}
    assert references(service(ingress={"tls": tls}).spec).secrets == {"cert"}
    for more in ({"tls": {**tls, "issuerRef": {"name": "ours"}}}, {"annotations": {"cert-manager.io/issuer": "ours"}}):
        assert references(service(ingress={"host": "a.io", "tls": tls, **more}).spec).secrets == frozenset()
