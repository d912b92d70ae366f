"""Whoever may create WhisperServices, and nothing else, is told so by the API server, by the chart's default values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, helm
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import patch, service
from tests.support.tenancy import ATTEMPTS, HARMLESS, as_tenant
from tests.support.waiting import eventually

FORBIDDEN = {"service": {"type": "NodePort"}}
BINDING = ("validatingadmissionpolicybinding", "default.release-whisper-operator")


@pytest.fixture(scope="module")
def tenant(kubectl: Kubectl) -> Kubectl:
    return as_tenant(kubectl)


@pytest.fixture(scope="module")
def admission(kubectl: Kubectl, tenant: Kubectl) -> Iterator[None]:
    """The ValidatingAdmissionPolicy of the chart's default values, in force."""
    done = helm("template", "release", str(CHART), "--show-only", "templates/policy.yaml")
    kubectl("apply", "-f", "-", stdin=done.stdout)
    eventually("it is in force", lambda: refusals(tenant, FORBIDDEN) != {})
    yield
    kubectl("delete", "-f", "-", stdin=done.stdout)
    eventually("it is gone", lambda: refusals(tenant, FORBIDDEN) == {})


def refusals(who: Kubectl, *specs: dict[str, Any]) -> dict[int, str]:
    """What the API server says to each spec that it does not take, by its place; nothing is stored."""
    bodies = [service(f"a{place}", **spec) for place, spec in enumerate(specs)]
    try:
        who("create", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(bodies))
    except KubectlError as error:
        found = re.findall(r'"a(\d+)" is forbidden: .*? denied request: (.*)', str(error.stderr))
        return {int(place): text for place, text in found}
    return {}


@pytest.fixture(scope="module")
def told(tenant: Kubectl, admission: None) -> dict[int, str]:
    return refusals(tenant, *(spec for _, spec in ATTEMPTS))


@pytest.mark.parametrize("place", range(len(ATTEMPTS)), ids=lambda place: ATTEMPTS[place][0])
def test_an_attempt_is_refused_by_its_field(told: dict[int, str], place: int) -> None:
    field, _ = ATTEMPTS[place]
    # CEL does not know the place of a list's item.
    assert told[place].startswith((field, field.replace("[0]", "[]")))
    assert ": not allowed by policy." in told[place]


def test_what_gives_no_power_is_taken(kubectl: Kubectl, tenant: Kubectl, admission: None) -> None:
    assert refusals(kubectl.within(tenant.namespace), *HARMLESS) == {}


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec.auth.secretRef.name 'database-admin'", {"auth": {"secretRef": {"name": "database-admin"}}}),
        ("spec.jobs.webhooks.secretRef.name 'payroll'",
         {"replicas": 1, "jobs": {"webhooks": {"allowedHosts": ["a.io"], "secretRef": {"name": "payroll"}}}}),
        ("spec.jobs.storage.s3.secretRef.name 'backups'",
         {"redis": {"secretKeyRef": {"name": "store", "key": "url"}},
          "jobs": {"storage": {"type": "S3", "s3": {"bucket": "others", "secretRef": {"name": "backups"}}}}}),
        ("spec.image.pullSecrets[].name 'database-admin'", {"image": {"pullSecrets": [{"name": "database-admin"}]}}),
        ("spec.ingress.tls.secretName 'payroll'", {"ingress": {"host": "a.io", "tls": {"secretName": "payroll"}}}),
        ("spec.model.source.secretRef.name 'bucket'",
         {"model": {"name": "m", "source": {"url": "s3://b/m", "sha256": "a" * 64, "secretRef": {"name": "bucket"}}}}),
        ("spec.model.source.urlSecretKeyRef.name 'bucket'",
         {"model": {"name": "m", "source": {"urlSecretKeyRef": {"name": "bucket", "key": "a"}, "sha256": "a" * 64}}}),
        ("spec.verification.audio.configMapKeyRef.name 'internal'",
         {"verification": {"audio": {"configMapKeyRef": {"name": "internal", "key": "a"}}, "expect": {"text": "a"}}}),
        ("spec.redis.secretKeyRef.name 'payroll'", {"redis": {"secretKeyRef": {"name": "payroll", "key": "url"}}}),
    ],
)  # fmt: skip
def test_an_author_names_only_what_he_may_read(
    kubectl: Kubectl, tenant: Kubectl, admission: None, field: str, spec: dict[str, Any]
) -> None:
    assert refusals(tenant, spec)[0].startswith(f"{field}: you may not read that")
    assert refusals(kubectl.within(tenant.namespace), spec) == {}


def test_an_author_keeps_what_another_has_named(kubectl: Kubectl, tenant: Kubectl, admission: None) -> None:
    kubectl.within(tenant.namespace).apply(service("keyed", auth={"secretRef": {"name": "keys"}}))
    patch(tenant, "keyed", {"replicas": 2})
    with pytest.raises(KubectlError, match=r"secretRef\.name 'others': you may not read"):
        patch(tenant, "keyed", {"auth": {"secretRef": {"name": "others"}}})
    store = {"secretKeyRef": {"name": "store", "key": "url"}}
    kubectl.within(tenant.namespace).apply(service("stored", redis=store))
    with pytest.raises(KubectlError, match=r"redis\.caConfigMapKeyRef\.name 'internal': you may not read"):
        patch(tenant, "stored", {"redis": {"caConfigMapKeyRef": {"name": "internal", "key": "a"}}})


def test_a_service_older_than_the_policy_can_be_annotated_and_not_changed(kubectl: Kubectl, admission: None) -> None:
    tenant = as_tenant(kubectl)
    kind, name = BINDING
    binding = kubectl.get(kind, name)
    kubectl("delete", kind, name)
    eventually("nothing is in force", lambda: refusals(tenant, FORBIDDEN) == {})
    tenant.apply(service("older", **FORBIDDEN))
    assert binding is not None
    binding["metadata"] = {"name": name}
    kubectl.apply(binding)
    eventually("it is in force again", lambda: refusals(tenant, FORBIDDEN) != {})
    tenant("annotate", "wsvc", "older", "team=speech")
    with pytest.raises(KubectlError, match=r"spec\.service\.type 'NodePort': not allowed"):
        patch(tenant, "older", {"replicas": 2})
