"""Fields that OpenAI's API lacks and other servers have for what the engine can do: their names, bounds and meaning.

The names are those of faster-whisper and speaches, which are `whisper.transcribe`'s own; vLLM has some of them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Final

from pydantic import BaseModel, Field

from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import invalid_value
from whisper_runtime.http.openai.arrays import Array
from whisper_runtime.http.openai.keywords import keyword_text
from whisper_runtime.http.openai.responses import Absent
from whisper_runtime.service.model_info import ModelInfo

SHOWN: Final = 60
"""Characters that an error repeats of what a client sent."""
MOST_CLIPS: Final = 256
Candidates = Annotated[int, Field(ge=1, le=10)]
Patience = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, le=2**62)]
SilenceThreshold = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]


class DecodingFields(BaseModel):
    """What a form may ask of the decoder; absent, it decodes as `whisper.transcribe` does by default."""

    beam_size: Candidates | Absent = None
    """Beams at temperature 0."""
    patience: Patience | Absent = None
    """The search ends once beam_size times this many beams have ended; needs `beam_size`."""
    best_of: Candidates | Absent = None
    """Samples above temperature 0, of which the likeliest is kept."""
    seed: Seed | Absent = None
    """The same one gives the same samples above temperature 0."""
    initial_prompt: str | Absent = None
    """Another name of `prompt`."""
    hotwords: str | Absent = None
    """Another name of `keywords`, as one text."""
    keywords_in_brackets: Annotated[list[str], Array] = Field(default=[], alias="keywords[]")
    keywords_bare: Annotated[list[str], Array] = Field(default=[], alias="keywords")
    """Words that the recording may have; they stand before the prompt of each window."""
    condition_on_previous_text: bool | Absent = None
    """Whether the text so far is the next window's prompt. `true` needs a server that does so."""
    without_timestamps: bool | Absent = None
    """Whether a window is one segment."""
    clip_timestamps: str | Absent = None
    """Seconds with commas: the start and the end of each part that is transcribed; a last end may be missing."""


def given_prompt(fields: DecodingFields, prompt: str | None) -> str | None:
    """The text that precedes the recording; raises HttpError (400) where the form has two of them."""
    if prompt and fields.initial_prompt:
        raise invalid_value("initial_prompt", "`initial_prompt` is another name of `prompt`: send one of them.")
    return prompt or fields.initial_prompt or None


def decoded_as_asked(options: Options, fields: DecodingFields, model: ModelInfo) -> Options:
    """`options` with what `fields` ask for; raises HttpError (400) for what cannot be done."""
    several = {name: count for name in ("beam_size", "best_of") if (count := getattr(fields, name) or 1) > 1}
    if fields.patience is not None and fields.beam_size is None:
        raise invalid_value("patience", "`patience` needs `beam_size`, whose search it prolongs: send both or none.")
    keywords = fields.keywords_in_brackets + fields.keywords_bare
    return replace(
        options,
        keywords=keyword_text(keywords, fields.hotwords, english_only=model.english_only),
        **several,  # one candidate is what the batch decodes anyway
        patience=fields.patience if "beam_size" in several else None,
        seed=fields.seed,
        condition_on_previous_text=_conditions(fields, model),
        without_timestamps=bool(fields.without_timestamps),
        clip_timestamps=_clips(fields.clip_timestamps),
    )


def _conditions(fields: DecodingFields, model: ModelInfo) -> bool:
    asked, served = fields.condition_on_previous_text, model.condition_on_previous_text
    if asked and not served:
        message = "`condition_on_previous_text` is true, and this server transcribes the parts of a file side by side: "
        raise invalid_value("condition_on_previous_text", message + "leave it out.")
    return served if asked is None else asked


def _clips(text: str | None) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        found = (math.nan,)
    is_ordered = all(one < other for one, other in pairwise(found)) and all(map(math.isfinite, found))
    if not is_ordered or min(found, default=0) < 0 or len(found) > MOST_CLIPS:
        message = (
            f"`clip_timestamps` is {(text or '')[:SHOWN]!r}: it takes at most {MOST_CLIPS} seconds that grow, with "
            "commas: for example `0,30,60,90`."
        )
        raise invalid_value("clip_timestamps", message)
    return found
