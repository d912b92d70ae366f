"""Which model this process serves, what it can do, and what clients may call it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from whisper_runtime.contract import OFFICIAL_MODELS, RuntimeConfig, expected_sha256
from whisper_runtime.errors import ApiError
from whisper_runtime.languages import code_of

ALIAS: Final = "whisper-1"
"""The name that clients of OpenAI send when nobody told them another."""


@dataclass(frozen=True)
class ServedModel:
    name: str
    digest: str | None
    """sha256 of the checkpoint; None: it was given by path, without one."""
    english_only: bool
    translates: bool
    default_language: str | None
    """For requests that name none; None: detected."""


def served_model(config: RuntimeConfig) -> ServedModel:
    """The model that `config` names: by its name, or by the file's name where it gives a path."""
    name = PurePath(config.model).stem if "/" in config.model else config.model
    digest = config.model_sha256 if "/" in config.model else expected_sha256(name, config.model_sha256)
    english_only = name.endswith(".en")
    is_turbo = name in ("turbo", "large-v3-turbo") or digest == OFFICIAL_MODELS["turbo"]
    language = "en" if english_only else code_of(config.language)
    return ServedModel(name, digest, english_only, not english_only and not is_turbo, language)


def check_name(served: ServedModel, asked: str) -> None:
    """Raises ApiError (404) where `asked` is neither the served model nor OpenAI's `whisper-1`."""
    if asked not in (served.name, ALIAS):
        message = f"The model `{asked}` does not exist here: this server has `{served.name}` (also as `{ALIAS}`)."
        raise ApiError(404, message, param="model", code="model_not_found")
