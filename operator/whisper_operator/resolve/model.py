"""References to models: those that a spec names, that pods carry, and that annotations keep. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.manifest import annotations_of, container_of
from whisper_operator.observe.pod_reports import fetch_report
from whisper_operator.resolve.promise import Promise
from whisper_runtime.contract.config import env_name
from whisper_runtime.contract.models import PACKAGED_ENCODERS, expected_sha256

DIGEST_PREFIX = "sha256:"


SPEAKERS = "speakers="


@dataclass(frozen=True)
class EncoderRef:
    """A speaker encoder by its name and, where it does not come with the runtime, the digest of its checkpoint."""

    name: str
    sha256: str | None = None
    """The digest that the spec gives; None: it comes with the runtime."""

    @property
    def digest(self) -> str | None:
        """Digest of the checkpoint as status shows it."""
        sha256 = self.sha256 or PACKAGED_ENCODERS.get(self.name)
        return f"{DIGEST_PREFIX}{sha256}" if sha256 else None

    def __str__(self) -> str:
        return f"{self.name}@{self.sha256}" if self.sha256 else self.name

    @classmethod
    def parse(cls, text: str) -> Self:
        name, _, sha256 = text.partition("@")
        return cls(name, sha256 or None)


@dataclass(frozen=True)
class ModelRef:
    """A model by its name and, where it is not openai-whisper's own, the digest of its checkpoint; and what tells
    speakers apart beside it. The two are fetched, proven and changed as one."""

    name: str
    sha256: str | None
    """The digest that the spec gives; None: openai-whisper's own for that name."""
    encoder: EncoderRef | None = None
    """None: speakers are not told apart."""

    @property
    def digest(self) -> str | None:
        """Digest of the checkpoint as status shows it."""
        sha256 = expected_sha256(self.name, self.sha256)
        return f"{DIGEST_PREFIX}{sha256}" if sha256 else None

    def is_same_checkpoint(self, other: ModelRef) -> bool:
        """Whether both transcribe by one checkpoint, whatever tells speakers apart beside it."""
        return (self.name, self.sha256) == (other.name, other.sha256)

    @property
    def title(self) -> str:
        """The model as messages name it."""
        return f"{self.name} with {self.encoder.name}" if self.encoder else self.name

    def __str__(self) -> str:
        """The model as an annotation keeps it."""
        model = f"{self.name}@{self.sha256}" if self.sha256 else self.name
        return f"{model} {SPEAKERS}{self.encoder}" if self.encoder else model

    @classmethod
    def parse(cls, text: str) -> Self:
        """The model of an annotation."""
        model, _, encoder = text.partition(f" {SPEAKERS}")
        name, _, sha256 = model.partition("@")
        return cls(name, sha256 or None, EncoderRef.parse(encoder) if encoder else None)


def named_encoder(spec: Spec) -> EncoderRef | None:
    """None: speakers are not to be told apart."""
    if spec.diarization is None:
        return None
    source = spec.diarization.model.source
    return EncoderRef(spec.diarization.model.name, source.sha256 if source else None)


def named_model(spec: Spec) -> ModelRef:
    """The model as the spec alone names it, a digest that its fetch has to find left open."""
    encoder = named_encoder(spec)
    return ModelRef(spec.model.name, spec.model.source.sha256 if spec.model.source else None, encoder)


def wanted_model(service: WhisperService, fetching_pods: Iterable[Manifest]) -> ModelRef:
    """The model that the spec names; a digest that it leaves open is known once it has been fetched.

    `fetching_pods`: the pods of the Job that fetches it, newest first.
    """
    named = named_model(service.spec)
    return named if named.digest else replace(named, sha256=_found_sha256(service, fetching_pods))


def last_good_model(deployment: Manifest | None, promise: Promise) -> ModelRef | None:
    """The model that the promised pods were last ready with, each proven by the golden clip; None: none yet."""
    if deployment is None:
        return None
    if promise.proves_model:
        return model_of(deployment["spec"]["template"])
    kept = annotations_of(deployment).get(names.ANNOTATION_LAST_GOOD_MODEL)
    return ModelRef.parse(kept) if kept else None


def model_of(pod: Manifest) -> ModelRef | None:
    """The model that a pod, or a template of pods, carries."""
    server = container_of(pod["spec"], names.SERVER) or {}
    env: dict[str, Any] = {entry["name"]: entry.get("value") for entry in server.get("env", ())}
    name = env.get(env_name("model"))
    teller = env.get(env_name("diarization_model"))
    encoder = EncoderRef(teller, env.get(env_name("diarization_model_sha256"))) if teller else None
    return ModelRef(name, env.get(env_name("model_sha256")), encoder) if name else None


def _found_sha256(service: WhisperService, fetching_pods: Iterable[Manifest]) -> str | None:
    """The digest that the fetch found: by its report, or as status has it from before its pod went."""
    for pod in fetching_pods:
        if (report := fetch_report(pod)) and report.succeeded:
            return report.digest
    before, name = service.status.model, service.spec.model.name
    if before is None or name not in (before.name, before.wanted):
        return None
    seen = before.wanted_digest if before.wanted == name else before.digest
    return seen.removeprefix(DIGEST_PREFIX) if seen else None
