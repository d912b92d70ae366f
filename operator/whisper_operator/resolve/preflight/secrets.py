"""The Secrets that the spec names exist, and have the keys that they are used for."""

from __future__ import annotations

from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.scalars import KeyRef
from whisper_operator.resolve.fetches import Fetch, fetches
from whisper_operator.resolve.preflight.finding import CheckInput, Finding

SOURCE_KEYS: Final = {
    "http": (({"token"}, {"username", "password"}), "the key token, or username and password"),
    "hf": (({"token"},), "the key token"),
    "oci": (
        ({".dockerconfigjson"}, {"token"}, {"username", "password"}),
        "the key .dockerconfigjson, as `kubectl create secret docker-registry` writes it, or username and password, or "
        "token",
    ),
    "s3": (
        ({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, {"AWS_ENDPOINT_URL"}),
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL where it is not AWS's own S3",
    ),
}
"""By scheme: the sets of keys of which one has to be complete, and the same as a remedy."""
NO_API_KEYS: Final = frozenset(
    {".dockercfg", ".dockerconfigjson", "ca.crt", "kubeconfig", "password", "release", "ssh-privatekey", "tls.key"}
)
"""Keys of Secrets of other kinds: accounts' tokens, certificates, users of databases, helm's releases."""


def api_keys(given: CheckInput) -> Finding | None:
    auth = given.spec.auth
    if auth is None or auth.secret_ref.name not in given.facts.secrets:
        return None
    keys, where = given.facts.secrets[auth.secret_ref.name], _secret(given, auth.secret_ref.name)
    remedy = "with a client's name as each key and that client's API key as its value"
    if not keys:
        return _without_keys(keys, f"{where}, named in spec.auth.secretRef,", remedy)
    if foreign := keys & NO_API_KEYS:
        message = (
            f"{where}, named in spec.auth.secretRef, has the key {min(foreign)}, which is none of a client: create one "
            f"for API keys alone, {remedy}"
        )
        return Finding(c.POLICY_VIOLATED, message, holds=True)
    return None


def webhook_secret(given: CheckInput) -> Finding | None:
    webhooks = given.spec.jobs.webhooks if given.spec.jobs else None
    if webhooks is None or webhooks.secret_ref.name not in given.facts.secrets:
        return None
    keys, where = given.facts.secrets[webhooks.secret_ref.name], _secret(given, webhooks.secret_ref.name)
    remedy = "with a value such as `echo whsec_$(openssl rand -base64 32)` prints, under any key"
    return None if keys else _without_keys(keys, f"{where}, named in spec.jobs.webhooks.secretRef,", remedy)


def _without_keys(keys: frozenset[str] | None, which: str, remedy: str) -> Finding:
    """The finding on a Secret that does not exist (`keys` None) or is empty; `which` names it and its field."""
    if keys is None:
        return Finding(c.SECRET_NOT_FOUND, f"{which} does not exist: create it, {remedy}", holds=True)
    return Finding(c.SECRET_EMPTY, f"{which} is empty: fill it, {remedy}", holds=True)


def source_secret(given: CheckInput) -> Finding | None:
    """Of the first source that lacks something."""
    problems = (_lacking_of(given, fetch) for fetch in fetches(given.spec)) if given.needs_source else ()
    problem = next(filter(None, problems), None)
    return Finding(c.SOURCE_SECRET_INVALID, problem, holds=True) if problem else None


def _lacking_of(given: CheckInput, fetch: Fetch) -> str | None:
    source = fetch.source
    if source and source.secret_ref:
        return _lacking_credentials(given, fetch.field, source.secret_ref.name, source.scheme)
    if source and source.url_secret_key_ref:
        return _lacking_url(given, fetch.field, source.url_secret_key_ref)
    return None


def _lacking_credentials(given: CheckInput, field: str, name: str, scheme: str) -> str | None:
    """The problem with the Secret of credentials; None where there is none, or it was not looked up."""
    if name not in given.facts.secrets:
        return None
    keys, where = given.facts.secrets[name], _secret(given, name)
    wanted, remedy = SOURCE_KEYS[scheme.removesuffix("s")]
    if keys is None:
        return f"{where}, named in {field}.secretRef, does not exist: create it, with {remedy}"
    if not any(choice <= keys for choice in wanted):
        return f"{where} lacks the credentials for {field}.url: it needs {remedy}"
    return None


def _lacking_url(given: CheckInput, field: str, ref: KeyRef) -> str | None:
    """The same of the Secret that holds the URL."""
    if ref.name not in given.facts.secrets:
        return None
    keys, where = given.facts.secrets[ref.name], _secret(given, ref.name)
    if keys is None:
        return (
            f"{where}, named in {field}.urlSecretKeyRef, does not exist: create it, with the checkpoint's "
            f"URL under the key {ref.key}"
        )
    if ref.key not in keys:
        return f"{where} has no key {ref.key}, named in {field}.urlSecretKeyRef: add it, or correct the field"
    return None


def store_url(given: CheckInput) -> Finding | None:
    """Pods start without it: they count for themselves until it is there."""
    ref = given.spec.redis.secret_key_ref if given.spec.redis else None
    if ref is None or ref.name not in given.facts.secrets:
        return None
    keys, where = given.facts.secrets[ref.name], _secret(given, ref.name)
    remedy = "with the URL of your Valkey or Redis, rediss://user:password@host:6379/0"
    if keys is None:
        message = (
            f"{where}, named in spec.redis.secretKeyRef, does not exist: create it, {remedy} under the key {ref.key}"
        )
        return Finding(c.STORE_SECRET_INVALID, message)
    if ref.key not in keys:
        message = (
            f"{where} has no key {ref.key}, named in spec.redis.secretKeyRef: add it, {remedy}, or correct the field"
        )
        return Finding(c.STORE_SECRET_INVALID, message)
    return None


def bucket_secret(given: CheckInput) -> Finding | None:
    """Pods start without it: jobs wait until it is there."""
    bucket = given.spec.jobs.storage.s3 if given.spec.jobs else None
    if bucket is None or bucket.secret_ref is None or bucket.secret_ref.name not in given.facts.secrets:
        return None
    keys, where = given.facts.secrets[bucket.secret_ref.name], _secret(given, bucket.secret_ref.name)
    needed = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if keys is None:
        message = f"{where}, named in spec.jobs.storage.s3.secretRef, does not exist: create it, with {needed}"
        return Finding(c.STORE_SECRET_INVALID, message)
    if not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= keys:
        message = f"{where} lacks the credentials for spec.jobs.storage.s3: it needs {needed}"
        return Finding(c.STORE_SECRET_INVALID, message)
    return None


def pull_secrets(given: CheckInput) -> Finding | None:
    for ref in given.spec.image.pull_secrets:
        if ref.name not in given.facts.secrets:
            continue
        keys, where = given.facts.secrets[ref.name], _secret(given, ref.name)
        remedy = "create it with `kubectl create secret docker-registry`"
        if keys is None:
            return Finding(c.PULL_SECRET_INVALID, f"{where}, named in spec.image.pullSecrets, does not exist: {remedy}")
        if not keys & {".dockerconfigjson", ".dockercfg"}:
            return Finding(c.PULL_SECRET_INVALID, f"{where} has no registry credentials: {remedy}")
    return None


def tls_secret(given: CheckInput) -> Finding | None:
    ingress = given.spec.ingress
    tls = ingress.tls if ingress and not ingress.is_issued else None
    if tls is None or not tls.secret_name or tls.secret_name not in given.facts.secrets:
        return None
    keys, where = given.facts.secrets[tls.secret_name], _secret(given, tls.secret_name)
    remedy = "create it with `kubectl create secret tls`, or name an issuer in spec.ingress.tls.clusterIssuer"
    if keys is None:
        return Finding(c.TLS_SECRET_INVALID, f"{where}, named in spec.ingress.tls.secretName, does not exist: {remedy}")
    if missing := {"tls.crt", "tls.key"} - keys:
        return Finding(c.TLS_SECRET_INVALID, f"{where} has no {' and no '.join(sorted(missing))}: {remedy}")
    return None


def _secret(given: CheckInput, name: str | None) -> str:
    return f"Secret {given.namespace}/{name}"
