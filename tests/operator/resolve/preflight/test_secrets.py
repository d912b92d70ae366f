"""The Secrets that a spec names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import TLS, assert_found
from tests.operator.samples import observed, resolved, service
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.resolve.references import references

SHA = "a" * 64


def from_source(url: str, name: str = "mine", **source: Any) -> WhisperService:
    given = {} if url.startswith("pvc://") else {"sha256": SHA}
    return service(model={"name": name, "source": {"url": url, **given, **source}})


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (None, "Secret team/valkey, named in spec.redis.secretKeyRef, does not exist: create it, with the URL of your"),
        ({"password"}, "Secret team/valkey has no key url, named in spec.redis.secretKeyRef: add it, with the URL"),
    ],
)
def test_a_stores_secret_that_is_missing_keeps_no_pod_back(keys: set[str] | None, says: str) -> None:
    wanted = service(redis={"secretKeyRef": {"name": "valkey", "key": "url"}})
    found = resolved(wanted, observed(secrets={"valkey": None if keys is None else frozenset(keys)})).preflight.findings
    assert [(one.reason, one.holds) for one in found] == [("StoreSecretInvalid", False)]
    assert found[0].message.startswith(says)
    assert references(wanted.spec).secrets == {"valkey"}


def test_a_stores_secret_with_the_key_is_enough() -> None:
    wanted = service(redis={"secretKeyRef": {"name": "valkey", "key": "url"}})
    assert not resolved(wanted, observed(secrets={"valkey": frozenset({"url"})})).preflight.findings


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (
            None,
            "Secret team/bucket, named in spec.jobs.storage.s3.secretRef, does not exist: create it, with AWS_ACCESS",
        ),
        (
            {"AWS_ACCESS_KEY_ID"},
            "Secret team/bucket lacks the credentials for spec.jobs.storage.s3: it needs AWS_ACCESS",
        ),
        ({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, None),
    ],
)
def test_the_secret_of_a_bucket_keeps_no_pod_back(keys: set[str] | None, says: str | None) -> None:
    storage = {"type": "S3", "s3": {"bucket": "speech", "secretRef": {"name": "bucket"}}}
    wanted = service(redis={"secretKeyRef": {"name": "valkey", "key": "url"}}, jobs={"storage": storage})
    there = {"valkey": frozenset({"url"}), "bucket": None if keys is None else frozenset(keys)}
    found = resolved(wanted, observed(secrets=there)).preflight.findings
    assert [(one.reason, one.holds) for one in found] == ([("StoreSecretInvalid", False)] if says else [])
    assert not says or found[0].message.startswith(says)
    assert references(wanted.spec).secrets == {"valkey", "bucket"}


@pytest.mark.parametrize(
    ("url", "keys", "says"),
    [
        ("https://m/a.pt", None, "does not exist: create it, with the key token, or username and password"),
        ("https://m/a.pt", {"password"}, "it needs the key token, or username and password"),
        ("hf://o/n@main", {"password", "username"}, "it needs the key token"),
        ("oci://r/m:v1", None, "create it, with the key .dockerconfigjson, as `kubectl create secret docker-registry`"),
        ("oci://r/m:v1", {"password"}, "it needs the key .dockerconfigjson"),
        ("s3://b/a.pt", {"token"}, "it needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_a_secret_that_is_missing_or_not_whole_holds_the_fetch(url: str, keys: set[str] | None, says: str) -> None:
    wanted = from_source(url, secretRef={"name": "s3"})
    there = observed(secrets={"s3": None if keys is None else frozenset(keys)})
    found = resolved(wanted, there).preflight.findings
    assert (found[0].reason, found[0].holds) == ("SourceSecretInvalid", True)
    assert says in found[0].message
    assert references(wanted.spec).secrets == {"s3"}


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("https://m/a.pt", {"token"}),
        ("https://m/a.pt", {"username", "password"}),
        ("s3://b/a.pt", {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"}),
        ("s3://b/a.pt", {"AWS_ENDPOINT_URL"}),
        ("hf://o/n@main", {"token"}),
        ("oci://r/m:v1", {"token"}),
        ("oci://r/m:v1", {"username", "password"}),
        ("oci://r/m:v1", {".dockerconfigjson"}),
    ],
)
def test_a_secret_that_is_whole(url: str, keys: set[str]) -> None:
    wanted = from_source(url, secretRef={"name": "s3"})
    assert resolved(wanted, observed(secrets={"s3": frozenset(keys)})).preflight.findings == []


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (None, "Secret team/presigned, named in spec.model.source.urlSecretKeyRef, does not exist: create it, with the "
               "checkpoint's URL under the key url"),
        ({"other"}, "Secret team/presigned has no key url, named in spec.model.source.urlSecretKeyRef: add it"),
    ],
)  # fmt: skip
def test_a_url_that_its_secret_does_not_hold_holds_the_fetch(keys: set[str] | None, says: str) -> None:
    held = {"urlSecretKeyRef": {"name": "presigned", "key": "url"}, "sha256": SHA}
    wanted = service(model={"name": "mine", "source": held})
    there = observed(secrets={"presigned": None if keys is None else frozenset(keys)})
    found = resolved(wanted, there).preflight.findings
    assert (found[0].reason, found[0].holds) == ("SourceSecretInvalid", True)
    assert says in found[0].message
    assert references(wanted.spec).secrets == {"presigned"}
    assert resolved(wanted, observed(secrets={"presigned": frozenset({"url"})})).preflight.findings == []


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        ({"auth": {"secretRef": {"name": "keys"}}}, {"secrets": {"keys": None}},
         "SecretNotFound", "Secret team/keys, named in spec.auth.secretRef, does not exist: create it", True),
        ({"auth": {"secretRef": {"name": "keys"}}}, {"secrets": {"keys": frozenset()}},
         "SecretEmpty", "is empty: fill it", True),
        ({"auth": {"secretRef": {"name": "database"}}}, {"secrets": {"database": frozenset({"username", "password"})}},
         "PolicyViolated", "named in spec.auth.secretRef, has the key password, which is none of a client", True),
        ({"image": {"pullSecrets": [{"name": "pull"}]}}, {"secrets": {"pull": None}},
         "PullSecretInvalid", "kubectl create secret docker-registry", False),
        ({"image": {"pullSecrets": [{"name": "pull"}]}}, {"secrets": {"pull": frozenset({"password"})}},
         "PullSecretInvalid", "has no registry credentials", False),
        (TLS, {"secrets": {"cert": None}}, "TlsSecretInvalid", "kubectl create secret tls", False),
        (TLS, {"secrets": {"cert": frozenset({"tls.crt"})}}, "TlsSecretInvalid", "has no tls.key", False),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool
) -> None:
    assert_found(spec, facts, reason, says, holds)


@pytest.mark.parametrize(
    ("keys", "reason", "says"),
    [
        (None, "SecretNotFound", "Secret team/hooks, named in spec.jobs.webhooks.secretRef, does not exist: create it"),
        (frozenset[str](), "SecretEmpty", "is empty: fill it, with a value such as `echo whsec_$(openssl rand"),
    ],
)
def test_events_that_could_not_be_signed_hold_the_pods(keys: frozenset[str] | None, reason: str, says: str) -> None:
    webhooks = {"allowedHosts": ["hooks.example.com"], "secretRef": {"name": "hooks"}}
    spec = {"jobs": {"webhooks": webhooks}, "cache": {"type": "EmptyDir"}}
    assert_found(spec, {"secrets": {"hooks": keys}}, reason, says, True)
    wanted = service(**spec)
    assert references(wanted.spec).secrets == {"hooks"}
    assert resolved(wanted, observed(secrets={"hooks": frozenset({"a"})})).preflight.findings == []
