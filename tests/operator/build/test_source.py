"""A model's source: what its fetch is given, and what its pods are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator.objects import children, claim, deployment, fetched, observed, one, pod, resolved, service
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.resolve.model import ModelRef
from whisper_operator.resolve.references import references

SHA = "a" * 64


def from_source(url: str, name: str = "mine", **source: Any) -> WhisperService:
    given = {} if url.startswith("pvc://") else {"sha256": SHA}
    return service(model={"name": name, "source": {"url": url, **given, **source}})


def job(of: WhisperService) -> Manifest:
    name = resolved(of, observed(claim(of))).prefetch.job_name
    return one(children(of, observed(claim(of))), "Job", name or "")["spec"]["template"]["spec"]


PRIVATE = from_source("s3://models/a.pt", secretRef={"name": "s3"}, caRef={"name": "ca", "key": "root.pem"})


def test_credentials_and_certificates_are_files_of_the_fetching_pod_alone() -> None:
    spec = job(PRIVATE)
    assert {volume["name"]: volume for volume in spec["volumes"]}.items() >= {
        "source": {"name": "source", "secret": {"secretName": "s3", "defaultMode": 0o440}},
        "source-ca": {
            "name": "source-ca",
            "configMap": {"name": "ca", "items": [{"key": "root.pem", "path": "ca.crt"}]},
        },
    }.items()
    mounted = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert mounted.items() >= {"source": "/etc/whisper/source", "source-ca": "/etc/whisper/source-ca"}.items()
    env = {variable["name"]: variable["value"] for variable in spec["containers"][0]["env"]}
    assert env["WHISPER_MODEL_CREDENTIALS_DIR"] == "/etc/whisper/source"
    assert env["WHISPER_MODEL_CA_FILE"] == "/etc/whisper/source-ca/ca.crt"
    there = [claim(PRIVATE), fetched(PRIVATE, claim(PRIVATE))]
    serving = json.dumps(deployment(PRIVATE, *there))
    assert "source" not in serving.replace('"resources"', "")


def test_a_claim_of_the_users_is_mounted_to_be_read() -> None:
    spec = job(from_source("pvc://weights/models/a.pt"))
    assert {"name": "source-claim", "persistentVolumeClaim": {"claimName": "weights", "readOnly": True}} in spec[
        "volumes"
    ]
    mounts = spec["containers"][0]["volumeMounts"]
    assert {"name": "source-claim", "mountPath": "/source", "readOnly": True} in mounts


def test_the_fetch_goes_through_the_pods_proxy_and_gets_nothing_else_of_their_environment() -> None:
    env = [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}, {"name": "OTHER", "value": "1"}]
    wanted = service(server={"env": env})
    found = job(wanted)["containers"][0]["env"]
    assert {"name": "HTTPS_PROXY", "value": "http://proxy:3128"} in found
    assert "OTHER" not in {variable["name"] for variable in found}


@pytest.mark.parametrize(
    ("url", "keys", "says"),
    [
        ("https://m/a.pt", None, "does not exist: create it, with the key token, or username and password"),
        ("https://m/a.pt", {"password"}, "it needs the key token, or username and password"),
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
    ("url", "source", "facts", "reason", "says"),
    [
        ("https://m/a.pt", {"caRef": {"name": "ca", "key": "root.pem"}}, {"config_maps": {"ca": None}},
         "SourceCaInvalid", "ConfigMap team/ca, named in spec.model.source.caRef, does not exist: create it"),
        ("https://m/a.pt", {"caRef": {"name": "ca", "key": "root.pem"}}, {"config_maps": {"ca": frozenset({"x"})}},
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
    wanted = from_source("https://m/a.pt", secretRef={"name": "s"}, caRef={"name": "ca", "key": "root.pem"})
    gone = {"secrets": {"s": None}, "config_maps": {"ca": None}}
    cache = claim(wanted)
    assert resolved(wanted, observed(cache, fetched(wanted, cache), **gone)).preflight.findings == []
    each = service(model=wanted.spec.model.model_dump(by_alias=True), cache={"type": "EmptyDir"})
    assert len(resolved(each, observed(**gone)).preflight.findings) == 2


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("https://m/a.pt", {"token"}),
        ("https://m/a.pt", {"username", "password"}),
        ("s3://b/a.pt", {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"}),
        ("s3://b/a.pt", {"AWS_ENDPOINT_URL"}),
        ("pvc://weights/a.pt", {"anything"}),
    ],
)
def test_a_secret_that_is_whole(url: str, keys: set[str]) -> None:
    wanted = from_source(url, secretRef={"name": "s3"})
    assert resolved(wanted, observed(secrets={"s3": frozenset(keys)})).preflight.findings == []


@pytest.mark.parametrize("url", ["s3://b/a.pt", "pvc://c/a.pt", "https://m/a.pt"])
def test_every_source_is_implemented(url: str) -> None:
    assert unsupported(from_source(url, secretRef={"name": "s"}, caRef={"name": "c", "key": "k"}).spec) == []


def reporting(digest: str) -> Manifest:
    report = {"model": "mine", "reason": "Fetched", "message": "", "digest": digest}
    return pod("prefetch", containerStatuses=[{"state": {"terminated": {"message": json.dumps(report)}}}])


def test_a_claims_file_without_a_digest_gets_the_one_that_was_found() -> None:
    wanted = from_source("pvc://weights/a.pt")
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    assert resolved(wanted, observed(*there)).model.admitted is None, "its digest is not known yet"
    assert resolved(wanted, observed(*there, reporting(SHA))).model.admitted == ModelRef("mine", SHA)


def test_a_found_digest_outlives_the_pod_that_found_it() -> None:
    status = {"model": {"name": "mine", "digest": f"sha256:{SHA}"}}
    model = {"name": "mine", "source": {"url": "pvc://weights/a.pt"}}
    assert resolved(service(status=status, model=model), observed()).model.wanted == ModelRef("mine", SHA)
    other = service(status={"model": {"name": "base", "digest": f"sha256:{SHA}"}}, model=model)
    assert resolved(other, observed()).model.wanted == ModelRef("mine", None)
