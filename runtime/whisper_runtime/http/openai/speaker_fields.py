"""Fields for whose words they are: OpenAI's for known speakers, and how many there may be.

A known speaker has a name and a reference, a recording of the voice as a data URL, each in the order of the other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Annotated, Final

from pydantic import BaseModel, Field

from whisper_runtime.diarization.interface import SpeakerBounds
from whisper_runtime.errors import HttpError, invalid_value
from whisper_runtime.http.openai.data_url import data_url
from whisper_runtime.http.openai.responses import Absent
from whisper_runtime.service.model_info import NO_SPEAKERS, ModelInfo
from whisper_runtime.service.speaker_options import SpeakerOptions, SpeakerReference

MOST_KNOWN: Final = 4
"""OpenAI's bound of known speakers."""
MOST_SPEAKERS: Final = SpeakerBounds().most
REFERENCE_KIB: Final = 4096
"""Of one data URL: ten seconds of a WAV of 24 bits, in stereo at 48 kHz, take 3750."""
WITH_SPEAKERS: Final = ("diarized_json", "verbose_json", "srt", "vtt")
"""The formats that have speakers: the first one always, the others where any of these fields is given."""
NAMES, REFERENCES = "known_speaker_names", "known_speaker_references"
NUMBER: Final = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))?")
SHOWN: Final = 60
"""Characters that an error repeats of what a client sent."""

SpeakerName = Annotated[str, Field(max_length=64)]
SpeakerNumber = Annotated[str, Field(max_length=16)]


class SpeakerFields(BaseModel):
    """Absent, nobody asks whose words they are."""

    speakers: SpeakerNumber | Absent = None
    """How many speakers there are: a number, bounds such as `2-4`, or `auto`, which is from 1 to 32."""
    speaker_names_in_brackets: list[SpeakerName] = Field(default=[], alias="known_speaker_names[]")
    speaker_names_bare: list[SpeakerName] = Field(default=[], alias="known_speaker_names")
    """Names of known speakers, at most four."""
    speaker_references_in_brackets: list[str] = Field(default=[], alias="known_speaker_references[]")
    speaker_references_bare: list[str] = Field(default=[], alias="known_speaker_references")
    """A recording of each known speaker's voice, in their order: a data URL of 2 to 10 seconds."""

    @property
    def speaker_names(self) -> list[str]:
        return [one for one in self.speaker_names_in_brackets + self.speaker_names_bare if one]

    @property
    def speaker_references(self) -> list[str]:
        return [one for one in self.speaker_references_in_brackets + self.speaker_references_bare if one]


def speaker_options(
    fields: SpeakerFields, response_format: str, model: ModelInfo, *, by_channel: bool = False
) -> SpeakerOptions | None:
    """What the form asks of speakers; None: nothing, or each is in a channel of the recording (`by_channel`).

    Raises HttpError (400) where it cannot be done.
    """
    given = {
        "speakers": fields.speakers,
        f"{NAMES}[]": fields.speaker_names,
        f"{REFERENCES}[]": fields.speaker_references,
    }
    asked = [name for name, value in given.items() if value]
    if asked and by_channel:
        message = f"`channels` is 'separate', where each channel is one speaker: leave that or `{asked[0]}` out."
        raise invalid_value(asked[0], message)
    if by_channel:
        return None
    if response_format == "diarized_json":
        asked.insert(0, "response_format")
    if not asked:
        return None
    if not model.diarizes:
        message = f"`{asked[0]}` asks whose words they are, and {NO_SPEAKERS}, or leave it out."
        raise HttpError(400, message, param=asked[0], code="unsupported_parameter")
    if response_format not in WITH_SPEAKERS:
        formats = ", ".join(f"'{one}'" for one in WITH_SPEAKERS)
        message = f"`{asked[0]}` needs `response_format` to be one of {formats}, and it is '{response_format}'"
        raise invalid_value(asked[0], f"{message}: change one of them.")
    return SpeakerOptions(_bounds(fields.speakers, len(fields.speaker_names)), _references(fields))


def _bounds(text: str | None, known: int) -> SpeakerBounds:
    if not text or text.strip().lower() == "auto":
        return SpeakerBounds(1, MOST_SPEAKERS)
    found = NUMBER.fullmatch(text.strip())
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= least <= most <= MOST_SPEAKERS:
        message = (
            f"`speakers` is {text!r}: it should be a number from 1 to {MOST_SPEAKERS}, bounds such as `2-4`, or `auto`."
        )
        raise invalid_value("speakers", message)
    if known > most:
        message = f"`speakers` is {text!r}, and `{NAMES}[]` has {known}: leave `speakers` out, or allow as many."
        raise invalid_value("speakers", message)
    return SpeakerBounds(least, most)


def _references(fields: SpeakerFields) -> tuple[SpeakerReference, ...]:
    names, urls = fields.speaker_names, fields.speaker_references
    if len(names) != len(urls):
        message = (
            f"`{NAMES}[]` has {len(names)} values and `{REFERENCES}[]` has {len(urls)}: send one reference for each "
            "name, in the same order."
        )
        raise invalid_value(f"{REFERENCES}[]" if len(names) > len(urls) else f"{NAMES}[]", message)
    if len(names) > MOST_KNOWN:
        raise invalid_value(f"{NAMES}[]", f"`{NAMES}[]` has {len(names)} values, and may have {MOST_KNOWN}.")
    for name in names:
        if not name.isprintable() or not name.strip() or names.count(name) > 1:
            message = f"`{NAMES}[]` has {name!r}: a name is printable text, and no other speaker's."
            raise invalid_value(f"{NAMES}[]", message)
    return tuple(_reference(number, name, url) for number, (name, url) in enumerate(zip(names, urls, strict=True), 1))


def _reference(number: int, name: str, url: str) -> SpeakerReference:
    field = f"{REFERENCES}[]"
    if len(url) > REFERENCE_KIB * 1024:
        message = f"`{field}` number {number}, of {name!r}, is longer than {REFERENCE_KIB} KiB: send fewer seconds."
        raise invalid_value(field, message)
    found = data_url(url)
    if found is None:
        message = (
            f"`{field}` number {number}, of {name!r}, is {url[:SHOWN]!r}: it should be a data URL in base64, such as "
            "`data:audio/wav;base64,UklGR…`."
        )
        raise invalid_value(field, message)
    try:
        content = base64.b64decode("".join(found.base64.split()), validate=True)  # `base64` breaks its lines
    except (binascii.Error, ValueError):
        raise invalid_value(field, f"`{field}` number {number}, of {name!r}, is no base64: send it anew.") from None
    return SpeakerReference(name, hashlib.sha256(content).hexdigest(), content, found.media_type)
