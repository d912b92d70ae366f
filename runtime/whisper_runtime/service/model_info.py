"""Which model this process serves, what it can do, and what clients may call it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import expected_sha256
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.errors import ApiError
from whisper_runtime.service.languages import code_of

ALIAS: Final = "whisper-1"
"""The name that clients of OpenAI send when nobody told them another."""


@dataclass(frozen=True)
class ServedModel:
    name: str
    digest: str | None
    """sha256 of the checkpoint; None: it was given by path, and is not read yet."""
    abilities: Abilities
    default_language: str | None
    """For requests that name none; None: detected."""

    @property
    def english_only(self) -> bool:
        return self.abilities.languages == 1


def served_model(config: RuntimeConfig, digest: str | None, abilities: Abilities) -> ServedModel:
    """The model that `config` names, by its name or the file's, with what is known of its content."""
    language = "en" if abilities.languages == 1 else code_of(config.language)
    return ServedModel(name_of(config.model), digest, abilities, language)


def name_of(model: str) -> str:
    """What clients call a model that is given by its name, or by its file's path."""
    return PurePath(model).name.removesuffix(".pt") if "/" in model else model


def promised_digest(config: RuntimeConfig) -> str | None:
    """sha256 that a checkpoint of this name has wherever it comes from; None: a file may hold anything."""
    return None if "/" in config.model else expected_sha256(config.model, config.model_sha256)


def check_name(served: ServedModel, asked: str) -> None:
    """Raises ApiError (404) where `asked` is neither the served model nor OpenAI's `whisper-1`."""
    if asked not in (served.name, ALIAS):
        message = f"The model `{asked}` does not exist here: this server has `{served.name}` (also as `{ALIAS}`)."
        raise ApiError(404, message, param="model", code="model_not_found")
