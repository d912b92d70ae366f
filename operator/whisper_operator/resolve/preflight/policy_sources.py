"""The policy on where checkpoints come from: the same for the model's source and the speaker encoder's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from whisper_operator.resolve.fetches import ENCODER_SOURCE, MODEL_SOURCE
from whisper_operator.resolve.preflight.policy_rules import (
    ASK,
    REVISION,
    Allowed,
    Denied,
    PolicyRule,
    Special,
    Subject,
    shown,
    values_at,
)

Offences = Callable[[Subject], Iterator[str]]


def _rules_of(at: str) -> tuple[PolicyRule, ...]:
    """Those of the source at that path of the manifest."""
    source = "variables." + at.replace(".", ".?")
    url = f"{source}.?url.orValue('')"
    reader = f"({url}.matches('^(hf|oci)://') ? {source}.?endpoint.orValue({url}.split('@')[0]) : {url})"
    # The hub's mirror, or a registry's, is sent the credentials; a bucket's server is not sent its keys.
    return (
        Allowed(f"{at}.secretRef.name", "secrets", f"name one of these Secrets, or {ASK}"),
        Special(
            "credentialUrls",
            f"remove secretRef, or {ASK}: whoever answers at a URL reads the credentials that it is sent",
            f"{source}.?secretRef.hasValue() &&"
            f" !variables.credentialUrls_re.exists(p, {reader}.matches('^' + p + '$')) ?"
            f" \"{at}.secretRef.name '\" + {source}.?secretRef.?name.orValue('') + \"' for '\" +"
            f" {reader}.split('?')[0] + \"', \" : ''",
            _credentials(at),
        ),
        Allowed(f"{at}.urlSecretKeyRef.name", "secrets", f"name one of these Secrets, or {ASK}"),
        Allowed(f"{at}.url", "sourceUrls", f"use one of these, or {ASK}", REVISION),
        Allowed(f"{at}.endpoint", "sourceUrls", f"use one of these, or {ASK}"),
        Denied(f"{at}.url", "deniedSourceUrls", "use another host"),
        Denied(f"{at}.endpoint", "deniedSourceUrls", "use another host"),
        Special(
            "sourceUrls",
            f"write one of these into {at}.url, for a Secret hides which it is, or {ASK}",
            f"{source}.?urlSecretKeyRef.hasValue() && !('*' in variables.sourceUrls) ?"
            f" \"{at}.urlSecretKeyRef.name '\" + {source}.?urlSecretKeyRef.?name.orValue('') + \"', \" : ''",
            _hidden_urls(at),
        ),
        Special(
            "claims",
            f"use a claim of such a name, or {ASK}",
            f"{url}.startsWith('pvc://') && !variables.claims_re.exists(p,"
            f" {url}.split('/')[2].matches('^' + p + '$')) ? \"{at}.url '\" + {url} + \"', \" : ''",
            _claims(at),
        ),
    )


def _credentials(at: str) -> Offences:
    def find(subject: Subject) -> Iterator[str]:
        for _, source in values_at({"spec": subject.spec}, at):
            to = _reader(source)
            if source.get("secretRef") and not subject.allows("credentialUrls", to):
                yield f"{at}.secretRef.name {shown(source['secretRef'].get('name', ''))} for {shown(to)}"

    return find


def _reader(source: dict[str, Any]) -> str:
    url: str = source.get("url", "")
    return source.get("endpoint", url.partition("@")[0]) if url.startswith(("hf://", "oci://")) else url


def _hidden_urls(at: str) -> Offences:
    def find(subject: Subject) -> Iterator[str]:
        if "*" not in subject.policy.source_urls:
            for path, name in values_at({"spec": subject.spec}, f"{at}.urlSecretKeyRef.name"):
                yield f"{path} {shown(name)}"

    return find


def _claims(at: str) -> Offences:
    def find(subject: Subject) -> Iterator[str]:
        for path, url in values_at({"spec": subject.spec}, f"{at}.url"):
            if url.startswith("pvc://") and not subject.allows("claims", url.split("/")[2]):
                yield f"{path} {shown(url)}"

    return find


RULES: Final[tuple[PolicyRule, ...]] = (*_rules_of(MODEL_SOURCE), *_rules_of(ENCODER_SOURCE))
