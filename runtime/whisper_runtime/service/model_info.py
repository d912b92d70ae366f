"""The model that this process serves: its name, its abilities, and the defaults of requests to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from whisper_runtime.contract.config import RuntimeConfig, env_name
from whisper_runtime.contract.models import DEFAULT_ENCODER, encoder_sha256, expected_sha256
from whisper_runtime.engine.interface import NO_MODEL, Abilities
from whisper_runtime.errors import HttpError
from whisper_runtime.service.model_names import TELLS_SPEAKERS, aliases, without_date

NO_SPEAKERS: Final = (
    "this server does not tell speakers apart: set spec.diarization to {} in its WhisperService, or "
    f"{env_name('diarization_model')} to {DEFAULT_ENCODER}"
)
"""Why, and what who runs the server can do; a sentence goes on behind it."""


@dataclass(frozen=True)
class ModelInfo:
    """One model as clients see it."""

    name: str
    aliases: tuple[str, ...]
    """Other names by which clients may call it; none of them is `name`."""
    created: int
    """Unix time at which this process started."""
    digest: str | None
    """sha256 of the checkpoint in hex; None: the file has not been read to its end yet."""
    abilities: Abilities
    precision: str
    """In which the weights are multiplied, as `float16`; empty until the model is loaded."""
    default_language: str | None
    """ISO-639-1 code for requests that name none; None: it is detected."""
    condition_on_previous_text: bool
    """The same for every request: no client can choose it."""
    diarizes: bool = False
    """Whether speakers are told apart where a request asks for it."""
    diarizer_digest: str | None = None
    """sha256 of the speaker encoder's checkpoint in hex; None: there is none, or it is not loaded yet."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def english_only(self) -> bool:
        return self.abilities.languages == 1


class ServedModel:
    """The model as far as it is known. The start writes it, each request reads one ModelInfo."""

    def __init__(self, config: RuntimeConfig, abilities: Abilities = NO_MODEL) -> None:
        self._config = config
        self._created = int(time.time())
        self.info = model_info(config, None, abilities, "", self._created)

    def has_digest(self, digest: str) -> None:
        """Notes the sha256 that the checkpoint was found to have."""
        self.info = replace(self.info, digest=digest)

    def has_loaded(self, abilities: Abilities, precision: str) -> None:
        """Notes what the loaded checkpoint can do, and in which precision."""
        found = model_info(self._config, self.info.digest, abilities, precision, self._created)
        self.info = replace(found, diarizer_digest=self.info.diarizer_digest)

    def has_diarizer(self, digest: str) -> None:
        """Notes the sha256 of the speaker encoder that is loaded beside the checkpoint."""
        self.info = replace(self.info, diarizer_digest=digest)


def model_info(
    config: RuntimeConfig, digest: str | None, abilities: Abilities, precision: str, created: int
) -> ModelInfo:
    """The model that `config` names, with what is known of its file."""
    detected = config.language == "auto"
    language = "en" if abilities.languages == 1 else None if detected else config.language
    name, diarizes = name_of(config.model), config.diarization_model is not None
    return ModelInfo(
        name=name,
        aliases=aliases(name, config.model_aliases, promised_digest(config), diarizes=diarizes),
        created=created,
        digest=digest,
        abilities=abilities,
        precision=precision,
        default_language=language,
        condition_on_previous_text=config.condition_on_previous_text,
        diarizes=diarizes,
        diarizer_digest=promised_encoder_digest(config),
    )


def name_of(model: str) -> str:
    """The name for clients of a model that is configured by its name, or by its file's path."""
    return PurePath(model).name.removesuffix(".pt") if "/" in model else model


def promised_digest(config: RuntimeConfig) -> str | None:
    """sha256 that a checkpoint of this name has wherever it comes from; None: a path, whose file may hold anything."""
    return None if "/" in config.model else expected_sha256(config.model, config.model_sha256)


def promised_encoder_digest(config: RuntimeConfig) -> str | None:
    """sha256 that the speaker encoder has wherever it comes from; None: there is none, or a path says nothing of it."""
    encoder = config.diarization_model
    return encoder_sha256(encoder, config.diarization_model_sha256) if encoder else None


def check_name(model: ModelInfo, name: str) -> None:
    """Raises HttpError (404) where `name` is none of the served model's names."""
    if name in model.names or (undated := without_date(name)) in model.names:
        return
    served = f"`{model.name}`, also as {', '.join(f'`{alias}`' for alias in model.aliases)}"
    message = f"The model `{name}` does not exist here: this server has {served}."
    if undated == TELLS_SPEAKERS:
        message = f"The model `{name}` does not exist here, for {NO_SPEAKERS}, or use {served}."
    raise HttpError(404, message, param="model", code="model_not_found")
