"""The names by which clients may call the served model, beside its own; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from whisper_runtime.contract.models import OFFICIAL_MODELS

OPENAI_NAMES: Final = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe")
"""What OpenAI's API calls its models for transcription; such a name says nothing of a checkpoint (ADR 27)."""
SNAPSHOT: Final = re.compile(r"(.+)-\d{4}-\d{2}-\d{2}")
"""OpenAI's name of one day's version, such as `gpt-4o-mini-transcribe-2025-12-15`."""
TELLS_SPEAKERS: Final = "gpt-4o-transcribe-diarize"
"""OpenAI's model whose answers have speakers; a name of the served one where a speaker encoder is loaded beside it."""

SHORT: Final = frozenset({"large", "turbo"})
"""What only openai-whisper calls large-v3 and large-v3-turbo; `openai/whisper-large` of Hugging Face is large-v1."""
CONVERSIONS: Final = {
    "large-v3-turbo": ("mobiuslabsgmbh/faster-whisper-large-v3-turbo", "deepdml/faster-whisper-large-v3-turbo-ct2"),
}
"""The repositories for faster-whisper of the one checkpoint that Systran has not converted."""


def aliases(name: str, own: Iterable[str], digest: str | None, *, diarizes: bool = False) -> tuple[str, ...]:
    """The names beside `name`: the configured ones (`own`), OpenAI's, and the public ones of a published checkpoint.

    `digest` is the sha256 that the served file is promised to have; None: it may hold anything, and has no public name.
    `diarizes`: whether speakers are told apart.
    """
    same = [official for official, sha256 in OFFICIAL_MODELS.items() if sha256 == digest]
    public = [public_name for official in same for public_name in (official, *public_names(official))]
    openais = (*OPENAI_NAMES, TELLS_SPEAKERS) if diarizes else OPENAI_NAMES
    return tuple(dict.fromkeys(other for other in (*own, *openais, *public) if other != name))


def public_names(official: str) -> tuple[str, ...]:
    """What Groq and the repositories of Hugging Face call the checkpoint that openai-whisper has under that name."""
    if official in SHORT:
        return ()
    of_openai = "openai/whisper-large" if official == "large-v1" else f"openai/whisper-{official}"
    return (
        f"whisper-{official}",
        of_openai,
        f"Systran/faster-whisper-{official}",
        *CONVERSIONS.get(official, ()),
    )


def without_date(name: str) -> str:
    """The name of OpenAI's whose version of one day `name` is; `name` itself where it is none."""
    found = SNAPSHOT.fullmatch(name)
    return found[1] if found and found[1] in (*OPENAI_NAMES, TELLS_SPEAKERS) else name
