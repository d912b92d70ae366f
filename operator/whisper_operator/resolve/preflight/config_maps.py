"""The ConfigMaps that the spec names exist, and have the key that is mounted from them."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.api.scalars import KeyRef
from whisper_operator.resolve.fetches import fetches
from whisper_operator.resolve.preflight.finding import CheckInput, Finding


def source_authority(given: CheckInput) -> Finding | None:
    """Of the first source that lacks it."""
    if not given.needs_source:
        return None
    remedy = "with the certificate authority in PEM"
    trusted = [(fetch.authorities, fetch.authorities_field) for fetch in fetches(given.spec)]
    problems = (_problem(given, wanted, field, remedy) for wanted, field in trusted if wanted)
    problem = next(filter(None, problems), None)
    return Finding(c.SOURCE_CA_INVALID, problem, holds=True) if problem else None


def store_authority(given: CheckInput) -> Finding | None:
    """Pods start without it: they count for themselves until it is there."""
    wanted = given.spec.redis.ca_config_map_key_ref if given.spec.redis else None
    if wanted is None:
        return None
    problem = _problem(given, wanted, "spec.redis.caConfigMapKeyRef", "with the certificate authority in PEM")
    return Finding(c.STORE_SECRET_INVALID, problem) if problem else None


def golden_clip(given: CheckInput) -> Finding | None:
    """Every pod mounts the clip: without it none would start, and each would hold its GPU meanwhile."""
    audio = given.spec.verification.audio if given.spec.verification else None
    if audio is None:
        return None
    field, remedy = "spec.verification.audio.configMapKeyRef", "with a recording: WAV, 16-bit, mono, 16 kHz"
    problem = _problem(given, audio.config_map_key_ref, field, remedy)
    return Finding(c.VERIFICATION_AUDIO_INVALID, problem, holds=True) if problem else None


def _problem(given: CheckInput, ref: KeyRef, field: str, remedy: str) -> str | None:
    """The problem with the ConfigMap of `ref`, and its remedy; None where there is none, or it was not looked up."""
    if ref.name not in given.facts.config_maps:
        return None
    keys, where = given.facts.config_maps[ref.name], f"ConfigMap {given.namespace}/{ref.name}"
    if keys is None:
        return f"{where}, named in {field}, does not exist: create it, {remedy} under the key {ref.key}"
    if ref.key not in keys:
        return f"{where} has no key {ref.key}, named in {field}: add it, {remedy}, or correct the field"
    return None
