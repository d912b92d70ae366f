"""The forms that clients may send, field by field; `extras` judges any other field: no wish is silently ignored."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypedDict

from fastapi import Form, UploadFile
from pydantic import ConfigDict, Field
from starlette.datastructures import FormData

from whisper_runtime.contract.languages import LONGEST_WORD
from whisper_runtime.engine.transcription import Task
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.arrays import Array
from whisper_runtime.http.openai.decoding_fields import DecodingFields, SilenceThreshold
from whisper_runtime.http.openai.responses import Absent
from whisper_runtime.http.openai.speaker_fields import SpeakerFields
from whisper_runtime.http.openai.speech_fields import SpeechFields

TranslationFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
STREAMED: Final[frozenset[ResponseFormat]] = frozenset({"json", "text", "diarized_json"})
"""The formats whose answer can be a stream of OpenAI's events, which have text, and speakers."""
Granularity = Literal["word", "segment"]
Subtitles = Literal["srt", "vtt"]
Included = Literal["logprobs", "language_probability"]


class FormLimits(TypedDict, total=False):
    """As Starlette takes them."""

    max_files: int
    max_fields: int
    max_part_size: int


MAX_FIELDS: Final = 128
"""The most fields, each value of an array counted: there may be a hundred keywords."""
MAX_FIELD_KIB: Final = 64
"""The size of any field other than the file."""
FORM_LIMITS: Final[FormLimits] = {"max_files": 1, "max_fields": MAX_FIELDS, "max_part_size": MAX_FIELD_KIB * 1024}

Multipart: Final = Form(media_type="multipart/form-data")

LanguageField = Annotated[str, Field(max_length=LONGEST_WORD)]
"""ISO 639 code, language tag, or name in English or in the language itself; `auto` is the server's default."""
LanguageList = Annotated[str, Field(max_length=1000)]
"""One such word, or several with commas."""
FileUrl = Annotated[str, Field(max_length=8192)]
WebhookUrl = Annotated[str, Field(max_length=2048)]
ModelName = Annotated[str, Field(max_length=200)]
LineLimit = Annotated[int, Field(ge=1, le=1000)]
Temperature = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class SourceFields(SpeechFields, DecodingFields):
    model_config = ConfigDict(extra="allow", frozen=True)

    file: UploadFile | Absent = None
    """The recording: sound or a film of any common container and codec. One of `file` and `url` is needed."""
    url: FileUrl | Absent = None
    """Where the recording is, in the place of `file`, on a server that this one may fetch from."""

    prompt: str | Absent = None
    temperature: Temperature = 0.0


class OpenAIForm(SourceFields):
    """What OpenAI's two routes have in common."""

    model: ModelName
    response_format: ResponseFormat = "json"
    webhook_url: WebhookUrl | Absent = None
    """With `Prefer: respond-async`: the address that is sent an event once the job has ended."""
    max_line_width: LineLimit | Absent = None
    """For `srt` and `vtt`: the most characters in a line."""
    max_line_count: LineLimit | Absent = None
    """For `srt` and `vtt`, with `max_line_width`: the most lines in a cue."""
    max_words_per_line: LineLimit | Absent = None
    """For `srt` and `vtt`, without `max_line_count`: the most words in a cue."""


class TranslationForm(OpenAIForm):
    """The form of `POST /v1/audio/translations`."""

    response_format: TranslationFormat = "json"  # pyright: ignore[reportIncompatibleVariableOverride]  # it is frozen


class DetailFields(SourceFields):
    """What a transcription may be asked for beside its text; arrays come with and without brackets behind the name."""

    language: LanguageField | Absent = None
    languages_in_brackets: Annotated[list[LanguageList], Array] = Field(default=[], alias="languages[]")
    languages_bare: Annotated[list[LanguageList], Array] = Field(default=[], alias="languages")
    """The languages that the recording may be in, words as for `language`: the likeliest of them is taken."""
    hallucination_silence_threshold: SilenceThreshold | Absent = None
    """Seconds of silence around words that look hallucinated, from which on they are left out; needs word times."""
    include_in_brackets: Annotated[list[Included], Array] = Field(default=[], alias="include[]")
    include_bare: Annotated[list[Included], Array] = Field(default=[], alias="include")
    granularities_in_brackets: Annotated[list[Granularity], Array] = Field(
        default=[], alias="timestamp_granularities[]"
    )
    granularities_bare: Annotated[list[Granularity], Array] = Field(default=[], alias="timestamp_granularities")

    @property
    def include(self) -> frozenset[Included]:
        return frozenset(self.include_in_brackets + self.include_bare)

    @property
    def languages(self) -> list[str]:
        return self.languages_in_brackets + self.languages_bare

    @property
    def granularities(self) -> frozenset[Granularity]:
        return frozenset(self.granularities_in_brackets + self.granularities_bare)


class PlainForm(DetailFields):
    """The form of `POST /transcribe`."""

    task: Task = "transcribe"
    stream: bool | Absent = None
    """Server-sent events of the segments, with their times, as they are known."""
    formats_in_brackets: Annotated[list[Subtitles], Array] = Field(default=[], alias="formats[]")
    formats_bare: Annotated[list[Subtitles], Array] = Field(default=[], alias="formats")
    """Subtitles of the same transcription, beside its segments."""

    @property
    def formats(self) -> frozenset[Subtitles]:
        return frozenset(self.formats_in_brackets + self.formats_bare)

    @property
    def is_streamed(self) -> bool:
        """Whether the answer is a stream of events."""
        return bool(self.stream)


class TranscriptionForm(SpeakerFields, DetailFields, OpenAIForm):
    """The form of `POST /v1/audio/transcriptions`."""

    stream: bool | Absent = None
    """For `json`, `text` and `diarized_json`: server-sent events. With another format it is ignored."""

    @property
    def is_streamed(self) -> bool:
        """Whether the answer is a stream of events (ADRs 34, 93)."""
        return bool(self.stream) and self.response_format in STREAMED


SCALARS: Final = frozenset(
    name for form in (PlainForm, TranscriptionForm) for name, field in form.model_fields.items() if field.alias is None
)
"""Fields that hold one value; arrays have an alias for their second spelling."""


def check_each_once(form: FormData) -> None:
    """Raises HttpError (400) for a field that is given twice, of which else the last would silently be taken."""
    for name in SCALARS & form.keys():
        if (times := len(form.getlist(name))) > 1:
            message = f"`{name}` is given {times} times, and takes one value: send it once."
            raise HttpError(400, message, param=name, code="repeated_parameter")
