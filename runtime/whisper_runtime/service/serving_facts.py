"""What servers know of themselves once they serve, and a front cannot: it is left in their store (ADRs 81, 112)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from pydantic import TypeAdapter
from pydantic_core import to_json

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import expected_sha256
from whisper_runtime.engine.interface import NO_MODEL, Abilities
from whisper_runtime.service.model_info import ModelInfo
from whisper_runtime.service.result_cache.keys import serving_key

FIELDS: Final = ("device", "compute_type")
"""Those of RuntimeConfig that decide what servers find, beside the checkpoint."""


@dataclass(frozen=True)
class ServingFacts:
    abilities: Abilities
    """Of the checkpoint."""
    precision: str
    """In which its weights are multiplied on the servers' devices."""
    decoder: str
    """As decoder_version has it."""

    def to_json(self) -> bytes:
        return to_json(self)

    @classmethod
    def from_json(cls, content: bytes) -> ServingFacts:
        """Raises ValueError for what `to_json` did not write."""
        return _facts().validate_json(content)


def facts_key(config: RuntimeConfig) -> str | None:
    """Where the facts are of servers that are configured so; None: their checkpoint may be any."""
    digest = expected_sha256(config.model, config.model_sha256)
    return digest and serving_key(digest, *(getattr(config, field) for field in FIELDS))


def left_facts(config: RuntimeConfig, model: ModelInfo, decoder: str) -> tuple[str, bytes] | None:
    """The name of the facts, and those; None: nobody could find them, or the model is not loaded yet."""
    name = facts_key(config)
    if name is None or model.abilities == NO_MODEL:
        return None
    return name, ServingFacts(model.abilities, model.precision, decoder).to_json()


@cache
def _facts() -> TypeAdapter[ServingFacts]:
    return TypeAdapter(ServingFacts)
