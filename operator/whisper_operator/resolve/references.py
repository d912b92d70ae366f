"""The objects that a spec names, and that no watch shows: pure."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.objects.kinds import GATEWAY
from whisper_operator.resolve.fetches import fetches


@dataclass(frozen=True)
class References:
    """Names of the objects that a spec refers to; all but Gateways are in the service's own namespace."""

    secrets: frozenset[str] = frozenset()
    config_maps: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    claim_templates: frozenset[str] = frozenset()
    gateways: frozenset[tuple[str, str]] = frozenset()
    """Namespace (empty: the service's own) and name."""


def references(spec: Spec) -> References:
    """The objects to look up, for no watch shows them."""
    ingress = spec.ingress
    tls = ingress.tls if ingress and not ingress.is_issued else None
    fetched = fetches(spec)
    sources = [fetch.source for fetch in fetched if fetch.source]
    bucket = spec.jobs.storage.s3 if spec.jobs else None
    audio = spec.verification.audio if spec.verification else None
    secrets = [
        *([spec.auth.secret_ref.name] if spec.auth else []),
        *([bucket.secret_ref.name] if bucket and bucket.secret_ref else []),
        *([spec.jobs.webhooks.secret_ref.name] if spec.jobs and spec.jobs.webhooks else []),
        *(source.secret_ref.name for source in sources if source.secret_ref),
        *(source.url_secret_key_ref.name for source in sources if source.url_secret_key_ref),
        *([spec.redis.secret_key_ref.name] if spec.redis else []),
        *(ref.name for ref in spec.image.pull_secrets),
        *([tls.secret_name] if tls and tls.secret_name else []),
    ]
    config_maps = [
        *(fetch.authorities.name for fetch in fetched if fetch.authorities),
        *([audio.config_map_key_ref.name] if audio else []),
        *([spec.redis.ca_config_map_key_ref.name] if spec.redis and spec.redis.ca_config_map_key_ref else []),
    ]
    of_jobs = spec.jobs.storage.existing_claim if spec.jobs else None
    of_sources = (source.claim for source in sources)
    claims = [name for name in (spec.cache.existing_claim, of_jobs, *of_sources) if name]
    account = spec.service_account
    accounts = [account.name] if account.name and not account.create else []
    template = spec.gpu.claim_template if spec.gpu else None
    return References(
        secrets=frozenset(secrets),
        config_maps=frozenset(config_maps),
        claims=frozenset(claims),
        accounts=frozenset(accounts),
        claim_templates=frozenset([template] if template else []),
        gateways=frozenset((ref.get("namespace", ""), ref["name"]) for ref in gateways(spec)),
    )


def gateways(spec: Spec) -> list[Manifest]:
    """The parentRefs of `spec.gateway` that name a Gateway."""
    refs = spec.gateway.parent_refs if spec.gateway else ()
    return [ref for ref in refs if ref.get("kind", GATEWAY.kind) == GATEWAY.kind and isinstance(ref.get("name"), str)]
