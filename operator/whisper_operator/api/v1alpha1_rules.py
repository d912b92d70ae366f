"""The rules across the parts of a WhisperService's spec: what no field can say of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from whisper_operator.api.base import Rule, cel_list
from whisper_operator.api.languages import cel_matches
from whisper_runtime.contract.languages import ADDED_BY_LARGE_V3, MODELS_OF_ALL
from whisper_runtime.contract.models import OFFICIAL_MODELS

if TYPE_CHECKING:
    from whisper_operator.api.v1alpha1 import Spec

_SHARES_JOBS = (
    "(has(self.jobs.storage) && (self.jobs.storage.type in ['Redis', 'S3'] || "
    "has(self.jobs.storage.accessMode) && self.jobs.storage.accessMode == 'ReadWriteMany'))"
)
"""Whether jobs, which the spec has, are where several pods can have them."""
_HAS_GPU = "(has(self.gpu) || has(self.podTemplate))"
"""A template may bring a GPU that this API has no field for; no rule can look into it."""


def _has_gpu(spec: Spec) -> bool:
    return spec.gpu is not None or spec.pod_template is not None


def _hosts_differ(spec: Spec) -> bool:
    return not (spec.ingress and spec.gateway and set(spec.ingress.hosts) & set(spec.gateway.hostnames))


SPEC_RULES: Final[tuple[Rule, ...]] = (
    Rule(
        f"!has(self.jobs) || {_SHARES_JOBS} || "
        "(has(self.autoscaling) ? self.autoscaling.maxReplicas : self.replicas) <= 1",
        "spec.jobs on a volume of one node is for one pod: write spec.jobs.storage.type Redis or S3, or accessMode "
        "ReadWriteMany, which several share, or spec.autoscaling.maxReplicas 1, or spec.replicas 1 without "
        "spec.autoscaling",
        lambda spec: (
            spec.jobs is None
            or spec.jobs.storage.is_shared
            or (spec.autoscaling.max_replicas if spec.autoscaling else spec.replicas) <= 1
        ),
    ),
    Rule(
        f"!has(self.jobs) || !{_SHARES_JOBS} || has(self.redis)",
        "spec.jobs.storage is for several pods, by its type Redis or S3 or accessMode ReadWriteMany, and they need "
        "a store that has the jobs' order: name it in spec.redis",
        lambda spec: spec.jobs is None or not spec.jobs.storage.is_shared or spec.redis is not None,
    ),
    Rule(
        "!(has(self.jobs) && has(self.jobs.storage) && has(self.jobs.storage.existingClaim) && has(self.cache) && "
        "has(self.cache.existingClaim)) || self.jobs.storage.existingClaim != self.cache.existingClaim",
        "spec.jobs.storage.existingClaim is spec.cache.existingClaim, so that checkpoints and jobs would take each "
        "other's room: name another claim in one of the two",
        lambda spec: (
            spec.jobs is None
            or spec.jobs.storage.existing_claim is None
            or spec.jobs.storage.existing_claim != spec.cache.existing_claim
        ),
    ),
    Rule(
        "!(has(self.ingress) && has(self.ingress.host) && has(self.gateway) && has(self.gateway.hostnames))"
        " || !(self.ingress.host in self.gateway.hostnames) && !(has(self.ingress.additionalHosts) && "
        "self.ingress.additionalHosts.exists(host, host in self.gateway.hostnames))",
        "spec.ingress.host, or one of its additionalHosts, is also in spec.gateway.hostnames: remove it from one "
        "of the two",
        _hosts_differ,
    ),
    Rule(
        "!has(self.ingress) || !has(self.gateway) || self.ingress.path == '/' || self.gateway.path == '/' || "
        "self.ingress.path == self.gateway.path",
        "spec.gateway.path is not spec.ingress.path, and the pods answer below one prefix alone: write the same, "
        "or / in one of them",
        lambda spec: (
            not (spec.ingress and spec.gateway)
            or "/" in (spec.ingress.path, spec.gateway.path)
            or spec.ingress.path == spec.gateway.path
        ),
    ),
    Rule(
        "!(has(self.redis) && has(self.networkPolicy)) || "
        "(has(self.networkPolicy.allowTo) && size(self.networkPolicy.allowTo) > 0)",
        "spec.networkPolicy.allowTo is empty, so the pods cannot reach spec.redis: add its peer and port",
        lambda spec: not (spec.redis and spec.network_policy) or bool(spec.network_policy.allow_to),
    ),
    Rule(
        "!has(self.cache) || self.cache.type != 'ImageVolume' || (has(self.model.source) && "
        "has(self.model.source.url) && self.model.source.url.startsWith('oci://'))",
        "spec.cache.type ImageVolume mounts the image that spec.model.source.url names: write an oci:// URL there, "
        "or choose another type",
        lambda spec: (
            spec.cache.type != "ImageVolume" or (spec.model.source is not None and spec.model.source.scheme == "oci")
        ),
    ),
    Rule(
        "!has(self.cache) || self.cache.type != 'ImageVolume' || !has(self.model.source) || "
        "!(has(self.model.source.secretRef) || has(self.model.source.endpoint) || "
        "has(self.model.source.caConfigMapKeyRef))",
        "spec.model.source has secretRef, endpoint or caConfigMapKeyRef, which have no use with spec.cache.type "
        "ImageVolume, for the node pulls the image: remove them, and name Secrets in spec.image.pullSecrets",
        lambda spec: (
            spec.cache.type != "ImageVolume"
            or (source := spec.model.source) is None
            or not (source.secret_ref or source.endpoint or source.ca_config_map_key_ref)
        ),
    ),
    Rule(
        "!has(self.cache) || self.cache.type == 'PersistentVolumeClaim' || !has(self.model.source) || "
        f"has(self.model.source.sha256) || self.model.name in {cel_list(OFFICIAL_MODELS)}",
        "spec.model.source.sha256 is missing, and only a fetch into a claim finds it out: add the digest, or write "
        "spec.cache.type PersistentVolumeClaim",
        lambda spec: (
            spec.cache.type == "PersistentVolumeClaim"
            or spec.model.source is None
            or spec.model.source.sha256 is not None
            or spec.model.name in OFFICIAL_MODELS
        ),
    ),
    Rule(
        f"!self.model.name.endsWith('.en') || {cel_matches('self.language', ['en'], or_auto=True)}",
        "spec.language is not en, but a model whose name ends in .en supports only English: "
        "remove spec.language, or choose the model without .en",
        lambda spec: not spec.model.name.endswith(".en") or spec.language_code in (None, "en"),
    ),
    Rule(
        f"!{cel_matches('self.language', [ADDED_BY_LARGE_V3], or_auto=False)} || has(self.model.source) || "
        f"self.model.name in {cel_list(MODELS_OF_ALL)}",
        f"spec.language is {ADDED_BY_LARGE_V3}, which large-v3 was the first model to learn: use one of "
        f"{', '.join(MODELS_OF_ALL)}, or another language",
        lambda spec: (
            spec.language_code != ADDED_BY_LARGE_V3 or spec.model.source is not None or spec.model.name in MODELS_OF_ALL
        ),
    ),
    Rule(
        f"self.device != 'cuda' || {_HAS_GPU}",
        "spec.device is cuda, but the pods have no GPU: add spec.gpu, or remove spec.device",
        lambda spec: spec.device != "cuda" or _has_gpu(spec),
    ),
    Rule(
        "self.computeType != 'float16' || self.device == 'cuda' || (self.device == 'auto' && has(self.gpu))",
        "spec.computeType is float16, but the model runs on a CPU, which cannot compute in it: write float32 or "
        "bfloat16, or add spec.gpu and let spec.device be auto",
        lambda spec: spec.compute_type != "float16" or spec.runs_on_gpu,
    ),
    Rule(
        "!has(self.prefetch) || !has(self.prefetch.caConfigMapKeyRef) || !has(self.model.source) || "
        "!has(self.model.source.caConfigMapKeyRef)",
        "spec.prefetch.caConfigMapKeyRef and spec.model.source.caConfigMapKeyRef name certificate authorities for "
        "the same fetch: put all of them into one ConfigMap, and remove spec.model.source.caConfigMapKeyRef",
        lambda spec: (
            not (spec.prefetch.ca_config_map_key_ref and spec.model.source and spec.model.source.ca_config_map_key_ref)
        ),
    ),
    Rule(
        "!has(self.prefetch) || !has(self.prefetch.caConfigMapKeyRef) || !has(self.diarization) || "
        "!has(self.diarization.model) || !has(self.diarization.model.source) || "
        "!has(self.diarization.model.source.caConfigMapKeyRef)",
        "spec.prefetch.caConfigMapKeyRef and spec.diarization.model.source.caConfigMapKeyRef name certificate "
        "authorities for the same fetch: put all of them into one ConfigMap, and remove the latter",
        lambda spec: (
            not (
                spec.prefetch.ca_config_map_key_ref and (source := spec.encoder_source) and source.ca_config_map_key_ref
            )
        ),
    ),
    Rule(
        "!has(self.cache) || self.cache.type != 'ImageVolume' || !has(self.diarization) || "
        "!has(self.diarization.model) || !has(self.diarization.model.source)",
        "spec.diarization.model.source has no cache to be fetched into with spec.cache.type ImageVolume: remove it, "
        "which leaves the encoder that comes with the runtime, or choose another type",
        lambda spec: spec.cache.type != "ImageVolume" or spec.encoder_source is None,
    ),
)
