"""The checkpoints that openai-whisper publishes, and the path of each in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from whisper_runtime.contract.files import PACKAGED_ENCODERS_DIR

OFFICIAL_MODELS: Final[Mapping[str, str]] = {
    "tiny.en": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    "tiny": "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
    "base.en": "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
    "base": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
    "small.en": "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
    "small": "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
    "medium.en": "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
    "medium": "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
    "large-v1": "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a",
    "large-v2": "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
    "large-v3": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
    "large": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
    "large-v3-turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
    "turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
}
"""sha256 of each checkpoint that openai-whisper publishes (the digest in `whisper._MODELS`' URLs)."""

PACKAGED_ENCODERS: Final[Mapping[str, str]] = {
    "resemblyzer": "1f95b4e8da838c0ba224883ebc1fd0c444a3a86cc31aafa99b84e7d9ed634dc5",
}
"""sha256 of each speaker encoder that comes with the runtime, by its name.

The tensors of the network in resemblyzer 0.1.4's pretrained.pt (Apache-2.0), without the state of its training.
"""
DEFAULT_ENCODER: Final = "resemblyzer"

MODEL_ALIAS_PATTERN: Final = "^[A-Za-z0-9]([-._:@/A-Za-z0-9]*[A-Za-z0-9])?$"
"""A further name of the served model: `whisper-large-v3`, or a repository's, `openai/whisper-large-v3`."""
MODEL_ALIAS_LENGTH: Final = 128


def expected_sha256(model: str, sha256: str | None) -> str | None:
    """The digest that the checkpoint must have: `sha256`, else the one that openai-whisper publishes for the name.

    None: the name is not openai-whisper's.
    """
    return sha256 or OFFICIAL_MODELS.get(model)


def checkpoint_path(model_dir: str, model: str, sha256: str | None) -> str:
    """The path of a checkpoint in the cache: two files of one name and different content never collide.

    Raises ValueError for a name that is not openai-whisper's, without a `sha256`.
    """
    digest = expected_sha256(model, sha256)
    if digest is None:
        raise ValueError(
            f"model {model!r} is not a model of openai-whisper: give its sha256, or the path of a checkpoint"
        )
    return f"{model_dir}/{model}-{digest[:12]}.pt"


def encoder_sha256(encoder: str, sha256: str | None) -> str | None:
    """The digest that the speaker encoder must have: `sha256`, else that of the one that comes with the runtime.

    None: a path, or the name is nobody's.
    """
    return sha256 or PACKAGED_ENCODERS.get(encoder)


def encoder_path(model_dir: str, encoder: str, sha256: str | None) -> str:
    """The path of a speaker encoder: its own where it is one, else in the cache, or in the runtime's package.

    Raises ValueError for a name that does not come with the runtime, without a `sha256`.
    """
    if "/" in encoder:
        return encoder
    if sha256:
        return checkpoint_path(model_dir, encoder, sha256)
    if encoder not in PACKAGED_ENCODERS:
        raise ValueError(
            f"{encoder!r} is no speaker encoder that comes with the runtime: use "
            f"{', '.join(PACKAGED_ENCODERS)}, give its sha256, or the path of a checkpoint"
        )
    return f"{PACKAGED_ENCODERS_DIR}/{encoder}.pt"
